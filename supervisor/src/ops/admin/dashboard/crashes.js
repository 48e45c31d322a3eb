// How the workers of the open app have ended unasked; those that ended for the same reason as one. All of it was written by apps
// and their clients.

import { TokenNeeded, get, token } from "./api.js";
import { copyOf, fieldsOf, keep, make, setAttribute, setHidden, setText } from "./dom.js";
import { bytes, duration, firstLine, moment } from "./format.js";

/** Creates the list of an app. */
export function makeCrashes(name, { crashes: list, "no-crashes": none }) {
  const views = new Map();
  let seen = null;
  /** The token that was rejected. There is no point in sending it again. */
  let refused;
  let isAsking = false;
  return {
    async refresh(app) {
      // Changes whenever a worker has ended. Lost requests may be reported a little later: the next poll after a change gets them.
      const now = JSON.stringify([app.state, app.pid, app.restarts, app.crashes, app.last_exit, app.last_exit_at]);
      if (isAsking || token() === refused || (seen?.now === now && seen.before === now)) return;
      isAsking = true;
      try {
        const crashes = await get(`/v1/crashes?app=${encodeURIComponent(name)}`);
        seen = { now, before: seen?.now };
        show(list, views, crashes);
        setText(none, "No worker has ended unasked.");
        setHidden(none, crashes.length > 0);
      } catch (error) {
        // If the supervisor is gone, the next poll will notice.
        if (!(error instanceof TokenNeeded)) return;
        refused = token();
        setText(none, "Crashes need the token.");
      } finally {
        isAsking = false;
      }
    },
  };
}

function show(list, views, crashes) {
  const groups = Map.groupBy(crashes, ({ cause, reason }) => `${cause} ${reason}`);
  keep(list, views, groups, {
    key: ([key]) => key,
    make() {
      const element = copyOf("crash");
      return { element, fields: fieldsOf(element) };
    },
    update({ fields }, [, group]) {
      const [latest] = group;
      const summary = firstLine(latest.reason);
      // Consecutive failures to start are reported as one crash.
      const times = group.reduce((all, crash) => all + crash.times, 0);
      setText(fields.times, times > 1 ? `${times}×` : "");
      setHidden(fields.times, times === 1);
      setAttribute(fields.times, "aria-label", `${times} times:`);
      setText(fields.cause, summary);
      setAttribute(fields.latest, "datetime", latest.time);
      setText(fields.latest, `${times > 1 ? "last " : ""}${moment(new Date(latest.time))}`);
      setText(fields.whole, latest.reason);
      setHidden(fields.whole, latest.reason === summary);
      setText(fields.facts, factsOf(latest, group));
      setText(fields.lines, latest.lines.length ? latest.lines.join("\n") : "None were kept.");
      showCulprits(fields.culprit, group);
      showRequests(fields, latest);
    },
  });
}

function factsOf({ pid, ready_ms, usage, heap_used, heap_limit }, group) {
  const facts = [pid === null ? "no process" : `pid ${pid}`];
  facts.push(ready_ms ? `ready for ${duration(ready_ms / 1000)}` : "never ready");
  if (usage.memory) facts.push(`memory ${bytes(usage.memory)}`);
  if (heap_limit) facts.push(`heap ${bytes(heap_used)} of ${bytes(heap_limit)}`);
  const cpu = usage.cpu.secs + usage.cpu.nanos / 1e9;
  if (cpu) facts.push(`CPU ${cpu.toFixed(1)} s`);
  if (group.length > 1) facts.push(`first ${moment(new Date(group.at(-1).time))}`);
  return facts.join(" · ");
}

/** How many requests are listed for equal crashes. */
const CULPRITS = 3;

/** Shows the requests that ended the workers, as far as known, most frequent first; otherwise the suspects of the latest crash. */
function showCulprits(element, group) {
  const culprits = group.flatMap(({ culprit }) => culprit ?? []);
  const suspects = group[0].suspects;
  setHidden(element, culprits.length + suspects.length === 0);
  const key = JSON.stringify([culprits.map(({ id }) => id), suspects]);
  if (element.dataset.key === key) return;
  element.dataset.key = key;
  const byLine = [...Map.groupBy(culprits, ({ method, target }) => `${method} ${target}`.trim())].sort(([, one], [, other]) => other.length - one.length);
  const parts = byLine.slice(0, CULPRITS).map(([line, [{ id, is_answered }, ...others]]) => {
    const part = make("p", "", is_answered && line ? "Ended after the answer to " : "Ended by ");
    // Only the id is known of a request that was answered long before.
    part.append(line ? make("code", "", line) : "a request that had been answered", others.length ? `, ${others.length + 1} times, last ` : " ", make("span", "quiet", `request ${id}`));
    return part;
  });
  for (const { method, path, in_flight, of } of suspects.slice(0, CULPRITS)) {
    const part = make("p", "", "Suspected: ");
    part.append(make("code", "", `${method} ${path}`), " ", make("span", "quiet", `in flight at ${in_flight} of the last ${of}`));
    parts.push(part);
  }
  element.replaceChildren(...parts);
}

function showRequests(fields, { pid, time, culprit, requests }) {
  setText(fields.lost, culprit ? "Others that were lost" : "Lost requests");
  setHidden(fields["no-requests"], requests.length > 0);
  const list = fields.requests;
  // The reports of one crash only grow.
  const crash = `${time} ${pid}`;
  if (list.dataset.crash !== crash) list.replaceChildren();
  list.dataset.crash = crash;
  for (const { id, method, target } of requests.slice(list.childElementCount)) {
    const item = make("li");
    item.append(make("code", "", `${method} ${target}`), " ", make("span", "quiet", `request ${id}`));
    list.append(item);
  }
}
