// Widths, schemes, contrasts, motion.

import assert from "node:assert/strict";
import { end, open, row, toggle } from "./browser.mjs";

const LONG = "a-rather-long-name-of-an-app-that-does-not-fit-anywhere";

/** Opens it with a line and a crash unfolded, and says that something has failed. */
async function unfolded(options) {
  // Chromium itself logs every answer of class 4xx.
  const page = await open({ allowed: /status of 409/, ...options });
  await row(page, LONG).waitFor();
  await toggle(page, "wordy").click();
  await row(page, "wordy").locator(".crashes summary").first().click();
  await page.getByRole("button", { name: "Start wordy" }).click();
  await page.locator("#message[data-kind=failed]").waitFor();
  return page;
}

const resized = await unfolded();
for (const width of [320, 390, 700, 800, 1000, 1440]) {
  await resized.setViewportSize({ width, height: 800 });
  const scroll = await resized.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(scroll <= width, `${scroll} of ${width} pixels`);
  // Nothing sticks out of what it is in, but for what is to be scrolled.
  const outside = await resized.evaluate(() => {
    const isOut = (element) => {
      const { left, right, width } = element.getBoundingClientRect();
      return width > 0 && (left < 0 || right > innerWidth + 0.5) && !element.closest("svg, .unseen, .columns, [popover]");
    };
    return [...document.querySelectorAll("body *")].filter((element) => element.checkVisibility() && isOut(element)).map((element) => element.className);
  });
  assert.deepEqual(outside, [], `${width}`);
  // Lines are rows of a table for those who do not see them, at any width.
  assert.equal(await resized.getByRole("table", { name: "Apps" }).getByRole("row").count(), 4);
  assert.equal(await resized.getByRole("rowheader").count(), 2);
  const sizes = await resized.locator(".acts button:visible").evaluateAll((buttons) => buttons.map((button) => button.getBoundingClientRect().height));
  assert.ok(sizes.length >= 2 && sizes.every((height) => height >= (width < 704 ? 44 : 28)), `${width}: ${sizes}`);
}
// A name has its room before its address has any.
for (const width of [390, 800, 1440]) {
  await resized.setViewportSize({ width, height: 800 });
  const isCut = (selector) => row(resized, "wordy").locator(selector).evaluate(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth);
  assert.equal(await isCut(".name"), false, `${width}`);
  // When it is tried next comes before a reason that may be longer than the line.
  assert.match(await row(resized, "wordy").locator('[data-field="why"]').textContent(), /^next try \d\d:\d\d:\d\d · does not load/);
}
const phone = await unfolded({ viewport: { width: 390, height: 844 } });
await phone.getByRole("button", { name: "Dismiss" }).click();
await phone.getByRole("button", { name: `More for ${LONG}` }).click();
const menu = await phone.getByRole("menu").boundingBox();
assert.ok(menu.x >= 0 && menu.x + menu.width <= 390 && menu.y >= 0 && menu.y + menu.height <= 844, JSON.stringify(menu));

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
