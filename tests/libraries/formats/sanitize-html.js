import sanitize from "sanitize-html";
import { used } from "../used.js";

export default used(
  () => [sanitize('<p onclick="x()">a<script>alert(1)</script><a href="javascript:x">b</a><img src=x></p>'), sanitize("<h1>a</h1>", { allowedTags: ["b"], transformTags: { h1: "b" } })],
  ["<p>a<a>b</a></p>", "<b>a</b>"],
);
