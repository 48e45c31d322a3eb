import hash from "object-hash";
import { used } from "../used.js";

export default used(
  () => [hash({ a: 1, b: [2] }) === hash({ b: [2], a: 1 }), hash({ a: 1 }), hash.MD5([1, 2]), hash({ a: new Date(0), s: new Set([1]) }, { algorithm: "sha1", encoding: "base64" }).length],
  [true, "ca1a41f90da606b052ecf10c8286817813bc8861", "47d1555185b8e7703b9ce472853fe135", 28],
);
