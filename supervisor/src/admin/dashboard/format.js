// Numbers for people; a no-break space before a unit.

const NONE = "–";
const SPACE = "\u00a0";

/** Bytes, in the units of the command line. */
export function bytes(count) {
  if (!count) return NONE;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; count >= 1024 && unit < units.length - 1; unit++) count /= 1024;
  return `${count.toFixed(unit ? 1 : 0)}${SPACE}${units[unit]}`;
}

/** Seconds: the two largest units. */
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

/** So many a second. */
export function rate(count) {
  const digits = count > 0 && count < 100 ? 1 : 0;
  return `${count.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })}/s`;
}

/** Milliseconds; none if there was no request. */
export function latency(ms) {
  if (ms === null || ms === undefined) return NONE;
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)}${SPACE}s`;
  return `${ms.toFixed(ms < 1 ? 2 : ms < 100 ? 1 : 0)}${SPACE}ms`;
}

/** Percent of one core. */
export const percent = (value) => `${Math.round(value)}${SPACE}%`;

/** A whole number. */
export const whole = (count) => count.toLocaleString("en");

/** A number of things. */
export const many = (count, one, more = `${one}s`) => `${whole(count)} ${count === 1 ? one : more}`;

/** The first line of a text. */
export const firstLine = (text) => text.split("\n", 1)[0];

/** A moment, in the time zone of whoever looks. */
export function moment(date) {
  const two = (number) => String(number).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${clock(date)}`;
}

/** The time of day. */
export function clock(date) {
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}
