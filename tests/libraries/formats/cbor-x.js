import { addExtension, decode, Decoder, encode, Encoder } from "cbor-x";
import { used } from "../used.js";

class Point { constructor(x) { this.x = x; } }
addExtension({ Class: Point, tag: 43_311, encode: (point, encode) => encode([point.x]), decode: ([x]) => new Point(x) });

export default used(() => {
  const records = new Encoder({ useRecords: true });
  const list = [{ a: 1, b: "x" }, { a: 2, b: "y" }];
  return [[...encode({ a: [1, "b"] })], decode(encode({ at: new Date(0), n: 2n ** 60n > 0, u: undefined, s: new Map([[1, 2]]).size })), decode(encode(new Point(3))) instanceof Point, records.decode(records.encode(list)), new Decoder({ mapsAsObjects: false }).decode(encode(new Map([["k", 1]]))).get("k")];
}, [[185, 0, 1, 97, 97, 130, 1, 97, 98], { at: "1970-01-01T00:00:00.000Z", n: true, s: 1 }, true, [{ a: 1, b: "x" }, { a: 2, b: "y" }], 1]);
