import { deflate, gzip, Inflate, inflate, ungzip } from "pako";
import { used } from "../used.js";

export default used(async () => {
  const data = new TextEncoder().encode("abc".repeat(10_000));
  const packed = gzip(data);
  const native = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  const inflator = new Inflate();
  const text = (bytes) => new TextDecoder().decode(bytes);
  const deflated = deflate(new TextEncoder().encode("piece by piece"));
  inflator.push(deflated.subarray(0, 5));
  inflator.push(deflated.subarray(5), true);
  return [packed.length < 200, native.byteLength, ungzip(packed).length, text(inflator.result), text(inflate(deflate(data.subarray(0, 3))))];
}, [true, 30_000, 30_000, "piece by piece", "abc"]);
