import { Writable } from "node:stream";
import winston from "winston";
import { used } from "../used.js";

export default used(async () => {
  const lines = [];
  const stream = new Writable({ write: (chunk, _, done) => done(null, lines.push(String(chunk).trim())) });
  const log = winston.createLogger({
    level: "info",
    defaultMeta: { app: "x" },
    format: winston.format.combine(winston.format.splat(), winston.format.json()),
    transports: [new winston.transports.Stream({ stream }), new winston.transports.Console({ level: "error" })],
  });
  log.info("hello %s", "world", { n: 1 });
  log.debug("no");
  log.child({ request: 1 }).warn("careful");
  await new Promise((resolve) => log.on("finish", resolve).end());
  return lines.map((line) => JSON.parse(line));
}, [
  { app: "x", level: "info", message: "hello world", n: 1 },
  { app: "x", level: "warn", message: "careful", request: 1 },
]);
