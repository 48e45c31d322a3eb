import MarkdownIt from "markdown-it";
import { used } from "../used.js";

export default used(() => {
  const md = new MarkdownIt({ linkify: true, typographer: true, html: false });
  md.renderer.rules.strong_open = () => '<b class="x">';
  md.renderer.rules.strong_close = () => "</b>";
  return [md.render('**a** "b" <i> https://example.com'), md.parseInline("`c`")[0].children[0].type];
}, ['<p><b class="x">a</b> “b” &lt;i&gt; <a href="https://example.com">https://example.com</a></p>\n', "code_inline"]);
