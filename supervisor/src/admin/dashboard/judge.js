// How an app is, in a word and a reason: what is a problem, and how bad a one.

import { about, bytes, decimal, duration, firstLine, percent } from "./format.js";
import { lastExitAgo, retryIn, uptime } from "./known.js";

/** A crash is a problem for so many seconds after it. */
const RECENT = 600;

/** This share of answers of class 5xx is a problem. */
const ERRORS = 0.01;

/** Beyond this share of a limit there is not much left. */
const NEARLY = 0.9;

/** Levels, the worst first. */
export const LEVELS = ["bad", "warn", "wait", "good", "off"];

/** The level, the state in a word, and why or for how long. */
export function judge(app) {
  const exit = app.last_exit ? firstLine(app.last_exit) : "";
  switch (app.state) {
    case "failed":
    case "crashed":
    case "backing-off":
      return { level: "bad", word: app.state, why: [again(app), exit].filter(Boolean).join(" · ") };
    case "starting":
      // Not for the first time.
      return { level: exit ? "bad" : "wait", word: "starting", why: exit };
    case "stopped":
      return { level: "off", word: "stopped", why: "" };
    case "ready":
      return ready(app, exit);
    default:
      return { level: "wait", word: app.state, why: "" };
  }
}

function again(app) {
  const seconds = retryIn(app);
  return seconds === null ? "" : `next try ${seconds < 1 ? "now" : `in ${about(seconds)}`}`;
}

function ready(app, exit) {
  if (app.busy_ms) return { level: "bad", word: "busy", why: `JavaScript has not returned for ${duration(app.busy_ms / 1000)} or more` };
  const share = app.requests_per_second > 0 ? app.errors_per_second / app.requests_per_second : 0;
  const ago = lastExitAgo(app);
  const reasons = [];
  if (share >= ERRORS) reasons.push(`${percent(100 * share)} of answers are 5xx, ${decimal(app.errors_per_second)} a second`);
  if (ago !== null && ago < RECENT) reasons.push(`worker ended ${about(ago)} ago: ${exit}`);
  for (const [part, used, limit] of [["memory", app.memory, app.memory_limit], ["heap", app.heap_used, app.heap_limit]]) {
    if (limit && used >= NEARLY * limit) reasons.push(`${part} at ${percent((100 * used) / limit)} of ${bytes(limit)}`);
  }
  if (reasons.length) return { level: "warn", word: "ready", why: reasons.join(" · ") };
  return { level: "good", word: "ready", why: `for ${duration(uptime(app) ?? 0)}` };
}

/** Whether somebody should look. */
export const isProblem = ({ level }) => level === "bad" || level === "warn";
