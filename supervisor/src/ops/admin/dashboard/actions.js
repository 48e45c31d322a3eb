// The actions on an app: asks for confirmation where needed, sends the request, and shows the outcome.

import { Refused, TokenNeeded, pathOf, post, remove } from "./api.js";
import { find, setAttribute, setText } from "./dom.js";
import { askForToken } from "./token.js";

const DOWN = ["crashed", "backing-off", "failed"];

/** A shortened digest. */
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
    // Only offered in the list of deploys, which gives the target.
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

/** The apps with an action in progress. */
const busy = new Set();

/** Whether an action on an app is in progress. */
export const isBusy = (app) => busy.has(app);

let tell = () => {};

/** Calls `changed` with the name of an app whenever an action on it starts or ends. */
export function onAction(changed) {
  tell = changed;
}

/** The main action for an app in its current state. */
export function fitting(app) {
  const verb = VERBS.start.states.includes(app.state) ? "start" : "roll";
  return { verb, word: VERBS[verb].word, name: `${VERBS[verb].word} ${app.app}` };
}

/** The possible actions on an app: verbs with their texts. */
export function possible(app) {
  const verbs = Object.entries(VERBS).filter(([, { states }]) => states.includes(app.state));
  return verbs.map(([verb, { word, means, asks }]) => ({ verb, word, means, isHarmful: Boolean(asks) }));
}

/** Carries out an action on an app; `to` is the deploy to go back to. */
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

/** Releases a kind of request from quarantine. */
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

/** Shows a message, and announces it to screen readers. */
function say(kind, text) {
  const message = find("#message");
  setAttribute(message, "data-kind", kind);
  setText(find("p", message), text);
}

find("#message button").addEventListener("click", () => say("none", ""));

const dialog = find("#confirm");
/** Resolves the open question, if there is one. */
let answer = () => {};

/** Asks for confirmation with a dialog. Escape means no. */
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

// The event is asynchronous: the next question may be open by then.
dialog.addEventListener("close", () => dialog.open || answer(false));
