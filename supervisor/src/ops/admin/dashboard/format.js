// Formats numbers for people, with a no-break space before the unit.

/** Placeholder for a missing number. */
export const NONE = "–";
const SPACE = "\u00a0";

/** Bytes, in the units of the command line. */
export function bytes(count) {
  if (!count) return NONE;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; count >= 1024 && unit < units.length - 1; unit++) count /= 1024;
  return `${count.toFixed(unit && count < 100 ? 1 : 0)}${SPACE}${units[unit]}`;
}

/** Seconds: the two largest units; of an hour or more, no seconds. */
export function duration(seconds) {
  const parts = [
    [Math.floor(seconds / 86400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "m"],
    [Math.floor(seconds) % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  const shown = first < 0 ? parts.slice(-1) : parts.slice(first, first + 2);
  return shown.map(([count, unit]) => `${count}${unit}`).join(" ");
}

/** Seconds, in one unit. */
export function about(seconds) {
  return duration(seconds).split(" ")[0];
}

/** A number with one digit after the point while it is small. */
export function decimal(count) {
  const digits = count > 0 && count < 100 ? 1 : 0;
  if (count > 0 && count < 0.05) return "<0.1";
  return count.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A rate per second. */
export const rate = (count) => `${decimal(count)}/s`;

/** Milliseconds; none if there was no request. */
export function latency(ms) {
  if (ms === null || ms === undefined) return NONE;
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)}${SPACE}s`;
  return `${ms.toFixed(ms < 1 ? 2 : ms < 100 ? 1 : 0)}${SPACE}ms`;
}

/** Percent. */
export const percent = (value) => (value > 0 && value < 0.5 ? `<1${SPACE}%` : `${Math.round(value)}${SPACE}%`);

/** A whole number. */
export const whole = (count) => count.toLocaleString("en");

/** A number of things. */
export const many = (count, one, more = `${one}s`) => `${whole(count)} ${count === 1 ? one : more}`;

/** The first line of a text. */
export const firstLine = (text) => text.split("\n", 1)[0];

const two = (number) => String(number).padStart(2, "0");

/** A point in time in the viewer's time zone; without the date if that is today. */
export function moment(date) {
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return date.toDateString() === new Date().toDateString() ? clock(date) : `${day} ${clock(date)}`;
}

/** The time of day. */
export const clock = (date) => [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
