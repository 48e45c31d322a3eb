import createDebug from "debug";
import { used } from "../used.js";

export default used(() => {
  const lines = [];
  createDebug.log = (...args) => lines.push(args.join(" "));
  createDebug.enable("app:*,-app:secret");
  const [shown, hidden] = [createDebug("app:shown"), createDebug("app:secret")];
  shown("hello %s %d", "world", 42);
  hidden("no");
  return [shown.enabled, hidden.enabled, lines.length, /hello.* 42/.test(lines[0]), createDebug.disable()];
}, [true, false, 1, true, "app:*,-app:secret"]);
