import { DomUtils, parseDocument, Parser } from "htmlparser2";
import { used } from "../used.js";

export default used(() => {
  const seen = [];
  const parser = new Parser({ onopentag: (name, attributes) => seen.push([name, attributes]), ontext: (text) => seen.push(text), onclosetag: (name) => seen.push(`/${name}`) });
  parser.write("<p cla");
  parser.write("ss=x>a &lt");
  parser.end(";");
  const links = DomUtils.getElementsByTagName("a", parseDocument("<a href=1>x<b>y</b></a>"));
  return [seen.map((item) => item).filter((item) => typeof item !== "string").concat([seen.filter((item) => typeof item === "string").join("")]), DomUtils.textContent(links), links[0].attribs.href];
}, [[["p", { class: "x" }], "a </p"], "xy", "1"]);
