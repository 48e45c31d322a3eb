import * as $ from "svelte/internal/server";
import { compile } from "svelte/compiler";
import { render } from "svelte/server";
import { derived, get, writable } from "svelte/store";
import { used } from "../used.js";

// As the compiler writes it.
function Hello(renderer, props) {
  renderer.push(`<h1${$.attr("title", props.title)}>Hello ${$.escape(props.name)}</h1>`);
}

export default used(async () => {
  const { js, warnings } = compile("<script>let { name } = $props();</script><h1>{name}</h1><img src='x'>", { generate: "server", name: "App" });
  const count = writable(1);
  const double = derived(count, (n) => n * 2);
  count.set(21);
  return [render(Hello, { props: { name: "<ada>", title: 'a"b' } }).body.replace(/<!--.*?-->/g, ""), js.code.includes("$.escape(name)"), warnings.map((warning) => warning.code), get(double)];
}, ['<h1 title="a&quot;b">Hello &lt;ada></h1>', true, ["a11y_missing_attribute"], 42]);
