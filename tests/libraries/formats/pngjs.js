import { PNG } from "pngjs";
import { used } from "../used.js";

export default used(async () => {
  const image = new PNG({ width: 20, height: 10 });
  image.data.fill(255);
  image.data.set([1, 2, 3, 4], 4);
  const packed = PNG.sync.write(image);
  const parse = (bytes) => new Promise((resolve, reject) => new PNG().parse(bytes, (error, png) => (error ? reject(error) : resolve(png))));
  const parsed = await parse(packed);
  const streamed = [];
  await new Promise((resolve, reject) => image.pack().on("data", (chunk) => streamed.push(chunk)).on("end", resolve).on("error", reject));
  return [[...packed.subarray(1, 4)], parsed.height, [...parsed.data.subarray(4, 8)], (await parse(Buffer.concat(streamed))).width];
}, [[80, 78, 71], 10, [1, 2, 3, 4], 20]);
