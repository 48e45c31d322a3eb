import JSZip from "jszip";
import { used } from "../used.js";

export default used(async () => {
  const zip = new JSZip();
  zip.file("a.txt", "hello").folder("dir").file("b.bin", new Uint8Array([1, 2, 3]));
  zip.file("late.txt", Promise.resolve("later"));
  const bytes = await zip.generateAsync({ type: "uint8array", compression: "DEFLATE" });
  const read = await JSZip.loadAsync(bytes);
  return [Object.keys(read.files), await read.file("late.txt").async("string"), [...await read.file("dir/b.bin").async("uint8array")], String.fromCharCode(...bytes.subarray(0, 2))];
}, [["a.txt", "dir/", "dir/b.bin", "late.txt"], "later", [1, 2, 3], "PK"]);
