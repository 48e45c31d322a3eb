import { Marked, marked } from "marked";
import { used } from "../used.js";

export default used(async () => {
  const own = new Marked({ async: true, renderer: { link: ({ href, text }) => `[${text}](${href})` } });
  return [marked.parse("# Title\n\n- *a*\n- `b`\n\n|x|\n|-|\n|1|\n").replace(/\n/g, ""), await own.parse("<https://a.b>"), marked.lexer("> q")[0].type];
}, ["<h1>Title</h1><ul><li><em>a</em></li><li><code>b</code></li></ul><table><thead><tr><th>x</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>", "<p>[https://a.b](https://a.b)</p>\n", "blockquote"]);
