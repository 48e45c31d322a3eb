import { decode, decodeMultiStream, encode, ExtensionCodec } from "@msgpack/msgpack";
import { used } from "../used.js";

export default used(async () => {
  const extensionCodec = new ExtensionCodec();
  extensionCodec.register({ type: 1, encode: (value) => (value instanceof Set ? encode([...value]) : null), decode: (data) => new Set(decode(data)) });
  const many = [];
  for await (const value of decodeMultiStream(new Blob([encode(1), encode("ä")]).stream())) many.push(value);
  return [decode(encode({ a: [1, -1, 1.5, null, true], b: new Uint8Array([1]) })), [...decode(encode(new Set([1, 2]), { extensionCodec }), { extensionCodec })], many, encode({ a: 1 }).length];
}, [{ a: [1, -1, 1.5, null, true], b: { 0: 1 } }, [1, 2], [1, "ä"], 4]);
