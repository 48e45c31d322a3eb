import { createConsola } from "consola";
import { used } from "../used.js";

export default used(() => {
  const seen = [];
  const log = createConsola({ level: 3, reporters: [{ log: ({ type, tag, args }) => seen.push([type, tag, ...args]) }] });
  log.withTag("db").info("ready", { n: 1 });
  log.debug("no");
  log.error("lost");
  return seen;
}, [["info", "db", "ready", { n: 1 }], ["error", "", "lost"]]);
