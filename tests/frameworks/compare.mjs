// Compares what was seen of an app here with what was seen of it under workerd, but for what is in differences.mjs.

import { expected, withoutWhatIsRandom } from "./differences.mjs";

/** What only one of the two names is compared as this. */
const ABSENT = "(nothing)";

/** Headers of one server of HTTP/1.1, not of an app: how it frames and compresses a body, and what it calls a request. */
const OF_THE_SERVER = ["connection", "content-length", "date", "keep-alive", "transfer-encoding", "x-request-id"];

/**
 * Returns what a page shows, without how that came about: which of its parts were ready when it was sent, and which came later with a
 * script that puts them into their place, depends on timing, and so does what is in the head for files that are loaded in advance, and
 * what is said to people who do not see that another page is shown.
 */
const shown = (content) =>
  content.slice(content.indexOf("<body"))
    .replace(/<!--.*?-->|<(script|template|next-route-announcer)\b.*?<\/\1>/gs, "")
    .replace(/<div hidden="" id="S:\d+"><\/div>|<div[^>]* aria-live="assertive"[^>]*>[^<]*<\/div>/g, "");

/** Returns everything that was seen, each with a name of its own, as it is without what is random. */
function flat(seen, base) {
  const all = new Map();
  const add = (name, value) => all.set(name, withoutWhatIsRandom(value.replaceAll(base, "http://app")));
  for (const [what, { status, headers = {}, text = "", content = "", responses = [] }] of seen) {
    if (status) add(`${what}: status`, String(status));
    if (text) add(`${what}: text`, text);
    if (content) add(`${what}: content`, shown(content));
    for (const [request, response] of responses) add(`${what}: asks ${request.replace(base, "http://app")}`, response);
    for (const [name, value] of Object.entries(headers)) {
      if (OF_THE_SERVER.includes(name)) continue;
      // Who compresses what is up to the server, and not to the app, which says `identity` if it does not want that.
      if (name === "content-encoding" && /^(br|gzip|zstd)$/.test(value)) continue;
      if (name === "vary" && value.toLowerCase() === "accept-encoding") continue;
      // Each server has its own way to make one of the same file.
      add(`${what}: ${name}`, name === "etag" ? "an ETag" : value);
    }
  }
  return all;
}

/** Returns what surrounds the first character that differs. */
function around(text, other) {
  let at = 0;
  while (at < text.length && text[at] === other[at]) at++;
  const from = Math.max(0, at - 60);
  return `${from ? "…" : ""}${text.slice(from, at + 140)}${at + 140 < text.length ? "…" : ""}`;
}

/** Fails if anything differs that is not known to, or does not differ that is known to. */
export function compare(framework, ours, theirs) {
  const [here, there] = [flat(ours.seen, ours.base), flat(theirs.seen, theirs.base)];
  const known = expected.filter(({ of }) => !of || of.includes(framework)).map((difference) => ({ ...difference, met: 0 }));
  const wrong = [];
  for (const name of new Set([...here.keys(), ...there.keys()])) {
    const [one, other] = [here, there].map((seen) => seen.get(name) ?? ABSENT);
    if (one === other) continue;
    // What a page loads in advance, and whether it has come to that when it is closed, depends on timing.
    if (name.includes(": asks ") && [one, other].includes(ABSENT)) continue;
    const difference = known.find(({ what, ours, theirs }) => what.test(name) && ours.test(one) && theirs.test(other));
    if (difference) difference.met++;
    else wrong.push(`${name}\n  here:  ${around(one, other)}\n  there: ${around(other, one)}`);
  }
  for (const { what, met } of known) if (!met) wrong.push(`${what} is the same in both; fix: take it from differences.mjs`);
  if (wrong.length) throw new Error(`${framework} differs from what it does under workerd:\n${wrong.join("\n")}`);
}
