// The view of the list: filter, order, search and the open app. It is kept in the URL, so that a reload and a link
// show the same.

import { isProblem } from "./judge.js";

const NUMBERS = {
  requests: (app) => app.requests_per_second,
  errors: (app) => app.errors_per_second,
  p99: (app) => app.p99_ms ?? 0,
  memory: (app) => app.memory,
  cpu: (app) => app.cpu_percent,
};

/** The apps that each filter selects, and its default order. */
export const FILTERS = {
  ready: { is: (app) => app.state === "ready", says: "ready" },
  problems: { is: (app, judged) => isProblem(judged), says: "with problems" },
  requests: { is: (app) => app.requests_per_second > 0, says: "with requests", sort: "requests" },
  errors: { is: (app) => app.errors_per_second > 0, says: "with 5xx answers", sort: "errors" },
  memory: { is: (app) => app.memory > 0, says: "by memory", sort: "memory" },
  cpu: { is: (app) => app.pid !== null, says: "by CPU", sort: "cpu" },
};

const PARTS = ["filter", "sort", "search", "open"];
const ALLOWED = { filter: (value) => Object.hasOwn(FILTERS, value), sort: (value) => value === "name" || Object.hasOwn(NUMBERS, value) };

/** The current view; empty strings are the defaults. */
export const view = { filter: "", sort: "", search: "", open: "" };

let tell = () => {};

/** Calls `changed` whenever the view changes. */
export function onChange(changed) {
  tell = changed;
}

/** Changes parts of the view. */
export function want(parts) {
  Object.assign(view, parts);
  const kept = new URLSearchParams(PARTS.filter((part) => view[part]).map((part) => [part, view[part]]));
  history.replaceState(null, "", kept.size ? `#${kept}` : location.pathname);
  tell();
}

function read() {
  const kept = new URLSearchParams(location.hash.slice(1));
  for (const part of PARTS) {
    const value = kept.get(part) ?? "";
    view[part] = (ALLOWED[part] ?? (() => true))(value) ? value : "";
  }
}

read();
addEventListener("hashchange", () => {
  read();
  tell();
});

/** The current order. */
export const order = () => view.sort || FILTERS[view.filter]?.sort || "state";

/** Whether the view includes an app. */
export function isWanted(app, judged) {
  const words = view.search.toLowerCase().split(/\s+/).filter(Boolean);
  const text = [app.app, judged.word, judged.why, app.listen, ...app.hosts].join(" ").toLowerCase();
  return words.every((word) => text.includes(word)) && (FILTERS[view.filter]?.is(app, judged) ?? true);
}

/** Compares two apps with their ranks. */
export function compare(one, other) {
  const number = NUMBERS[order()];
  const first = number ? number(other.app) - number(one.app) : order() === "state" ? one.rank - other.rank : 0;
  return first || one.app.app.localeCompare(other.app.app, "en", { numeric: true });
}
