// Problems first; the summary filters, the search finds, columns sort, and the address keeps all of it.

import assert from "node:assert/strict";
import { ADMIN, BEARER, end, field, lists, open, row, shows, statusOf, tile, until } from "./browser.mjs";

// Chromium itself logs every answer of class 5xx that is not the dashboard's.
const page = await open();
const post = (app, verb) => fetch(`${ADMIN}/v1/apps/${app}/${verb}`, { method: "POST", headers: { ...BEARER, "x-nano-admin": "1" } });
await post("docs", "stop");
await shows(page, "docs", "state", "stopped");
await lists(page, ["broken", "api", "shop", "docs"]);
assert.equal(await page.locator("#summary").evaluate((strip) => strip.classList.contains("is-bad")), true);
assert.match(await page.title(), /^\(1\) 1 problem/);

await tile(page, "problems").click();
await lists(page, ["broken"]);
assert.equal(await tile(page, "problems").getAttribute("aria-pressed"), "true");
assert.equal(await page.locator("#shown").textContent(), "1 of 4 apps with problems");
await page.reload();
await lists(page, ["broken"]);
await tile(page, "problems").click();
await lists(page, ["broken", "api", "shop", "docs"]);
await tile(page, "ready").click();
await lists(page, ["api", "shop"]);
await tile(page, "apps").click();

// An app that answers with errors is a problem too.
const api = `http://${(await statusOf("api")).listen}`;
await until("errors are shown", async () => {
  await (await fetch(`${api}/throw`)).text();
  return Number(await field(page, "api", "errors").textContent()) > 0;
});
assert.equal(await row(page, "api").getAttribute("data-level"), "warn");
assert.match(await field(page, "api", "why").textContent(), /^\d+\s% of answers are 5xx/);
await tile(page, "errors").click();
await lists(page, ["api"]);
assert.equal(await tile(page, "errors").evaluate((tile) => tile.classList.contains("is-bad")), true);

// The search, by keyboard.
await page.getByRole("button", { name: "Show all" }).click();
await page.locator("body").press("Escape");
await page.evaluate(() => document.activeElement.blur());
await page.keyboard.press("/");
await page.keyboard.type("SHOP.exam");
await lists(page, ["shop"]);
assert.match(await page.locator("#shown").textContent(), /^1 of 4 apps, found by “SHOP\.exam”$/);
await page.reload();
await lists(page, ["shop"]);
assert.equal(await page.getByRole("searchbox").inputValue(), "SHOP.exam");
await page.getByRole("searchbox").fill("nothing like it");
await lists(page, []);
assert.equal(await page.locator("#nothing").textContent(), "No app is like that.");
await page.getByRole("searchbox").press("Escape");
await until("all are there", async () => (await page.locator("#apps .app").count()) === 4);

// Hosts are links, but for those that stand for many.
const links = await row(page, "shop").locator("a.address").evaluateAll((links) => links.map((link) => link.href));
assert.equal(links.length, 1);
assert.match(links[0], /^http:\/\/shop\.example:\d+\/$/);
assert.equal(await row(page, "shop").locator(".addresses .quiet").textContent(), "+1");

// Columns.
const header = (name) => page.getByRole("columnheader", { name });
await header("App").getByRole("button").click();
await lists(page, ["api", "broken", "docs", "shop"]);
assert.equal(await header("App").getAttribute("aria-sort"), "ascending");
await header("Memory").getByRole("button").click();
await until("the largest is first", async () => {
  const shown = await page.locator("#apps [data-field=memory]").allTextContents();
  return shown.at(-1) === "–" && shown[0] !== "–";
});
assert.equal(await header("Memory").getAttribute("aria-sort"), "descending");
await header("State").getByRole("button").click();
assert.equal(await header("State").getAttribute("aria-sort"), "ascending");
await end();
