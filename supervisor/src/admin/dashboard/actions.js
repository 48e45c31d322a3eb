// What the buttons do: asks if need be, has the supervisor do it, says how that went.

import { Refused, TokenNeeded, post } from "./api.js";
import { find, setAttribute, setText } from "./dom.js";

/** For each verb of the API: what is being done, what has been done, and whether to ask first. */
const VERBS = {
  roll: { doing: "Restarting", done: "has been restarted" },
  stop: { doing: "Stopping", done: "has been stopped", isAsked: true },
  start: { doing: "Starting", done: "has been started" },
};

/** The apps that are being changed. */
export const busy = new Set();

/** Has an app do something. `changed` is called whenever the page has something new to show. */
export async function act(verb, app, changed) {
  const { doing, done, isAsked } = VERBS[verb];
  if (isAsked && !(await isWanted(`Stop ${app}?`, `Stop ${app}`))) return;
  busy.add(app);
  say("busy", `${doing} ${app}…`);
  changed();
  try {
    const { pid } = await post(`/v1/apps/${encodeURIComponent(app)}/${verb}`);
    say("done", `${app} ${done}${pid ? `: worker ${pid} is ready` : ""}.`);
  } catch (error) {
    say("failed", `${app}: ${reasonOf(error)}`);
  } finally {
    busy.delete(app);
    changed();
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
function isWanted(title, yes) {
  answer(false);
  setText(find("h2", dialog), title);
  setText(find("[value=yes]", dialog), yes);
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
