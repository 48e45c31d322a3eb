// A supervisor that does not answer, and a tab that nobody looks at.

import assert from "node:assert/strict";
import { end, open, row, shows, status, until } from "./browser.mjs";

const page = await open({ allowed: /ERR_|Failed to fetch/ });
const link = page.locator("#link");
const is = (state) => until(`it is ${state}`, async () => (await link.getAttribute("data-link")) === state);
await row(page, "app").waitFor();
await is("live");
const { pid } = await status();
process.kill(pid, "SIGSTOP");
try {
  await is("lost");
  const text = await page.getByRole("alert").filter({ visible: true }).textContent();
  assert.match(text, /^The supervisor does not answer\. What you see is from \d\d:\d\d:\d\d\. Trying again/);
  assert.match(await page.title(), /^Not connected/);
  await row(page, "app").waitFor();
} finally {
  process.kill(pid, "SIGCONT");
}
await is("live");
assert.equal(await page.locator("#lost").textContent(), "");
assert.match(await page.title(), /^1\/1 ready/);

// The clock of this one goes as fast as we like.
let asked = 0;
let pending = 0;
const hidden = await open({
  prepare: async (page) => {
    page.on("request", () => (asked++, pending++));
    for (const event of ["requestfinished", "requestfailed"]) page.on(event, () => pending--);
    await page.clock.install();
  },
});
await shows(hidden, "app", "state", "ready");
const pass = async (seconds) => {
  for (let second = 0; second < seconds; second++) await hidden.clock.runFor(1000);
};
const look = (isHidden) =>
  hidden.evaluate((isHidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => isHidden });
    document.dispatchEvent(new Event("visibilitychange"));
  }, isHidden);
const before = asked;
await until("it asks again and again", async () => {
  await pass(2);
  return asked >= before + 8;
});
await look(true);
await until("all is answered", () => pending === 0);
const quiet = asked;
await pass(60);
assert.equal(asked, quiet);
await look(false);
await until("it asks again", () => asked > quiet);
await end();
