import log from "loglevel";
import { used } from "../used.js";

export default used(() => {
  const lines = [];
  const original = log.methodFactory;
  log.methodFactory = (method, level, name) => (original(method, level, name), (...args) => lines.push([method, String(name ?? "root"), ...args]));
  log.setLevel("warn", false);
  log.info("no");
  log.warn("careful", 1);
  const child = log.getLogger("child");
  child.setLevel("info", false);
  child.info("yes");
  return [lines.filter(([, , text]) => text !== "no"), log.getLevel()];
}, [[["warn", "root", "careful", 1], ["info", "child", "yes"]], 3]);
