// When a cron is due and how it last ended; a run that went wrong is a problem until the next one. How many static files there are.

import assert from "node:assert/strict";
import { ADMIN, BEARER, end, open, row, shows, toggle, until } from "./browser.mjs";

const page = await open();
await shows(page, "app", "state", "ready");
await toggle(page, "app").click();
const fact = row(page, "app").locator('[data-fact="Crons"]');
await until("it is due", async () => /^0 0 1 1 \*: next .+, has not run yet$/.test(await fact.textContent()));
const trigger = async () => {
  const answer = await fetch(`${ADMIN}/v1/apps/app/trigger`, { method: "POST", headers: { ...BEARER, "x-nano-admin": "1" } });
  assert.equal(answer.status, 200, await answer.text());
};
await trigger();
await shows(page, "app", "why", /scheduled run 0 0 1 1 \* at .+: exception/);
await trigger();
await until("it ended well", async () => /, last .+: ok after \d+ ms$/.test(await fact.textContent()));
await shows(page, "app", "why", /^for /);
const files = row(page, "app").locator('[data-fact="Static files"]');
assert.equal(await files.textContent(), "1 file");
await end();
