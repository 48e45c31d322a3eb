// The deploys of an app, and the way back to any of them, after a question.

import assert from "node:assert/strict";
import { ADMIN, BEARER, end, open, row, statusOf, toggle, until } from "./browser.mjs";

const page = await open();
const deploys = async () => (await (await fetch(`${ADMIN}/v1/apps/app/deploys`, { headers: BEARER })).json()).deploys;
const answers = async () => (await fetch(`http://${(await statusOf("app")).listen}/`)).text();
assert.equal(await answers(), "three");
const before = await deploys();
assert.equal(before.length, 3);
await toggle(page, "app").click();
const listed = row(page, "app").locator(".deploys li");
await until("they are listed", async () => (await listed.count()) === 3);
assert.equal(await listed.nth(0).locator("button:visible").count(), 0);
assert.equal(await listed.nth(0).locator(".current").isVisible(), true);

const oldest = before.at(-1).digest;
const back = page.locator(".deploys").getByRole("button", { name: `Roll app back to ${oldest.slice(0, 12)}` });
await back.click();
await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
assert.equal(await answers(), "three");
await back.click();
await page.getByRole("dialog").getByRole("button", { name: `Roll app back to ${oldest.slice(0, 12)}` }).click();
await until("it says so", async () => (await page.locator("#message p").textContent()) === `app has been rolled back to ${oldest.slice(0, 12)}.`);
assert.equal(await answers(), "one");
await until("it is the current one", async () => (await listed.filter({ has: page.locator(".current:visible") }).locator("code").textContent()) === oldest.slice(0, 12));

await end();
