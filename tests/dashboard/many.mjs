// Two hundred apps: what is told of them is what has changed, and what has not changed is not touched.

import assert from "node:assert/strict";
import { ADMIN, end, field, listed, open, row, statusOf, until } from "./browser.mjs";

const sizes = [];
const page = await open({
  prepare: (page) =>
    page.on("response", async (response) => {
      if (!response.url().includes("/v1/news")) return;
      // At the end of the test the browser is closed, whatever is on its way.
      const body = await response.body().catch(() => undefined);
      if (body !== undefined) sizes.push({ url: response.url(), bytes: body.length });
    }),
});
await until("all are listed", async () => (await page.locator("#apps .app").count()) === 200);
assert.equal(await page.locator('[data-tile="apps"] .value').textContent(), "200");
const names = await listed(page);

// Nothing happens: a look costs next to nothing, and touches no line.
await page.evaluate(() => {
  window.touched = new Map();
  const note = (records) => {
    for (const { target } of records) {
      const app = (target.nodeType === Node.TEXT_NODE ? target.parentElement : target)?.closest?.(".app");
      if (app) touched.set(app.dataset.app, (touched.get(app.dataset.app) ?? 0) + 1);
    }
  };
  new MutationObserver(note).observe(document.querySelector("#apps"), { subtree: true, childList: true, characterData: true, attributes: true });
  window.lines = new Map([...document.querySelectorAll("#apps .app")].map((line) => [line.dataset.app, line]));
});
const calm = await until("several looks have found nothing new", () => {
  const latest = sizes.slice(-3);
  return latest.length === 3 && latest.every(({ url, bytes }) => url.includes("since=") && bytes < 1024) && sizes.length;
});

// One app is used: only that is told, and only its line is touched.
await page.evaluate(() => touched.clear());
const busy = `http://${(await statusOf("busy")).listen}/`;
await until("its requests are shown", async () => {
  await (await fetch(busy)).text();
  return Number(await field(page, "busy", "requests").textContent()) > 0;
});
const others = await page.evaluate(() => [...touched].filter(([app]) => app !== "busy"));
assert.ok(others.length < 20, `also touched: ${JSON.stringify(others)}`);
for (const { bytes } of sizes.slice(calm)) assert.ok(bytes < 8192, `${bytes} bytes`);
const all = (await (await fetch(`${ADMIN}/v1/status`)).text()).length;
assert.ok(all > 60_000, `the whole would be ${all} bytes`);

// The lines are those that were there.
assert.ok(await page.evaluate(() => [...lines].every(([app, line]) => document.querySelector(`#apps .app[data-app="${app}"]`) === line)));
await page.getByRole("searchbox").fill("app-17");
await until("they are found", async () => (await listed(page)).every((name) => name.startsWith("app-17")));
await page.getByRole("searchbox").fill("");
await until("all are there again", async () => (await page.locator("#apps .app").count()) === names.length);
assert.ok(await page.evaluate(() => [...lines].every(([app, line]) => document.querySelector(`#apps .app[data-app="${app}"]`) === line)));

// It fits, also like this.
for (const width of [320, 390, 800, 1440]) {
  await page.setViewportSize({ width, height: 800 });
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= width, `${width}`);
}
await row(page, "busy").scrollIntoViewIfNeeded();
await end();
