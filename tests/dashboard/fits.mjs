// Widths, schemes, contrasts, motion.

import assert from "node:assert/strict";
import { end, open, row } from "./browser.mjs";

const LONG = "a-rather-long-name-of-an-app-that-does-not-fit-anywhere";

/** Opens it with a crash unfolded, and says that something has failed. */
async function unfolded(options) {
  // Chromium itself logs every answer of class 4xx.
  const page = await open({ allowed: /status of 409/, ...options });
  await row(page, LONG).waitFor();
  await page.locator("#crashes-of-wordy summary").first().click();
  await row(page, "wordy").locator("[data-verb=start]").click();
  await page.locator("#message[data-kind=failed]").waitFor();
  return page;
}

const resized = await unfolded();
for (const [width, display] of [[320, "grid"], [390, "grid"], [700, "grid"], [1000, "table-row"], [1440, "table-row"]]) {
  await resized.setViewportSize({ width, height: 800 });
  const scroll = await resized.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(scroll <= width, `${scroll} of ${width} pixels`);
  assert.equal(await row(resized, LONG).evaluate((element) => getComputedStyle(element).display), display);
  // Cards are rows for those who do not see them.
  assert.equal(await resized.getByRole("table", { name: "Apps" }).getByRole("row").count(), 3);
  assert.equal(await resized.getByRole("row").nth(1).getByRole("cell").count(), 7);
  assert.equal(await resized.getByRole("rowheader").count(), 2);
}

const colours = [];
for (const colorScheme of ["light", "dark"]) {
  const page = await unfolded({ colorScheme, reducedMotion: "reduce" });
  colours.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
  const poor = await page.evaluate(poorContrasts);
  assert.deepEqual(poor, [], colorScheme);
  const motion = await page.locator("button:visible").first().evaluate((element) => getComputedStyle(element).transitionProperty);
  assert.equal(motion, "none");
}
const brightness = colours.map((colour) => colour.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + +part, 0));
assert.ok(brightness[0] > 600 && brightness[1] < 150, `${colours}`);
await end();

/** Texts whose contrast with what is behind them is below WCAG's AA, in the page. */
function poorContrasts() {
  const parts = (colour) => colour.match(/[\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = parts(colour).map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if (parts(colour).length === 3) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const poor = [];
  let seen = 0;
  for (const element of document.querySelectorAll("body *")) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!hasText || !element.checkVisibility()) continue;
    seen++;
    const [one, other] = [luminance(getComputedStyle(element).color), luminance(ground(element))].sort((a, b) => b - a);
    const contrast = (one + 0.05) / (other + 0.05);
    if (contrast < 4.5) poor.push(`${element.textContent.slice(0, 30)}: ${contrast.toFixed(2)}`);
  }
  return seen > 40 ? poor : [`only ${seen} texts`];
}
