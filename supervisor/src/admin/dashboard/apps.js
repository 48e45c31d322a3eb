// The table of apps: a row for each, with what it does and the buttons that change it.

import { copyOf, fieldsOf, find, keep, setAttribute, setText } from "./dom.js";
import { bytes, duration, firstLine, latency, many, percent, rate, whole } from "./format.js";
import { draw, prepare } from "./sparkline.js";

/** In which states a button makes sense. */
const SENSIBLE = {
  roll: ["ready"],
  stop: ["ready", "starting", "crashed", "backing-off", "failed"],
  start: ["stopped", "crashed", "backing-off", "failed"],
};

/** What curves show: a name, and one value as text. */
const CURVES = {
  requests: ["Requests", (count) => `${whole(count)}/s`],
  p99_ms: ["99th percentile of latency", latency],
  memory: ["Memory", bytes],
};

const rows = new Map();

/**
 * Shows every app. `history` has the last seconds by name, `crashes` the number of crashes by name, `busy` the names of apps
 * that are being changed, and `act` is told of the buttons: a verb, an app.
 */
export function showApps(apps, { history, crashes, busy, act }) {
  keep(find("#apps"), rows, apps, {
    key: (app) => app.app,
    make: (app) => makeRow(app.app, act),
    update(row, app) {
      showApp(row.fields, app, crashes.get(app.app) ?? 0);
      const seconds = history[app.app] ?? [];
      for (const svg of row.curves) {
        const curve = svg.dataset.curve;
        draw(svg, seconds.map((second) => second[curve]), ...CURVES[curve]);
      }
      setAttribute(row.element, "aria-busy", String(busy.has(app.app)));
      for (const button of row.buttons) {
        const { verb } = button.dataset;
        const isSensible = SENSIBLE[verb].includes(app.state) && !busy.has(app.app);
        // Not `disabled`: a button that has the focus would lose it.
        setAttribute(button, "aria-disabled", String(!isSensible));
      }
    },
  });
  find("#no-apps").hidden = apps.length > 0;
}

function makeRow(app, act) {
  const element = copyOf("app-row");
  element.dataset.app = app;
  const buttons = [...element.querySelectorAll("button")];
  for (const button of buttons) {
    button.setAttribute("aria-label", `${button.textContent} ${app}`);
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-disabled") !== "true") act(button.dataset.verb, app);
    });
  }
  const curves = [...element.querySelectorAll("svg")];
  curves.forEach(prepare);
  return { element, buttons, curves, fields: fieldsOf(element) };
}

function showApp(fields, app, crashes) {
  const isRunning = app.pid !== null;
  const texts = {
    app: app.app,
    listen: app.listen,
    hosts: app.hosts.join(" "),
    state: app.state,
    uptime: app.uptime_seconds === null ? "" : `for ${duration(app.uptime_seconds)}`,
    pid: isRunning ? `pid ${app.pid}` : "no process",
    requests: rate(app.requests_per_second),
    errors: `5xx ${rate(app.errors_per_second)}`,
    in_flight: `${whole(app.in_flight)} in flight`,
    p50: `p50 ${latency(app.p50_ms)}`,
    p99: `p99 ${latency(app.p99_ms)}`,
    memory: bytes(app.memory),
    heap: app.heap_limit ? `heap ${bytes(app.heap_used)} of ${bytes(app.heap_limit)}` : "heap –",
    cpu: isRunning ? percent(app.cpu_percent) : "–",
    restarts: whole(app.restarts),
    last_exit: app.last_exit === null ? "" : `last exit: ${firstLine(app.last_exit)}`,
    crashes: many(crashes, "crash", "crashes"),
  };
  for (const [name, text] of Object.entries(texts)) setText(fields[name], text);
  setAttribute(fields.state, "data-state", app.state);
  fields.errors.classList.toggle("is-bad", app.errors_per_second > 0);
  fields.crashes.hidden = crashes === 0;
  setAttribute(fields.crashes, "href", `#crashes-of-${app.app}`);
}
