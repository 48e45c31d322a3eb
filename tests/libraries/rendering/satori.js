import layout from "satori/layout.wasm";
import { used } from "../used.js";

export default used(async (env) => {
  // It asks at once where it was loaded from, in order to find a file that it is given here.
  Object.assign(globalThis, { location: new URL("https://app.example/") });
  const { default: satori, init } = await import("satori/standalone");
  await init(layout);
  const data = await (await fetch(`${env.UP}/font.woff`)).arrayBuffer();
  const child = { type: "div", props: { style: { display: "flex", color: "red", fontSize: 20 }, children: "Hello" } };
  const svg = await satori(child, { width: 100, height: 50, fonts: [{ name: "Inter", data, weight: 400 }] });
  return [svg.startsWith('<svg width="100" height="50"'), svg.includes('fill="red"'), /d="M[\d. MLQZHVC-]{200,}/.test(svg)];
}, [true, true, true]);
