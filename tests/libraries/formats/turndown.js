import { parseHTML } from "linkedom";
import TurndownService from "turndown";
import { used } from "../used.js";

// There is no DOM on Workers, so it is given one.
const { document: page } = parseHTML('<html><body><h1>Title</h1><ul><li>a <b>b</b></li></ul><a href="/x">y</a><pre><code>z</code></pre></body></html>');

export default used(
  () => new TurndownService({ headingStyle: "atx", codeBlockStyle: "fenced" }).turndown(page.body),
  "# Title\n\n*   a **b**\n\n[y](/x)\n\n```\nz\n```",
);
