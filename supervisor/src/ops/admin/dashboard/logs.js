// The log of the open app: its latest lines, and new ones.

import { Refused, TokenNeeded, lines, token } from "./api.js";
import { make, setAttribute, setText, visible } from "./dom.js";
import { clock } from "./format.js";
import { askForToken } from "./token.js";

/** Lines asked for at first, and lines kept on the page. */
const LATEST = 200;
const KEPT = 1000;

/** Fields that every line has, or that are of no interest here. */
const USUAL = new Set(["timestamp", "level", "message", "app", "target"]);

/** Creates the log of an app. */
export function makeLog(name, { lines: list, level, follow, "log-note": note, "level-label": label }) {
  let reading = null;
  level.id = `level-of-${name}`;
  setAttribute(label, "for", level.id);
  setAttribute(list, "aria-label", `Log of ${name}`);

  async function read() {
    reading?.abort();
    const mine = (reading = new AbortController());
    const isFollowing = follow.getAttribute("aria-pressed") === "true";
    const query = new URLSearchParams({ app: name, lines: LATEST });
    if (isFollowing) query.set("follow", "true");
    if (level.value) query.set("level", level.value);
    setText(note, "Reading…");
    try {
      let isFirst = true;
      // A streamed response does not start before its first line.
      const quiet = setTimeout(() => mine === reading && begin(), 1000);
      const begin = () => {
        clearTimeout(quiet);
        if (isFirst) list.replaceChildren();
        isFirst = false;
        setText(note, "");
      };
      for await (const some of lines(`/v1/logs?${query}`, mine.signal)) {
        if (mine !== reading) return;
        begin();
        show(list, some, isFollowing);
      }
      if (mine !== reading) return;
      begin();
      if (isFollowing) setText(note, "The log has ended.");
      else if (!list.childElementCount) setText(note, "No lines.");
      reading = null;
    } catch (error) {
      if (mine !== reading) return;
      reading = null;
      if (error instanceof TokenNeeded) return offerToken();
      setText(note, error instanceof Refused ? error.message : "Not connected.");
    }
  }

  function offerToken() {
    const button = make("button", "small", "Enter the token");
    button.type = "button";
    button.addEventListener("click", async () => askForToken());
    note.replaceChildren("Logs need the token. ", button);
    refused = token();
  }

  /** The token that was rejected. There is no point in sending it again. */
  let refused;
  let isNew = true;
  follow.addEventListener("click", () => {
    setAttribute(follow, "aria-pressed", String(follow.getAttribute("aria-pressed") !== "true"));
    read();
  });
  level.addEventListener("change", read);
  const look = () => (document.hidden ? (reading?.abort(), (reading = null)) : refresh());
  document.addEventListener("visibilitychange", look);

  function refresh() {
    const isWanted = isNew || (follow.getAttribute("aria-pressed") === "true" && reading === null && token() !== refused);
    if (!isWanted || document.hidden) return;
    isNew = false;
    read();
  }

  return {
    refresh,
    end() {
      reading?.abort();
      reading = null;
      document.removeEventListener("visibilitychange", look);
    },
  };
}

function show(list, some, isFollowing) {
  const isAtEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 24;
  list.append(...some.slice(-KEPT).map(lineOf));
  while (list.childElementCount > KEPT) list.firstElementChild.remove();
  if (isAtEnd || !isFollowing) list.scrollTop = list.scrollHeight;
}

function lineOf(json) {
  const line = JSON.parse(json);
  const element = make("div", "entry");
  element.dataset.level = line.level;
  const time = make("time", "", clock(new Date(line.timestamp)));
  time.dateTime = line.timestamp;
  const fields = Object.entries(line).filter(([name, value]) => !USUAL.has(name) && value !== null);
  const text = make("span", "text");
  text.append(visible(line.message));
  if (fields.length) text.append(" ", make("span", "quiet", fields.map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`).join(" ")));
  element.append(time, make("span", "severity", line.level), text);
  return element;
}
