import { pretty, render, toPlainText } from "@react-email/render";
import { createElement as h } from "react";
import { used } from "../used.js";

export default used(async () => {
  const html = await render(h("html", null, h("body", null, h("h1", null, "Hello"), h("a", { href: "https://a.example" }, "link"))));
  return [html.includes("<h1>Hello</h1>") && html.startsWith("<!DOCTYPE html"), toPlainText(html).replace(/\n+/g, "|"), (await pretty("<p><b>x</b></p>")).includes("<p>")];
}, [true, "HELLO|link https://a.example", true]);
