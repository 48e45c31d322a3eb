import _, { chunk, debounce, merge } from "lodash";
import { used } from "../used.js";

export default used(async () => {
  const seen = [];
  const late = debounce((value) => seen.push(value), 5);
  late(1);
  late(2);
  late.flush();
  return [_.camelCase("one two"), chunk([1, 2, 3], 2), merge({ a: { b: 1 } }, { a: { c: 2 } }), _.groupBy([1, 2, 3], (n) => n % 2), seen, _(["b", "a"]).sort().first()];
}, ["oneTwo", [[1, 2], [3]], { a: { b: 1, c: 2 } }, { 0: [2], 1: [1, 3] }, [2], "a"]);
