// A request that has ended workers twice is refused, and served again when it is released.

import assert from "node:assert/strict";
import { end, open, row, shows, statusOf, toggle, until } from "./browser.mjs";

const page = await open();
await shows(page, "app", "state", "ready");
await toggle(page, "app").click();
const ask = async (path) => (await fetch(`http://${(await statusOf("app")).listen}${path}`, { headers: { accept: "application/json" } })).text();
const isReady = () => until("it is ready", async () => (await statusOf("app")).state === "ready");
const suspects = row(page, "app").locator(".suspects li");
await until("it is refused", async () => {
  await isReady();
  return (await ask("/spin?a=1")).includes("quarantined");
});
await until("it is listed", async () => (await suspects.locator("code").allTextContents())[0] === "GET /spin");
await until("it says how often", async () => /^named for 2 of the last \d$/.test(await suspects.locator(".quiet").textContent()));
await until("it says that it is refused", async () => suspects.locator(".refused").isVisible());
assert.equal(await ask("/"), "hello");
await page.getByRole("button", { name: "Release GET /spin" }).click();
await until("it says so", async () => (await page.locator("#message p").textContent()) === "app is asked GET /spin again.");
await until("it is not refused any more", async () => !(await suspects.locator(".refused").isVisible()));
assert.ok(!(await ask("/spin?b=1")).includes("quarantined"));
await end();
