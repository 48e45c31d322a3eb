import { gunzipSync, gzipSync, strFromU8, strToU8, Unzip, UnzipInflate, unzipSync, zipSync } from "fflate";
import { used } from "../used.js";

export default used(() => {
  const zip = zipSync({ "a.txt": strToU8("hello"), dir: { "b.txt": [strToU8("x".repeat(1000)), { level: 9 }] } });
  const names = [];
  const reader = new Unzip((file) => {
    let size = 0;
    file.ondata = (_, data, last) => { size += data.length; if (last) names.push([file.name, size]); };
    file.start();
  });
  reader.register(UnzipInflate);
  reader.push(zip, true);
  return [strFromU8(unzipSync(zip)["a.txt"]), names, strFromU8(gunzipSync(gzipSync(strToU8("y"))))];
}, ["hello", [["a.txt", 5], ["dir/", 0], ["dir/b.txt", 1000]], "y"]);
