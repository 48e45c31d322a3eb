// The details of an app: facts, charts, log, crashes, deploys. Only one app is open at a time, so that only one is polled.

import { makeCrashes } from "./crashes.js";
import { makeCurves } from "./curves.js";
import { makeDeploys } from "./deploys.js";
import { copyOf, fieldsOf, make, setHidden, setText } from "./dom.js";
import { bytes, duration, many, moment, whole } from "./format.js";
import { known, retryAt, uptime } from "./known.js";
import { makeLog } from "./logs.js";
import { addressesOf, linkTo } from "./row.js";
import { makeSuspects } from "./suspects.js";

let open = null;

/** Opens an app below its line. */
export function openDetail(row, name) {
  const element = copyOf("detail");
  const fields = fieldsOf(element);
  element.id = `detail-of-${name}`;
  row.querySelector(".toggle").setAttribute("aria-controls", element.id);
  row.append(element);
  const parts = [makeCurves(name, fields), makeLog(name, fields), makeCrashes(name, fields), makeSuspects(name, fields), makeDeploys(name, fields)];
  open = { name, element, fields, parts };
  refreshDetail();
}

/** Closes what is open. */
export function closeDetail() {
  for (const part of open.parts) part.end?.();
  open.element.remove();
  open = null;
}

/** Updates the open details. */
export function refreshDetail() {
  const app = open && known.apps.get(open.name);
  if (!app) return;
  showReason(open.fields.reason, app);
  showFacts(open.fields.facts, app);
  for (const part of open.parts) part.refresh(app);
}

/** Shows why its last worker ended, if that does not fit into its row. */
function showReason(element, app) {
  const exit = app.last_exit;
  // The row of the app shows a short reason itself.
  const isSaid = app.state !== "ready" && exit && exit.length < 100 && !exit.includes("\n");
  setHidden(element, !exit || isSaid);
  setText(element, exit ? `Last exit: ${exit}` : "");
}

/** When a cron is due next, and how it last ended. */
function cronText({ cron, next_at, running_since, last }) {
  const parts = [
    running_since ? `runs since ${moment(new Date(running_since))}` : "",
    next_at ? `next ${moment(new Date(next_at))}` : "",
    last ? `last ${moment(new Date(last.began_at))}: ${last.outcome} after ${whole(last.ms)} ms` : "has not run yet",
  ];
  return `${cron}: ${parts.filter(Boolean).join(", ")}`;
}

function filesText({ files, memory }) {
  return [many(files, "file"), memory ? `${bytes(memory)} of them in memory` : ""].filter(Boolean).join(", ");
}

function showFacts(list, app) {
  const isRunning = app.pid !== null;
  const addresses = addressesOf(app);
  const facts = {
    Addresses: `${app.listen} ${app.hosts}`,
    Process: isRunning ? `pid ${app.pid}, ready for ${duration(uptime(app) ?? 0)}` : "none",
    "In flight": whole(app.in_flight),
    "WebSockets": whole(app.websockets),
    Heap: app.heap_limit ? `${bytes(app.heap_used)} of ${bytes(app.heap_limit)}` : "–",
    Workers: [
      many(app.crashes, "crash", "crashes"),
      many(app.restarts, "restart"),
      many(app.deploys, "deploy"),
      app.failed_starts ? `${many(app.failed_starts, "failed start")} in a row` : "",
    ].filter(Boolean).join(", "),
    "Last exit": app.last_exit_at ? moment(new Date(app.last_exit_at)) : "",
    "Static files": app.assets ? filesText(app.assets) : "",
    Crons: (app.crons ?? []).map(cronText).join("\n"),
    "Next try": app.retry_in_ms === null ? "" : moment(retryAt(app)),
  };
  for (const [name, text] of Object.entries(facts)) {
    let value = list.querySelector(`[data-fact="${name}"]`);
    if (!value) {
      const pair = make("div");
      value = make("dd");
      value.dataset.fact = name;
      pair.append(make("dt", "", name), value);
      list.append(pair);
    }
    setHidden(value.parentElement, text === "");
    if (value.dataset.text === text) continue;
    value.dataset.text = text;
    if (name === "Addresses") value.replaceChildren(...addresses.flatMap((address) => [linkTo(address), " "]));
    else setText(value, text);
  }
}
