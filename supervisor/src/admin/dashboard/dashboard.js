// The dashboard: asks for the status every two seconds while somebody looks, and shows it.

import { act, busy } from "./actions.js";
import { Refused, TokenNeeded, forget, get, remember, token } from "./api.js";
import { showApps } from "./apps.js";
import { showCrashes } from "./crashes.js";
import { find, setAttribute, setText } from "./dom.js";
import { bytes, clock, percent, rate, whole } from "./format.js";

/** Between an answer and the next question, in milliseconds. */
const PAUSE = 2000;

/** What was heard last; shown again when an app is being changed. */
let known = null;
let heard = null;

async function refresh() {
  try {
    const [status, history] = await Promise.all([get("/v1/status"), get("/v1/history")]);
    const changes = changesOf(status);
    // Lost requests may be reported a little later than the crash: the look after a change sees them.
    const isCalm = known?.changes === changes && known.before === changes;
    const crashes = isCalm ? known.crashes : await get("/v1/crashes");
    known = { status, history, crashes, changes, before: known?.changes };
    heard = new Date();
    show();
    showLink("live", `Live, ${clock(heard)}`);
  } catch (error) {
    if (error instanceof TokenNeeded) return askForToken();
    const why = error instanceof Refused ? `answers: ${error.message}` : "does not answer";
    const since = heard ? ` What you see is from ${clock(heard)}.` : "";
    showLink("lost", "Not connected", `The supervisor ${why}.${since} Trying again every two seconds.`);
  }
}

/** Changes whenever a worker has ended. */
function changesOf({ pid, apps }) {
  return JSON.stringify([pid, apps.map((app) => [app.app, app.state, app.pid, app.restarts, app.last_exit])]);
}

function show() {
  if (!known) return;
  const { status, history, crashes } = known;
  const counts = new Map();
  for (const { app } of crashes) counts.set(app, (counts.get(app) ?? 0) + 1);
  showTotals(status);
  showApps(status.apps, { history, crashes: counts, busy, act: (verb, app) => act(verb, app, changed) });
  showCrashes(crashes);
  find("#content").hidden = false;
  find("#token-form").hidden = true;
  find("#forget").hidden = token() === null;
}

/** Something is done or has been done to an app. */
function changed() {
  show();
  wake();
}

function showTotals({ version, pid, spares, apps }) {
  const sum = (list, field) => list.reduce((total, item) => total + item[field], 0);
  const ready = apps.filter((app) => app.state === "ready").length;
  const totals = {
    ready: `${ready} of ${apps.length}`,
    requests: rate(sum(apps, "requests_per_second")),
    errors: rate(sum(apps, "errors_per_second")),
    in_flight: whole(sum(apps, "in_flight")),
    memory: bytes(sum(apps, "memory")),
    cpu: percent(sum(apps, "cpu_percent")),
    spares: spares.length ? `${spares.length}, ${bytes(sum(spares, "memory"))}` : "0",
  };
  for (const [name, text] of Object.entries(totals)) setText(find(`[data-total=${name}]`), text);
  setText(find("#identity"), `version ${version}, pid ${pid}`);
  document.title = `${ready}/${apps.length} ready – nano-supervisor`;
}

/** Says whether what is shown is true. */
function showLink(link, text, lost = "") {
  setAttribute(find("#link"), "data-link", link);
  setText(find("#link"), text);
  setText(find("#lost"), lost);
  document.body.classList.toggle("is-stale", link === "lost");
  if (link === "lost") document.title = "Not connected – nano-supervisor";
}

const form = find("#token-form");

function askForToken() {
  const isWrong = token() !== null;
  forget();
  known = null;
  showLink("waiting", "Waiting for a token");
  find("#content").hidden = true;
  find("#forget").hidden = true;
  setText(find("#token-error"), isWrong ? "That is not the token." : "");
  form.hidden = false;
  find("#token").focus();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const value = find("#token").value.trim();
  // Nothing else can be sent in a header.
  if (!/^[\x21-\x7e]+$/.test(value)) return setText(find("#token-error"), "That is not a token.");
  find("#token").value = "";
  remember(value);
  wake();
});

find("#forget").addEventListener("click", () => {
  forget();
  askForToken();
});

/** Whether to ask again at once, and who waits for that. */
let isDue = true;
let resume = () => {};

function wake() {
  isDue = true;
  resume();
}

document.addEventListener("visibilitychange", wake);

/** Until the time has come, or something has happened, and somebody looks. */
async function pause() {
  const wait = (limit) => new Promise((resolve) => {
    resume = resolve;
    if (limit) setTimeout(resolve, limit);
  });
  if (!isDue) await wait(PAUSE);
  // Without a token there is nothing to ask.
  while (document.hidden || (!form.hidden && token() === null)) await wait();
  isDue = false;
}

for (;;) {
  await pause();
  await refresh();
}
