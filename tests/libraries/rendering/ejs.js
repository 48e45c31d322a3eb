import ejs from "ejs";
import { used } from "../used.js";

const template = ejs.compile("<% for (const item of items) { %><li><%= item %></li><% } -%>\n<%- raw %>", { rmWhitespace: false });

export default used(() => [template({ items: ["<a>", "b"], raw: "<hr>" }), ejs.escapeXML("'")], ["<li>&lt;a&gt;</li><li>b</li><hr>", "&#39;"]);
