import { computed, createSSRApp, defineComponent, h, ref, Suspense } from "vue";
import { renderToString, renderToWebStream } from "vue/server-renderer";
import { used } from "../used.js";

const Counter = defineComponent({
  props: { start: Number },
  setup(props, { slots }) {
    const count = ref(props.start);
    const double = computed(() => count.value * 2);
    return () => h("button", { class: ["a", { b: true }], style: { color: "red" } }, [double.value, slots.default?.()]);
  },
});
const Late = { async setup() { await null; return () => h("p", "late"); } };

export default used(
  async () => [await renderToString(createSSRApp({ render: () => h(Counter, { start: 21 }, () => "<x>") })), await new Response(renderToWebStream(createSSRApp({ render: () => h(Suspense, null, { default: () => h(Late) }) }))).text()],
  ['<button class="a b" style="color:red;">42<!--[-->&lt;x&gt;<!--]--></button>', "<p>late</p>"],
);
