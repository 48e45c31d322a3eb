import { createContext, h } from "preact";
import { useContext, useState } from "preact/hooks";
import { renderToString, renderToStringAsync } from "preact-render-to-string";
import { lazy, Suspense } from "preact/compat";
import { used } from "../used.js";

const Theme = createContext("light");
const Button = () => h("button", { "data-theme": useContext(Theme) }, useState(21)[0] * 2);
const Late = lazy(async () => ({ default: () => h("p", null, "late") }));

export default used(
  async () => [renderToString(h(Theme.Provider, { value: "dark" }, h(Button), h("i", { class: "a", hidden: true }, "<x>"))), await renderToStringAsync(h(Suspense, { fallback: "wait" }, h(Late)))],
  ['<button data-theme="dark">42</button><i hidden class="a">&lt;x></i>', "<!--$s--><p>late</p><!--/$s-->"],
);
