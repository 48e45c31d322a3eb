// The list follows what happens, and nothing that apps print is anything but text.

import assert from "node:assert/strict";
import { end, field, lists, open, row, shows, status, statusOf, tile, toggle, until } from "./browser.mjs";

const HOSTILE = '<img src=x onerror="window.isOwned = true"><script>window.isOwned = true</script>';

const page = await open();
await row(page, "evil").waitFor();
// The problem first.
await lists(page, ["bad", "evil", "shop"]);
const table = page.getByRole("table", { name: "Apps" });
assert.equal(await table.getByRole("columnheader").count(), 8);
assert.equal(await table.getByRole("rowheader").count(), 3);
assert.equal(await table.getByRole("row").nth(1).getByRole("cell").count(), 7);
const before = await statusOf("evil");
await shows(page, "evil", "state", "ready");
await shows(page, "bad", "state", "failed");
assert.equal(await row(page, "bad").getAttribute("data-level"), "bad");
assert.ok((await field(page, "bad", "why").textContent()).includes(HOSTILE));
const { pid, version } = await status();
await until("there is a spare", async () => (await page.locator("#identity").textContent()).startsWith(`version ${version}, pid ${pid}, 1 spare (`));
assert.equal(await tile(page, "apps").locator(".value").textContent(), "3");
assert.equal(await tile(page, "ready").locator(".value").textContent(), "2");
await until("memory and CPU of the machine are shown", async () => {
  const texts = await page.locator('[data-tile="memory"], [data-tile="cpu"]').allTextContents();
  return /^\s*Memory\s+[\d.]+\s[GM]iB\s+of [\d.]+\sGiB, apps /.test(texts[0]) && /^\s*CPU\s+<?\d+\s%\s+of \d+ cores?, apps /.test(texts[1]);
});

// Where it can be reached, by the name by which this page is.
const { port } = new URL(`http://${before.listen}/`);
const address = row(page, "evil").locator("a.address");
assert.equal(await address.getAttribute("href"), `http://127.0.0.1:${port}/`);
assert.equal(await address.getAttribute("rel"), "noopener noreferrer");

// Rates and latencies.
const shop = `http://${(await statusOf("shop")).listen}/`;
await until("requests are shown", async () => {
  await (await fetch(shop)).text();
  return Number(await field(page, "shop", "requests").textContent()) > 0;
});
await shows(page, "shop", "p99", /\d\sms$/);
await shows(page, "shop", "memory", /\d\sMiB$/);
assert.match(await tile(page, "requests").locator(".value").textContent(), /^[\d.]+\/s$/);

// A worker is killed with a request in flight.
await toggle(page, "evil").click();
await shows(page, "evil", "no-crashes", "No worker has ended unasked.");
const hanging = fetch(`http://${before.listen}/hang?a=1`).then((response) => response.status);
await until("it is in flight", async () => (await row(page, "evil").locator('[data-fact="In flight"]').textContent()) === "1");
const focus = row(page, "evil").getByRole("button", { name: "More for evil" });
await focus.focus();
process.kill(before.pid, "SIGKILL");
await hanging;
const after = await until("another worker is ready", async () => {
  const app = await statusOf("evil");
  return app.state === "ready" && app.pid !== before.pid && app;
});
const fact = (name) => row(page, "evil").locator(`[data-fact="${name}"]`);
await until("it is shown", async () => (await fact("Process").textContent()).startsWith(`pid ${after.pid}, `));
assert.ok(await focus.evaluate((element) => element === document.activeElement), "the focus has stayed");

// Its crash.
const crashes = row(page, "evil").locator(".crashes details");
await until("it is listed", async () => (await crashes.count()) === 1);
await crashes.locator("summary").click();
assert.equal(await crashes.locator("summary .cause").textContent(), "killed by SIGKILL");
const time = Date.parse(await crashes.locator("time").getAttribute("datetime"));
assert.ok(Math.abs(Date.now() - time) < 300_000, "its time");
assert.equal(await crashes.locator('[data-field="lines"]').textContent(), `${HOSTILE}\\x1b[31m\\u{202e}`);
await until("the lost request is named", async () => (await crashes.locator("li code").allTextContents())[0] === "GET /hang?a=1");

// The log shows what cannot be seen.
await until("the log is shown", async () => (await row(page, "evil").locator('[data-field="lines"] .text').allTextContents()).some((text) => text.startsWith(`${HOSTILE}\\x1b[31m\\u{202e}`)));

// One that ends in the same way is one more of them, and what is open stays so.
process.kill(after.pid, "SIGKILL");
await until("there are two", async () => (await crashes.locator(".times").textContent()) === "2×");
assert.equal(await crashes.count(), 1);
assert.equal(await crashes.evaluate((details) => details.open), true);

// The request that ended a worker is named first.
const third = await until("the next worker is ready", async () => {
  const app = await statusOf("evil");
  return app.state === "ready" && app.pid !== after.pid && app;
});
await (await fetch(`http://${third.listen}/spin?b=2`)).text();
const culprit = row(page, "evil").locator(".culprit:not([hidden]) code");
await until("it is named", async () => (await culprit.allTextContents())[0] === "GET /spin?b=2");
assert.equal(await crashes.count(), 2);

// Only one line is open. What is said over several lines can be read there.
await toggle(page, "bad").click();
assert.equal(await page.locator(".detail").count(), 1);
assert.equal(await toggle(page, "evil").getAttribute("aria-expanded"), "false");
assert.equal(await toggle(page, "bad").getAttribute("aria-controls"), await page.locator(".detail").getAttribute("id"));
await until("the crash is listed", async () => ((await row(page, "bad").locator(".crashes summary").allTextContents())[0] ?? "").includes(HOSTILE));

assert.equal(await page.evaluate(() => window.isOwned), undefined);
assert.equal(await page.locator("main img, main script").count(), 0);

// Even code of our own could not make markup of a text.
const other = await open({ allowed: /TrustedHTML/ });
const markUp = () => {
  try {
    document.body.innerHTML = "<p>";
  } catch (error) {
    return error.name;
  }
};
assert.equal(await other.evaluate(markUp), "TypeError");
await end();
