// What can be done with an app: asks if that hurts, has the supervisor do it, says how it went.

import { Refused, TokenNeeded, pathOf, post, remove } from "./api.js";
import { find, setAttribute, setText } from "./dom.js";
import { askForToken } from "./token.js";

const DOWN = ["crashed", "backing-off", "failed"];

/** A digest as people compare it. */
export const short = (digest) => digest.slice(0, 12);

/**
 * For each verb of the API: what the button says, in which states it makes sense, what is being done, what has been done, and, if it
 * hurts, what to ask first.
 */
const VERBS = {
  roll: { word: "Restart", means: "start-before-stop", states: ["ready"], doing: "Restarting", done: "has been restarted" },
  start: { word: "Start", means: "now", states: ["stopped", ...DOWN], doing: "Starting", done: "has been started" },
  restart: {
    word: "Restart now",
    means: "ends its worker first",
    states: ["ready", "starting", "draining"],
    doing: "Restarting",
    done: "has been restarted",
    title: (app) => `Restart ${app} now`,
    asks: "Its worker ends before the next one is ready: requests wait until then, and what it does not finish is lost. Restart alone loses nothing.",
  },
  rollback: {
    word: "Roll back",
    // From the list of deploys, which says where to.
    states: [],
    doing: "Rolling back",
    done: "has been rolled back",
    title: (app, to) => `Roll ${app} back to ${short(to)}`,
    asks: "It is served from an earlier deploy, if that becomes ready; otherwise all stays as it is.",
  },
  stop: {
    word: "Stop",
    means: "until it is started",
    states: ["ready", "starting", ...DOWN],
    doing: "Stopping",
    done: "has been stopped",
    title: (app) => `Stop ${app}`,
    asks: "Its worker ends after what is in flight. Clients get 503 until the app is started again.",
  },
};

/** The apps that are being changed. */
const busy = new Set();

/** Whether an app is being changed. */
export const isBusy = (app) => busy.has(app);

let tell = () => {};

/** Calls `changed` with the name of an app whenever something is being done or has been done to it. */
export function onAction(changed) {
  tell = changed;
}

/** The one action that fits an app best. */
export function fitting(app) {
  const verb = VERBS.start.states.includes(app.state) ? "start" : "roll";
  return { verb, word: VERBS[verb].word, name: `${VERBS[verb].word} ${app.app}` };
}

/** Everything that can be done with an app: verbs with their words and meanings. */
export function possible(app) {
  const verbs = Object.entries(VERBS).filter(([, { states }]) => states.includes(app.state));
  return verbs.map(([verb, { word, means, asks }]) => ({ verb, word, means, isHarmful: Boolean(asks) }));
}

/** Has an app do something; `to` is the deploy to go back to. */
export async function act(verb, app, to) {
  const { doing, done, title, asks } = VERBS[verb];
  if (busy.has(app)) return;
  if (asks && !(await isSure(title(app, to), asks))) return;
  busy.add(app);
  say("busy", `${doing} ${app}…`);
  tell(app);
  try {
    const told = await withToken(() => post(pathOf(app, verb, { to })));
    const now = told.pid ? `: worker ${told.pid} is ready` : told.digest ? ` to ${short(told.digest)}` : "";
    say("done", `${app} ${done}${now}.`);
  } catch (error) {
    say("failed", `${app}: ${reasonOf(error)}`);
  } finally {
    busy.delete(app);
    tell(app);
  }
}

/** Has requests of a kind be served again. */
export async function release(app, method, path) {
  if (busy.has(app)) return;
  busy.add(app);
  tell(app);
  try {
    await withToken(() => remove(pathOf(app, "quarantine", { method, path })));
    say("done", `${app} is asked ${method} ${path} again.`);
  } catch (error) {
    say("failed", `${app}: ${reasonOf(error)}`);
  } finally {
    busy.delete(app);
    tell(app);
  }
}

async function withToken(change) {
  for (;;) {
    try {
      return await change();
    } catch (error) {
      if (!(error instanceof TokenNeeded) || !(await askForToken())) throw error;
    }
  }
}

function reasonOf(error) {
  if (error instanceof Refused) return error.message;
  if (error instanceof TokenNeeded) return "a token is needed.";
  return "the supervisor did not answer; whether it worked is not known.";
}

/** Shows a message to everyone, those included who do not see it. */
function say(kind, text) {
  const message = find("#message");
  setAttribute(message, "data-kind", kind);
  setText(find("p", message), text);
}

find("#message button").addEventListener("click", () => say("none", ""));

const dialog = find("#confirm");
/** Ends the question that is asked, if one is. */
let answer = () => {};

/** Asks with a dialog; Escape is no. */
function isSure(title, text) {
  answer(false);
  setText(find("h2", dialog), `${title}?`);
  setText(find("#confirm-text"), text);
  setText(find("[value=yes]", dialog), title);
  dialog.showModal();
  return new Promise((resolve) => (answer = resolve));
}

for (const button of dialog.querySelectorAll("button")) {
  button.addEventListener("click", () => {
    answer(button.value === "yes");
    dialog.close();
  });
}

// The event comes late: by then the next question may be asked.
dialog.addEventListener("close", () => dialog.open || answer(false));
