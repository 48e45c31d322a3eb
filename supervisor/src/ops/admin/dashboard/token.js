// The dialog that asks for the token.

import { forget, remember, token } from "./api.js";
import { find, setHidden, setText } from "./dom.js";

const dialog = find("#token-dialog");
const input = find("#token");
const error = find("#token-error");

/** The callers that wait for a token. */
const waiting = [];

let tell = () => {};

/** Calls `given` whenever a token was given. */
export function onToken(given) {
  tell = given;
}

/** Asks for a token. Returns whether one was given. With `isNeeded`, the dialog cannot be cancelled. */
export function askForToken({ isNeeded = false } = {}) {
  const isWrong = token() !== null;
  forget();
  setText(error, isWrong ? "That is not the token." : "");
  setHidden(find("#token-cancel"), isNeeded);
  dialog.dataset.needed = String(isNeeded);
  if (!dialog.open) dialog.showModal();
  input.focus();
  return new Promise((resolve) => waiting.push(resolve));
}

function end(isGiven) {
  if (dialog.open) dialog.close();
  for (const resolve of waiting.splice(0)) resolve(isGiven);
}

find("#token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const value = input.value.trim();
  // No other characters can be sent in a header.
  if (!/^[\x21-\x7e]+$/.test(value)) return setText(error, "That is not a token.");
  input.value = "";
  remember(value);
  end(true);
  tell();
});

find("#token-cancel").addEventListener("click", () => end(false));
dialog.addEventListener("cancel", (event) => dialog.dataset.needed === "true" && event.preventDefault());
dialog.addEventListener("close", () => dialog.open || end(false));
