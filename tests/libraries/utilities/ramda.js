import * as R from "ramda";
import { used } from "../used.js";

export default used(
  () => [R.pipe(R.filter((n) => n > 1), R.map(R.multiply(2)), R.sum)([1, 2, 3]), R.over(R.lensPath(["a", "b"]), R.inc, { a: { b: 1 } }), R.groupBy(R.length)(["a", "bb", "c"]), R.transduce(R.compose(R.map(R.inc), R.take(2)), R.flip(R.append), [], [1, 2, 3])],
  [10, { a: { b: 2 } }, { 1: ["a", "c"], 2: ["bb"] }, [2, 3]],
);
