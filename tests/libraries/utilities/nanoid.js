import { customAlphabet, nanoid, urlAlphabet } from "nanoid";
import { used } from "../used.js";

export default used(() => {
  const ids = new Set(Array.from({ length: 1000 }, () => nanoid()));
  return [ids.size, nanoid(10).length, customAlphabet("ab", 30)().replace(/[ab]/g, ""), urlAlphabet.length];
}, [1000, 10, "", 64]);
