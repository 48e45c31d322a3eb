import merge from "deepmerge";
import { used } from "../used.js";

export default used(
  () => [merge({ a: [1], b: { c: 1 } }, { a: [2], b: { d: 2 } }), merge([1], [2], { arrayMerge: (_, source) => source }), merge.all([{ a: 1 }, { b: 2 }, { a: 3 }])],
  [{ a: [1, 2], b: { c: 1, d: 2 } }, [2], { a: 3, b: 2 }],
);
