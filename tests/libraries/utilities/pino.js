import pino from "pino";
import { used } from "../used.js";

export default used(() => {
  const lines = [];
  // Workers get its build for browsers.
  const log = pino({ level: "info", base: null, browser: { asObject: true, write: ({ time, ...line }) => lines.push([typeof time, line]), serialize: true }, serializers: { who: (who) => who.name } });
  log.child({ request: 1 }).info({ who: { name: "ada", password: "secret" }, n: 2 }, "hello %s", "world");
  log.debug("no");
  log.error("lost");
  return lines;
}, [["number", { level: 30, request: 1, who: "ada", n: 2, msg: "hello world" }], ["number", { level: 50, msg: "lost" }]]);
