import iconv from "iconv-lite";
import { used } from "../used.js";

export default used(
  () => [[...iconv.encode("äö€", "win1252")], iconv.decode(Buffer.from([0x82, 0xa0]), "Shift_JIS"), iconv.decode(iconv.encode("漢字", "gb18030"), "gb18030"), iconv.encodingExists("utf-7"), [...iconv.encode("a", "utf16", { addBOM: true })]],
  [[228, 246, 128], "あ", "漢字", true, [255, 254, 97, 0]],
);
