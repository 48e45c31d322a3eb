// What the scripts of this folder are written with: a Chromium, and what a page of the dashboard must never do.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";

const { chromium } = createRequire(`${process.env.PACKAGES}/`)("playwright-core");

/** Where the dashboard is. */
export const ADMIN = process.env.ADMIN;

/** What opens what is not open to everybody. */
export const BEARER = { authorization: `Bearer ${process.env.TOKEN ?? ""}` };

/** Far beyond what anything takes. */
const DEADLINE = 60_000;

const executablePath = process.env.PATH.split(":").map((folder) => `${folder}/chromium`).find(existsSync);

const windows = [];
let browser;

/** Opens the dashboard in a new window. `allowed` are the errors that the page may log. */
export async function open({ allowed = /^$/, prepare = () => {}, ...options } = {}) {
  // Root cannot use Chromium's sandbox; all it shows here is our page.
  browser ??= await chromium.launch({ executablePath, args: ["--no-sandbox"], timeout: DEADLINE });
  const context = await browser.newContext({ reducedMotion: "no-preference", ...options });
  context.setDefaultTimeout(DEADLINE);
  const page = await context.newPage();
  const problems = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !allowed.test(message.text())) problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== ADMIN && protocol !== "data:") problems.push(`asked for ${request.url()}`);
  });
  windows.push({ context, problems });
  if (process.env.TOKEN) {
    await page.addInitScript((token) => sessionStorage.setItem("nano-admin-token", token), process.env.TOKEN);
  }
  await prepare(page);
  await page.goto(`${ADMIN}/`);
  return page;
}

/** Waits until `find` finds something. */
export async function until(what, find) {
  for (const begun = Date.now(); Date.now() - begun < DEADLINE; ) {
    const found = await find();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`waited in vain until ${what}`);
}

/** What the supervisor says. */
export const status = async () => (await fetch(`${ADMIN}/v1/status`)).json();

/** What it says of one app. */
export const statusOf = async (app) => (await status()).apps.find((found) => found.app === app);

/** An app in the list: its line, and what it opens to. */
export const row = (page, app) => page.locator(`#apps .app[data-app="${app}"]`);

/** A part of an app in the list. */
export const field = (page, app, name) => row(page, app).locator(`[data-field="${name}"]`);

/** Waits until a part of an app in the list says this. */
export const shows = (page, app, name, text) =>
  until(`${app} shows ${name} ${text}`, async () => {
    const found = await field(page, app, name).textContent();
    return text instanceof RegExp ? text.test(found) : found === text;
  });

/** The button that opens the line of an app and closes it. */
export const toggle = (page, app) => row(page, app).locator(".toggle");

/** The names of the apps in the list, in its order. */
export const listed = (page) => page.locator("#apps .name").allTextContents();

/** Waits until these apps are listed, in this order. */
export const lists = (page, names) =>
  until(`${names} are listed`, async () => JSON.stringify(await listed(page)) === JSON.stringify(names));

/** The value of an item of the summary. */
export const tile = (page, name) => page.locator(`[data-tile="${name}"]`);

/** Closes everything. */
export async function end() {
  for (const { context, problems } of windows) {
    await context.close();
    assert.deepEqual(problems, []);
  }
  await browser.close();
  console.log("all is well");
}
