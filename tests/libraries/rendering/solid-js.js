import { createMemo, createResource, createSignal, Suspense } from "solid-js";
import { createComponent, escape, renderToString, renderToStringAsync, ssr } from "solid-js/web";
import { used } from "../used.js";

const App = (props) => {
  const [count] = createSignal(21);
  const double = createMemo(() => count() * 2);
  return ssr(["<b>", " ", "</b>"], escape(props.name), double());
};
const Late = () => {
  const [data] = createResource(async () => "late");
  return createComponent(Suspense, { get children() { return ssr(["<p>", "</p>"], escape(data() ?? "")); } });
};

export default used(async () => [renderToString(() => createComponent(App, { name: "<ada>" })), (await renderToStringAsync(() => createComponent(Late, {}))).includes("late")], ["<b>&lt;ada> 42</b>", true]);
