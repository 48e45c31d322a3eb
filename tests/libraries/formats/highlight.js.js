import hljs from "highlight.js";
import { used } from "../used.js";

export default used(
  () => [hljs.highlight("const a = '<';", { language: "javascript" }).value, hljs.highlightAuto("SELECT * FROM t WHERE a = 1", ["sql", "css"]).language, hljs.listLanguages().length > 150],
  ['<span class="hljs-keyword">const</span> a = <span class="hljs-string">&#x27;&lt;&#x27;</span>;', "sql", true],
);
