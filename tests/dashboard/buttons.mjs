// Restart, stop and start, first with a mouse, then with nothing but a keyboard.

import assert from "node:assert/strict";
import { end, open, row, shows, statusOf, until } from "./browser.mjs";

// Chromium itself logs every answer of class 4xx.
const page = await open({ allowed: /status of 409/ });
const button = (name) => page.getByRole("button", { name, exact: true });
const item = (name) => page.getByRole("menu").getByRole("menuitem", { name });
const choose = async (name, app = "app") => {
  await button(`More for ${app}`).click();
  await item(name).click();
};
const message = page.locator("#message p");
const says = (pattern) => until(`it says ${pattern}`, async () => pattern.test(await message.textContent()));
const dialog = page.getByRole("dialog");

await shows(page, "app", "state", "ready");
// One fitting action each.
assert.equal(await row(page, "app").locator(".act").getAttribute("aria-label"), "Restart app");
assert.equal(await row(page, "bad").locator(".act").getAttribute("aria-label"), "Start bad");

const first = await statusOf("app");
await button("Restart app").click();
await says(/^app has been restarted: worker \d+ is ready\.$/);
const second = await statusOf("app");
assert.notEqual(second.pid, first.pid);

// What hurts is asked once.
await choose(/^Stop/);
await dialog.getByRole("button", { name: "Cancel" }).click();
await dialog.waitFor({ state: "hidden" });
assert.equal((await statusOf("app")).pid, second.pid);
await choose(/^Restart now/);
assert.match(await dialog.textContent(), /Restart app now\?.*is lost/s);
await dialog.getByRole("button", { name: "Restart app now" }).click();
await until("it has another worker", async () => ![null, second.pid].includes((await statusOf("app")).pid));
await says(/^app has been restarted: worker \d+ is ready\.$/);
await choose(/^Stop/);
assert.match(await dialog.textContent(), /Stop app\?.*503/s);
await dialog.getByRole("button", { name: "Stop app" }).click();
await says(/^app has been stopped\.$/);
assert.equal((await statusOf("app")).state, "stopped");
await shows(page, "app", "state", "stopped");
await button("More for app").click();
assert.deepEqual(await page.getByRole("menuitem").evaluateAll((items) => items.map((item) => item.dataset.verb)), ["start", undefined]);
await page.keyboard.press("Escape");
await button("Start app").click();
await says(/^app has been started: worker \d+ is ready\.$/);
await shows(page, "app", "state", "ready");

await button("Start bad").click();
await says(/^bad: does not load: SyntaxError/);
await page.getByRole("button", { name: "Dismiss" }).click();
assert.equal(await message.textContent(), "");

// The keyboard alone.
await page.reload();
await shows(page, "app", "state", "ready");
const press = (key) => page.keyboard.press(key);
const focused = () => page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent);
const isSeen = () => page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle !== "none");
const third = await statusOf("app");
for (let steps = 0; (await focused()) !== "Restart app"; steps++) {
  assert.ok(steps < 40, "Tab leads to the buttons");
  await press("Tab");
}
assert.ok(await isSeen());
await press("Enter");
await says(/^app has been restarted/);
assert.notEqual((await statusOf("app")).pid, third.pid);
assert.equal(await focused(), "Restart app");
await press("Tab");
assert.equal(await focused(), "More for app");
await press("Enter");
assert.match(await focused(), /^Restart/);
await press("ArrowUp");
assert.match(await focused(), /^Open /);
await press("ArrowUp");
assert.match(await focused(), /^Stop/);
await press("Escape");
assert.equal(await focused(), "More for app");
await press("Enter");
await press("End");
await press("ArrowUp");
await press("Enter");
assert.equal(await focused(), "Cancel");
await press("Escape");
await dialog.waitFor({ state: "hidden" });
assert.equal(await focused(), "More for app");
await press("Enter");
await press("End");
await press("ArrowUp");
await press("Enter");
await press("Tab");
assert.equal(await focused(), "Stop app");
assert.ok(await isSeen());
await press("Enter");
await says(/^app has been stopped\.$/);
await shows(page, "app", "state", "stopped");
// Its line has gone below others, and the focus with it.
assert.equal(await focused(), "More for app");
await page.keyboard.press("Shift+Tab");
assert.equal(await focused(), "Start app");
await press("Enter");
await says(/^app has been started/);
await shows(page, "app", "state", "ready");
assert.equal(await focused(), "Restart app");
await end();
