// When to poll: every two seconds while the page is visible, less often while it is hidden, and with exponential backoff after failures.

/** Between a response and the next request, in milliseconds. */
const PAUSE = 2000;
const HIDDEN = 30_000;
const LONGEST = 30_000;

let failures = 0;
let isDue = true;
let resume = () => {};

/** Polls at once. */
export function wake() {
  isDue = true;
  resume();
}

/** How long the pause will be after so many `further` failures, in milliseconds. */
export const pause = (further = 0) => Math.max(document.hidden ? HIDDEN : 0, Math.min(PAUSE * 2 ** (failures + further), LONGEST));

/** Calls `ask` again and again; it tells whether it was answered. */
export async function poll(ask) {
  for (;;) {
    if (!isDue) await rest();
    isDue = false;
    failures = (await ask()) ? 0 : failures + 1;
  }
}

async function rest() {
  let timer;
  await new Promise((resolve) => {
    resume = resolve;
    timer = setTimeout(resolve, pause());
  });
  clearTimeout(timer);
  resume = () => {};
}

document.addEventListener("visibilitychange", () => document.hidden || wake());
