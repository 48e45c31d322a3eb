// The table follows what happens, and nothing that apps print is anything but text.

import assert from "node:assert/strict";
import { end, field, open, row, shows, status, statusOf, until } from "./browser.mjs";

const HOSTILE = '<img src=x onerror="window.isOwned = true"><script>window.isOwned = true</script>';

const page = await open();
await row(page, "evil").waitFor();
assert.deepEqual(await page.locator("#apps .name").allTextContents(), ["evil", "shop", "bad"]);
assert.equal(await page.locator("table > caption").count(), 1);
assert.equal(await page.locator('thead th[scope="col"]').count(), 8);
const before = await statusOf("evil");
await shows(page, "evil", "state", "ready");
await shows(page, "evil", "pid", `pid ${before.pid}`);
await shows(page, "evil", "listen", before.listen);
await shows(page, "evil", "restarts", "0");
await shows(page, "bad", "state", "failed");
await shows(page, "bad", "last_exit", `last exit: ${(await statusOf("bad")).last_exit.split("\n")[0]}`);
assert.ok((await field(page, "bad", "last_exit").textContent()).includes(HOSTILE));
const { pid, version } = await status();
assert.equal(await page.locator("#identity").textContent(), `version ${version}, pid ${pid}`);
assert.equal(await page.locator("[data-total=ready]").textContent(), "2 of 3");
await until("there is a spare", async () => (await page.locator("[data-total=spares]").textContent()).startsWith("1, "));

// Rates, latencies and curves.
const shop = `http://${(await statusOf("shop")).listen}/`;
await until("requests are shown", async () => {
  await (await fetch(shop)).text();
  return (await field(page, "shop", "requests").textContent()) !== "0/s";
});
await until("latencies are shown", async () => /\d\sms$/.test(await field(page, "shop", "p50").textContent()));
await until("memory is shown", async () => /\d\sMiB$/.test(await field(page, "shop", "memory").textContent()));
for (const [curve, words] of Object.entries({ requests: "Requests", p99_ms: "99th percentile", memory: "Memory" })) {
  const svg = row(page, "shop").locator(`svg[data-curve="${curve}"]`);
  await until(`${curve} has a curve`, async () => /^M\d+ [\d.]+L/.test(await svg.locator(".line").getAttribute("d")));
  const text = await svg.locator("title").textContent();
  assert.match(text, new RegExp(`^${words}.*, last two minutes: at most \\d`));
}

// A worker is killed with a request in flight.
const hanging = fetch(`http://${before.listen}/hang?a=1`).then((response) => response.status);
await shows(page, "evil", "in_flight", "1 in flight");
const button = row(page, "evil").getByRole("button", { name: "Restart evil" });
await button.focus();
process.kill(before.pid, "SIGKILL");
await hanging;
await shows(page, "evil", "restarts", "1");
await shows(page, "evil", "last_exit", "last exit: killed by SIGKILL");
const after = await until("another worker is ready", async () => {
  const app = await statusOf("evil");
  return app.state === "ready" && app.pid !== before.pid && app;
});
await shows(page, "evil", "pid", `pid ${after.pid}`);
assert.ok(await button.evaluate((element) => element === document.activeElement), "the focus has stayed");

// Its crash.
await shows(page, "evil", "crashes", "1 crash");
const crashes = page.locator("#crashes-of-evil details");
await crashes.locator("summary").click();
assert.equal(await crashes.locator("summary .reason").textContent(), "killed by SIGKILL");
const time = Date.parse(await crashes.locator("time").getAttribute("datetime"));
assert.ok(Math.abs(Date.now() - time) < 300_000, "its time");
assert.equal(await crashes.locator('[data-field="lines"]').innerText(), HOSTILE);
await until("the lost request is named", async () => (await crashes.locator("li code").allTextContents())[0] === "GET /hang?a=1");
const whole = page.locator("#crashes-of-bad details").first();
assert.ok((await whole.locator("summary").textContent()).includes(HOSTILE));

// The next one comes to the top, and the one that is open stays so.
process.kill(after.pid, "SIGKILL");
await shows(page, "evil", "crashes", "2 crashes");
await until("it is shown", async () => (await crashes.count()) === 2);
assert.deepEqual(await crashes.evaluateAll((list) => list.map((details) => details.open)), [false, true]);

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
