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
  assert.match(text, /^The supervisor does not answer\. Disconnected since \d\d:\d\d:\d\d\. What you see is from then\. Trying again in \d+s\.$/);
  assert.match(await page.title(), /^Disconnected/);
  await row(page, "app").waitFor();
} finally {
  process.kill(pid, "SIGCONT");
}
await is("live");
assert.equal(await page.locator("#lost p").textContent(), "");
assert.match(await page.title(), /^1 app, no problems/);

// The clock of this one goes as fast as we like.
let asked = 0;
let pending = 0;
const hidden = await open({
  allowed: /ERR_FAILED/,
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
const settled = () => until("all is answered", () => pending === 0);
const before = asked;
await until("it asks again and again", async () => {
  await pass(2);
  return asked >= before + 8;
});
// Who does not look is asked for less often.
await look(true);
await settled();
// The pause that had begun is no longer than it was.
await pass(3);
await settled();
const quiet = asked;
await pass(25);
assert.equal(asked, quiet);
await until("it asks once in thirty seconds", async () => {
  await pass(1);
  return asked > quiet;
});
await settled();
assert.equal(asked, quiet + 1);
await look(false);
await until("it asks at once", () => asked > quiet + 1);
await settled();

// While nobody answers, it asks less and less often.
let refused = 0;
await hidden.route("**/v1/news*", (route) => (refused++, route.abort()));
await hidden.evaluate(() => {
  window.times = [];
  const ask = window.fetch;
  window.fetch = (...question) => (times.push(Date.now()), ask(...question));
});
while (refused < 6) {
  const asked = refused;
  for (let seconds = 0; refused === asked; seconds++) {
    assert.ok(seconds < 300, "it goes on asking");
    await pass(1);
  }
  await settled();
  await until("it has heard", async () => (await hidden.locator("#link").getAttribute("data-link")) === "lost");
}
const times = await hidden.evaluate(() => times);
const pauses = times.slice(1).map((time, at) => (time - times[at]) / 1000);
assert.ok([4, 8, 16, 30, 30].every((least, at) => pauses[at] >= least), `${pauses}`);
// Nobody has to wait for that.
await hidden.unroute("**/v1/news*");
await hidden.getByRole("button", { name: "Try now" }).click();
await until("it is live", async () => (await hidden.locator("#link").getAttribute("data-link")) === "live");
await end();
