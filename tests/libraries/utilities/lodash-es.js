import { curry, get, isEqual, orderBy, partition, uniqBy, zipObject } from "lodash-es";
import { used } from "../used.js";

export default used(
  () => [get({ a: [{ b: 1 }] }, "a[0].b"), orderBy([{ n: 1 }, { n: 3 }, { n: 2 }], ["n"], ["desc"]), partition([1, 2, 3], (n) => n > 1), uniqBy([1.2, 1.4, 2], Math.floor), zipObject(["a"], [1]), isEqual(new Map([[1, { a: 1 }]]), new Map([[1, { a: 1 }]])), curry((a, b) => a + b)(1)(2)],
  [1, [{ n: 3 }, { n: 2 }, { n: 1 }], [[2, 3], [1]], [1.2, 2], { a: 1 }, true, 3],
);
