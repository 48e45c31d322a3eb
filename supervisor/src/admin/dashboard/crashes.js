// How workers have ended unasked, by app. All of it was written by apps and their clients.

import { copyOf, fieldsOf, find, keep, setAttribute, setText } from "./dom.js";
import { bytes, duration, firstLine, moment } from "./format.js";

const groups = new Map();

/** Shows these crashes, latest first, the app with the latest one first. */
export function showCrashes(crashes) {
  const byApp = Map.groupBy(crashes, (crash) => crash.app);
  keep(find("#crashes"), groups, byApp, {
    key: ([app]) => app,
    make([app]) {
      const element = copyOf("crash-group");
      element.id = `crashes-of-${app}`;
      setText(find("h3", element), app);
      return { element, crashes: new Map() };
    },
    update(group, [, ofApp]) {
      keep(find("ol", group.element), group.crashes, ofApp, {
        key: (crash) => `${crash.time} ${crash.pid}`,
        make: makeCrash,
        // Only the lost requests can become more.
        update: (view, crash) => showRequests(view.fields, crash.requests),
      });
    },
  });
  find("#no-crashes").hidden = crashes.length > 0;
}

function makeCrash(crash) {
  const element = copyOf("crash");
  const fields = fieldsOf(element);
  const time = find("time", element);
  time.dateTime = crash.time;
  setText(time, moment(new Date(crash.time)));
  const summary = firstLine(crash.reason);
  setText(fields.reason, summary);
  setText(fields.whole, crash.reason);
  fields.whole.hidden = crash.reason === summary;
  setText(fields.facts, factsOf(crash));
  setText(fields.lines, crash.lines.length ? crash.lines.join("\n") : "None were kept.");
  return { element, fields };
}

function factsOf({ pid, ready_ms, usage, heap_used, heap_limit }) {
  const facts = [pid === null ? "no process" : `pid ${pid}`];
  facts.push(ready_ms ? `ready for ${duration(ready_ms / 1000)}` : "never ready");
  if (usage.memory) facts.push(`memory ${bytes(usage.memory)}`);
  if (heap_limit) facts.push(`heap ${bytes(heap_used)} of ${bytes(heap_limit)}`);
  const cpu = usage.cpu.secs + usage.cpu.nanos / 1e9;
  if (cpu) facts.push(`CPU ${cpu.toFixed(1)} s`);
  return facts.join(" · ");
}

function showRequests(fields, requests) {
  fields["no-requests"].hidden = requests.length > 0;
  const list = fields.requests;
  for (const { id, method, target } of requests.slice(list.childElementCount)) {
    const [item, line, name] = ["li", "code", "span"].map((kind) => document.createElement(kind));
    setText(line, `${method} ${target}`);
    setText(name, `request ${id}`);
    setAttribute(name, "class", "detail");
    item.append(line, " ", name);
    list.append(item);
  }
}
