import { Document, isMap, parse, parseDocument, stringify } from "yaml";
import { used } from "../used.js";

export default used(() => {
  const doc = parseDocument("# kept\na: &x [1, 2]\nb: *x\nc: |\n  text\n");
  doc.set("d", 1.5);
  return [parse(String(doc)), String(doc).startsWith("# kept"), isMap(doc.contents), stringify({ a: [{ b: null }] }), parseDocument("a: [").errors[0].code, new Document([1]).toString()];
}, [{ a: [1, 2], b: [1, 2], c: "text\n", d: 1.5 }, true, true, "a:\n  - b: null\n", "BAD_INDENT", "- 1\n"]);
