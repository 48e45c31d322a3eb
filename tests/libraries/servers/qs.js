import qs from "qs";
import { used } from "../used.js";

export default used(
  () => [qs.parse("a[b][]=1&a[b][]=2&c.d=%C3%A4", { allowDots: true }), qs.stringify({ a: [1, 2], b: { c: null }, d: undefined }, { encode: false }), qs.stringify({ a: [1, 2] }, { arrayFormat: "comma" })],
  [{ a: { b: ["1", "2"] }, c: { d: "ä" } }, "a[0]=1&a[1]=2&b[c]=", "a=1%2C2"],
);
