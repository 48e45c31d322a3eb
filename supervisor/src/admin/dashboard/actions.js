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

/** Asks with a dialog; Escape is no. */
function isWanted(title, yes) {
  const dialog = find("#confirm");
  setText(find("h2", dialog), title);
  setText(find("[value=yes]", dialog), yes);
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

for (const button of find("#confirm").querySelectorAll("button")) {
  button.addEventListener("click", () => find("#confirm").close(button.value));
}
