// Lines never stand among those of another level, whatever has just become better or worse.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { ADMIN, BEARER, end, lists, open, shows } from "./browser.mjs";

const page = await open();
const post = (app, verb) => fetch(`${ADMIN}/v1/apps/${app}/${verb}`, { method: "POST", headers: { ...BEARER, "x-nano-admin": "1" } });
const write = (app, text) => writeFileSync(`${process.env.FOLDER}/${app}/index.js`, text);
await lists(page, ["a", "b", "c", "d", "e"]);
const levels = () => page.locator("#apps .app").evaluateAll((lines) => lines.map((line) => line.dataset.level));
assert.deepEqual(await levels(), ["bad", "bad", "bad", "good", "good"]);
// At no moment, however short.
await page.evaluate((order) => {
  window.mixed = [];
  const look = () => {
    const ranks = [...document.querySelectorAll("#apps .app")].map((line) => order.indexOf(line.dataset.level));
    if (ranks.some((rank, at) => rank < ranks[at - 1])) window.mixed.push(ranks.join());
  };
  new MutationObserver(look).observe(document.querySelector("#apps"), { subtree: true, childList: true, attributeFilter: ["data-level"] });
}, ["bad", "warn", "wait", "good", "off"]);

// One of those that had failed is ready: what it was before is no longer a reason to stand among them.
write("b", "export default { fetch: () => new Response('x') }");
await post("b", "start");
await shows(page, "b", "state", "ready");
await lists(page, ["a", "c", "b", "d", "e"]);
// One that was ready has failed: it comes behind those that were there before, and before all others.
write("d", "export default {");
await post("d", "restart");
await shows(page, "d", "state", "failed");
await lists(page, ["a", "c", "d", "b", "e"]);
assert.deepEqual(await page.evaluate(() => window.mixed), []);
await end();
