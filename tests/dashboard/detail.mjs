// What a line opens to: curves whose values can be read by mouse, touch and keyboard, and the log as it comes.

import assert from "node:assert/strict";
import { end, open, row, shows, statusOf, toggle, until } from "./browser.mjs";

const asked = [];
const page = await open({ prepare: (page) => page.on("request", (request) => asked.push(new URL(request.url()))) });
await shows(page, "app", "state", "ready");
assert.ok(asked.every(({ pathname }) => !pathname.startsWith("/v1/") || pathname === "/v1/news"), "nothing is asked of lines that are closed");
const app = `http://${(await statusOf("app")).listen}`;

// The whole line opens, and its button by keyboard.
await row(page, "app").locator(".how").click();
await page.locator(".detail").waitFor();
assert.equal(await toggle(page, "app").getAttribute("aria-expanded"), "true");
await row(page, "app").locator(".how").click();
await page.locator(".detail").waitFor({ state: "detached" });
await toggle(page, "app").focus();
await page.keyboard.press("Enter");
await page.locator(".detail").waitFor();
assert.match(page.url(), /#open=app$/);
await page.reload();
await page.locator(".detail").waitFor();

// Curves.
const curve = (title) => page.locator(".curve").filter({ has: page.locator(".title", { hasText: title }) });
await until("requests have a curve", async () => {
  await (await fetch(`${app}/hello`)).text();
  return /^M[\d.]+ [\d.]+L/.test((await curve("Requests").locator(".line").getAttribute("d")) ?? "");
});
await until("memory is scaled to its limit", async () => (await curve("Memory").locator(".top-label").textContent()) === "256\u00a0MiB, limit");
assert.equal(await curve("CPU").locator(".top-label").textContent(), "100\u00a0%, one core");
const reading = (title) => curve(title).locator(".reading").textContent();
const box = await curve("Requests").locator(".plot").boundingBox();
await page.mouse.move(box.x + box.width * 0.75, box.y + box.height / 2);
// All of them show that second.
assert.match(await reading("Requests"), /^(29|30) s ago: /);
assert.match(await reading("Memory"), /^(29|30) s ago: /);
await page.mouse.move(0, 0);
assert.ok(!(await reading("Requests")).includes("ago"));

const slider = page.getByRole("slider", { name: "Memory, last two minutes" });
await slider.focus();
await page.keyboard.press("ArrowLeft");
await page.keyboard.press("ArrowLeft");
await page.keyboard.press("ArrowRight");
assert.match(await slider.getAttribute("aria-valuetext"), /^1 seconds? ago: [\d.]+\sMiB$/);
assert.equal(await slider.getAttribute("aria-valuenow"), "-1");
await page.keyboard.press("Home");
assert.equal(await slider.getAttribute("aria-valuenow"), "-119");
await page.keyboard.press("Escape");
assert.match(await slider.getAttribute("aria-valuetext"), /^now: /);

// The log, as it comes; only its errors; and not.
const lines = () => page.locator(".detail .entry .text").allTextContents();
const has = (text) => until(`the log has ${text}`, async () => (await lines()).some((line) => line.startsWith(text)));
await (await fetch(`${app}/one`)).text();
await has("said /one");
await (await fetch(`${app}/two`)).text();
await has("said /two");
assert.match((await lines()).find((line) => line.startsWith("said /two")), / request_id=[0-9a-f]{32}/);
await page.getByLabel("Lines shown").selectOption("Errors");
await until("only errors are left", async () => {
  const levels = await page.locator(".detail .entry .severity").allTextContents();
  return levels.length > 0 && levels.every((level) => level === "ERROR");
});
await page.getByLabel("Lines shown").selectOption("All lines");
await has("said /two");
const follow = page.getByRole("button", { name: "Follow" });
const answered = page.waitForResponse((response) => response.url().includes("/v1/logs") && !response.url().includes("follow"));
await follow.click();
assert.equal(await follow.getAttribute("aria-pressed"), "false");
// Chromium does not always say that a streamed response has finished.
await answered;
await until("it is read", async () => (await row(page, "app").locator('[data-field="log-note"]').textContent()) === "");
await (await fetch(`${app}/three`)).text();
await follow.click();
await has("said /three");

// What has been told is not told again.
await until("only new seconds are asked for", () => asked.filter(({ pathname, search }) => pathname.endsWith("/history") && /since=[1-9]/.test(search)).length >= 2);

// By touch.
const phone = await open({ hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } });
await toggle(phone, "app").tap();
const plot = phone.locator(".curve .plot").nth(2);
await plot.scrollIntoViewIfNeeded();
await until("there is a curve", async () => /^M/.test((await plot.locator(".line").getAttribute("d")) ?? ""));
await plot.tap({ position: { x: 100, y: 20 } });
await until("its value is shown", async () => /^\d+ s ago: /.test(await phone.locator(".curve .reading").nth(2).textContent()));

// Without the token there are numbers; log and crashes ask for it.
// What would be refused is not asked for.
const stranger = await open();
await stranger.getByRole("button", { name: "Forget token" }).click();
await toggle(stranger, "app").click();
const note = row(stranger, "app").locator('[data-field="log-note"]');
await until("it says so", async () => (await note.textContent()).startsWith("Logs need the token."));
await shows(stranger, "app", "no-crashes", "Crashes need the token.");
// What there is no line of takes no room.
assert.equal(await row(stranger, "app").locator(".lines").isVisible(), false);
await until("there is a curve", async () => /^M/.test((await row(stranger, "app").locator(".curve .line").first().getAttribute("d")) ?? ""));
await stranger.getByRole("button", { name: "Enter the token" }).click();
await stranger.getByLabel("Token", { exact: true }).fill(process.env.TOKEN);
await stranger.getByRole("button", { name: "Continue" }).click();
await until("lines are shown", async () => (await row(stranger, "app").locator(".entry").count()) > 0);
await shows(stranger, "app", "no-crashes", "No worker has ended unasked.");
await end();
