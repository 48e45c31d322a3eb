// The dashboard: polls for changes while the page is visible, and shows them.

import { onAction } from "./actions.js";
import { Refused, TokenNeeded, forget, get, lookOn, token } from "./api.js";
import { refreshDetail } from "./detail.js";
import { find, setAttribute, setHidden, setText } from "./dom.js";
import { about, bytes, clock, many } from "./format.js";
import { forgetAll, known, takeIn } from "./known.js";
import { showList } from "./list.js";
import { pause, poll, wake } from "./poll.js";
import { showSummary } from "./summary.js";
import { askForToken, onToken } from "./token.js";
import { onChange, view, want } from "./view.js";

const search = find("#search");

/** Since when the supervisor has not answered. */
let lostSince = null;

async function ask() {
  try {
    const news = await get(known.mark === undefined ? "/v1/news" : `/v1/news?since=${known.mark}`);
    lookOn(news.is_partial === true);
    show(takeIn(news));
    lostSince = null;
    showLink("live", `Live, ${clock(known.heard)}`);
    refreshDetail();
    return true;
  } catch (error) {
    if (error instanceof TokenNeeded) return needToken();
    lostSince ??= known.heard ?? new Date();
    const why = error instanceof Refused ? `answers: ${error.message}` : "does not answer";
    const shown = known.heard ? " What you see is from then." : "";
    showLink("lost", "Disconnected", `The supervisor ${why}. Disconnected since ${clock(lostSince)}.${shown} Trying again in ${about(pause(1) / 1000)}.`);
    return false;
  }
}

function show(changed) {
  if (!known.supervisor) return;
  const problems = showSummary();
  showList(changed);
  const { supervisor, spares } = known;
  const memory = spares.reduce((total, spare) => total + spare.memory, 0);
  setText(find("#identity"), `version ${supervisor.version}, pid ${supervisor.pid}, ${many(spares.length, "spare")}${spares.length ? ` (${bytes(memory)})` : ""}`);
  setHidden(find("#content"), false);
  setHidden(find("#forget"), token() === null);
  document.title = problems ? `(${problems}) ${many(problems, "problem")} – nano-supervisor` : `${many(known.names.length, "app")}, no problems – nano-supervisor`;
}

/** Shows the state of the connection. */
function showLink(link, text, lost = "") {
  setAttribute(find("#link"), "data-link", link);
  setText(find("#link"), text);
  setText(find("#lost p"), lost);
  setHidden(find("#lost"), lost === "");
  document.body.classList.toggle("is-stale", link === "lost");
  if (link === "lost") document.title = "Disconnected – nano-supervisor";
}

async function needToken() {
  forgetAll();
  want({ open: "" });
  setHidden(find("#content"), true);
  setHidden(find("#forget"), true);
  showLink("waiting", "Waiting for a token");
  await askForToken({ isNeeded: true });
  return true;
}

onToken(wake);

onAction((app) => {
  show(new Set([app]));
  wake();
});

onChange(() => {
  if (search.value !== view.search) search.value = view.search;
  show();
  refreshDetail();
});

search.value = view.search;
search.addEventListener("input", () => want({ search: search.value }));
addEventListener("keydown", (event) => {
  const isTyping = event.target.closest?.("input, select, textarea, dialog");
  if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "Escape" && event.target === search) {
    want({ search: "" });
  }
});

find("#again").addEventListener("click", wake);
find("#forget").addEventListener("click", () => {
  forget();
  wake();
  setHidden(find("#content"), true);
});

poll(ask);
