import jpeg from "jpeg-js";
import { used } from "../used.js";

export default used(() => {
  const data = Buffer.alloc(16 * 8 * 4, 255);
  for (let at = 0; at < data.length; at += 4) data.set([200, 100, 50], at);
  const packed = jpeg.encode({ width: 16, height: 8, data }, 90).data;
  const { width, height, data: pixels } = jpeg.decode(packed, { useTArray: true });
  return [[...packed.subarray(0, 2)], width, height, [200, 100, 50].every((value, at) => Math.abs(pixels[at] - value) < 6)];
}, [[255, 216], 16, 8, true]);
