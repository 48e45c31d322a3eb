// When to ask: every two seconds while somebody looks, less often while nobody does, and ever less often while nobody answers.

/** Between an answer and the next question, in milliseconds. */
const PAUSE = 2000;
const HIDDEN = 30_000;
const LONGEST = 30_000;

let failures = 0;
let isDue = true;
let resume = () => {};

/** Asks at once. */
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
