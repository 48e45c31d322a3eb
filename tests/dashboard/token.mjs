// A supervisor with a token tells its name to nobody who does not have it.

import assert from "node:assert/strict";
import { end, open, row, until } from "./browser.mjs";

const TOKEN = "0123456789abcdef";
const urls = [];
// Chromium itself logs every answer of class 4xx.
const page = await open({ allowed: /status of 401/, prepare: (page) => page.on("request", (request) => urls.push(request.url())) });
const input = page.getByLabel("Token", { exact: true });
const error = page.locator("#token-error");
await input.waitFor();
assert.ok(await input.evaluate((element) => element === document.activeElement));
assert.equal(await page.locator("main").isVisible(), false);

for (const [wrong, why] of [["öffne dich", "That is not a token."], ["0123456789abcdeF", "That is not the token."]]) {
  await input.fill(wrong);
  await input.press("Enter");
  await until(`${wrong} is refused`, async () => (await error.textContent()) === why);
}
await input.fill(TOKEN);
await page.getByRole("button", { name: "Continue" }).click();
await row(page, "app").waitFor();
assert.equal(await input.isVisible(), false);
assert.deepEqual(await page.evaluate(() => [Object.values(sessionStorage), localStorage.length, document.cookie]), [[TOKEN], 0, ""]);

await page.reload();
await row(page, "app").waitFor();
await page.getByRole("button", { name: "Restart app" }).click();
await until("it was restarted", async () => /restarted/.test(await page.locator("#message p").textContent()));

await page.getByRole("button", { name: "Forget token" }).click();
await input.waitFor();
assert.equal(await page.evaluate(() => sessionStorage.length), 0);
assert.equal(await page.locator("main").isVisible(), false);
assert.ok(!urls.some((url) => url.includes(TOKEN)), "the token is in no address");
await end();
