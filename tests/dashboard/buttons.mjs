// Restart, stop and start, first with a mouse, then with nothing but a keyboard.

import assert from "node:assert/strict";
import { end, open, row, shows, statusOf, until } from "./browser.mjs";

// Chromium itself logs every answer of class 4xx.
const page = await open({ allowed: /status of 409/ });
const button = (verb, app = "app") => row(page, app).getByRole("button", { name: `${verb} ${app}`, exact: true });
const isOff = async (verb, app) => (await button(verb, app).getAttribute("aria-disabled")) === "true";
const message = page.getByRole("status");
const says = (pattern) => until(`it says ${pattern}`, async () => pattern.test(await message.textContent()));
const dialog = page.getByRole("dialog");
const areOff = async (app, restart, stop, start) =>
  until(`the buttons of ${app} are so`, async () => {
    const found = [await isOff("Restart", app), await isOff("Stop", app), await isOff("Start", app)];
    return JSON.stringify(found) === JSON.stringify([restart, stop, start]);
  });

await shows(page, "app", "state", "ready");
await areOff("app", false, false, true);
await areOff("bad", true, false, false);

const first = await statusOf("app");
await button("Restart").click();
await says(/^app has been restarted: worker \d+ is ready\.$/);
const second = await statusOf("app");
assert.notEqual(second.pid, first.pid);
await shows(page, "app", "pid", `pid ${second.pid}`);

await button("Stop").click();
await dialog.getByRole("button", { name: "Cancel" }).click();
await dialog.waitFor({ state: "hidden" });
assert.equal((await statusOf("app")).pid, second.pid);
await button("Stop").click();
assert.match(await dialog.textContent(), /Stop app\?.*503/s);
await dialog.getByRole("button", { name: "Stop app" }).click();
await says(/^app has been stopped\.$/);
assert.equal((await statusOf("app")).state, "stopped");
await shows(page, "app", "state", "stopped");
await areOff("app", true, true, false);
// A button that is off does nothing.
await button("Stop").dispatchEvent("click");
assert.equal(await dialog.isVisible(), false);
await button("Start").click();
await says(/^app has been started: worker \d+ is ready\.$/);
await shows(page, "app", "state", "ready");

await button("Start", "bad").click();
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
  assert.ok(steps < 20, "Tab leads to the buttons");
  await press("Tab");
}
assert.ok(await isSeen());
await press("Enter");
await says(/^app has been restarted/);
assert.notEqual((await statusOf("app")).pid, third.pid);
assert.equal(await focused(), "Restart app");
await areOff("app", false, false, true);
await press("Tab");
assert.equal(await focused(), "Stop app");
await press("Space");
assert.equal(await focused(), "Cancel");
await press("Escape");
await dialog.waitFor({ state: "hidden" });
assert.equal(await focused(), "Stop app");
await press("Enter");
await press("Tab");
assert.equal(await focused(), "Stop app");
assert.ok(await isSeen());
await press("Enter");
await says(/^app has been stopped\.$/);
await areOff("app", true, true, false);
assert.equal(await focused(), "Stop app");
await press("Tab");
assert.equal(await focused(), "Start app");
await press("Enter");
await says(/^app has been started/);
await shows(page, "app", "state", "ready");
assert.equal(await focused(), "Start app");
await end();
