import { XMLBuilder, XMLParser, XMLValidator } from "fast-xml-parser";
import { used } from "../used.js";

export default used(() => {
  const options = { ignoreAttributes: false };
  const parsed = new XMLParser(options).parse('<?xml version="1.0"?><a n="1"><b>x &amp; y</b><b>2</b></a>');
  return [parsed.a, new XMLBuilder(options).build({ a: parsed.a }), XMLValidator.validate("<a><b></a>").err.code];
}, [{ "@_n": "1", b: ["x & y", 2] }, '<a n="1"><b>x &amp; y</b><b>2</b></a>', "InvalidTag"]);
