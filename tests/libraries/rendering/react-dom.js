import { createElement as h, Suspense, use } from "react";
import { renderToReadableStream, renderToStaticMarkup, renderToString } from "react-dom/server";
import { used } from "../used.js";

const later = new Map();
const Late = ({ id }) => {
  if (!later.has(id)) later.set(id, new Promise((resolve) => setTimeout(resolve, 1, "late")));
  return h("p", null, use(later.get(id)));
};

export default used(async () => {
  const stream = await renderToReadableStream(h("main", null, h("h1", null, "now"), h(Suspense, { fallback: h("i", null, "wait") }, h(Late, { id: crypto.randomUUID() }))));
  const page = await new Response(stream).text();
  return [renderToStaticMarkup(h("a", { href: "/?a=1&b", style: { color: "red" } }, "<x>")), renderToString(h("b", null, "x", 1)), page.startsWith("<main><h1>now</h1>"), page.indexOf("<i>wait</i>") < page.indexOf("<p>late</p>"), process.env.NODE_ENV];
}, ['<a href="/?a=1&amp;b" style="color:red">&lt;x&gt;</a>', "<b>x<!-- -->1</b>", true, true, "production"]);
