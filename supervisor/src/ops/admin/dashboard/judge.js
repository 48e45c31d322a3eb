// Judges an app: level, state in a word, and reason.

import { about, bytes, clock, decimal, firstLine, moment, percent } from "./format.js";
import { busySince, lastExit, retryAt, uptime } from "./known.js";

/** A crash counts as a problem for this long, in milliseconds. */
const RECENT = 600_000;

/** From this share of 5xx responses on there is a problem. */
const ERRORS = 0.01;

/** An app is near a limit from this share on. */
const NEARLY = 0.9;

/** Levels, the worst first. */
export const LEVELS = ["bad", "warn", "wait", "good", "off"];

/** The level, the state in a word, and why or for how long: in times of the day, since a line that counts seconds is never at rest. */
export function judge(app) {
  const exit = app.last_exit ? firstLine(app.last_exit) : "";
  switch (app.state) {
    case "failed":
    case "crashed":
    case "backing-off":
      return { level: "bad", word: app.state, why: [again(app), exit].filter(Boolean).join(" · ") };
    case "starting":
      // After a crash, or at an operator's request.
      return isRecent(lastExit(app)) ? { level: "bad", word: "starting", why: exit } : { level: "wait", word: "starting", why: "" };
    case "stopped":
      return { level: "off", word: "stopped", why: "" };
    case "ready":
      return ready(app, exit);
    default:
      return { level: "wait", word: app.state, why: "" };
  }
}

const isRecent = (ended) => ended !== null && Date.now() - ended < RECENT;

function again(app) {
  if (app.waits_for_turn) return "waits for its turn to start";
  const at = retryAt(app);
  return at ? `next try ${clock(at)}` : "";
}

function ready(app, exit) {
  const busy = busySince(app);
  if (busy) return { level: "bad", word: "busy", why: `JavaScript has not returned since ${clock(busy)}` };
  const share = app.requests_per_second > 0 ? app.errors_per_second / app.requests_per_second : 0;
  const ended = lastExit(app);
  const reasons = [];
  if (share >= ERRORS) reasons.push(`${percent(100 * share)} of answers are 5xx, ${decimal(app.errors_per_second)} a second`);
  if (app.crashes && isRecent(ended)) reasons.push(`worker ended at ${moment(ended)}: ${exit}`);
  for (const { cron, last } of app.crons ?? []) {
    if (last && last.outcome !== "ok") reasons.push(`scheduled run ${cron} at ${moment(new Date(last.began_at))}: ${last.outcome}`);
  }
  for (const [part, used, limit] of [["memory", app.memory, app.memory_limit], ["heap", app.heap_used, app.heap_limit]]) {
    if (limit && used >= NEARLY * limit) reasons.push(`${part} at ${percent((100 * used) / limit)} of ${bytes(limit)}`);
  }
  if (reasons.length) return { level: "warn", word: "ready", why: reasons.join(" · ") };
  return { level: "good", word: "ready", why: `for ${about(uptime(app) ?? 0)}` };
}

/** Whether it needs attention. */
export const isProblem = ({ level }) => level === "bad" || level === "warn";
