import chalk, { Chalk } from "chalk";
import { used } from "../used.js";

export default used(() => {
  const colours = new Chalk({ level: 3 });
  return [colours.red.bold("x"), colours.hex("#ff8800")("x"), new Chalk({ level: 0 }).red("x"), typeof chalk.level];
}, ["\u001b[31m\u001b[1mx\u001b[22m\u001b[39m", "\u001b[38;2;255;136;0mx\u001b[39m", "x", "number"]);
