// The summary above the list. Its items turn red when something is wrong, and each is a filter.

import { copyOf, find, setAttribute, setText } from "./dom.js";
import { bytes, many, percent, rate, whole } from "./format.js";
import { isProblem, judge } from "./judge.js";
import { apps, known } from "./known.js";
import { view, want } from "./view.js";

/** From this share of memory or CPU on, the machine is nearly full. */
const NEARLY = 0.9;

const TILES = { "": "Apps", ready: "Ready", problems: "Problems", requests: "Requests", errors: "5xx", memory: "Memory", cpu: "CPU" };

const tiles = new Map();
for (const [filter, label] of Object.entries(TILES)) {
  const element = copyOf("tile");
  element.dataset.tile = filter || "apps";
  setText(find(".label", element), label);
  element.addEventListener("click", () => want({ filter: view.filter === filter ? "" : filter, sort: "" }));
  find("#summary").append(element);
  tiles.set(filter, element);
}

/** Shows it. Returns the number of problems. */
export function showSummary() {
  const all = apps();
  const count = (is) => all.filter(is).length;
  const sum = (field) => all.reduce((total, app) => total + app[field], 0);
  const problems = count((app) => isProblem(judge(app)));
  const stopped = count((app) => app.state === "stopped");
  const [requests, errors, memory] = [sum("requests_per_second"), sum("errors_per_second"), sum("memory")];
  const { machine } = known;
  const full = machine.memory && machine.memory_limit ? machine.memory / machine.memory_limit : 0;
  const texts = {
    "": [whole(all.length), stopped ? `${whole(stopped)} stopped` : "none stopped"],
    ready: [whole(count((app) => app.state === "ready")), `of ${whole(all.length - stopped)} to run`],
    problems: [whole(problems), problems ? "look at these first" : "all is well"],
    requests: [rate(requests), `${many(sum("in_flight"), "request")} in flight`],
    errors: [rate(errors), requests > 0 ? `${percent((100 * errors) / requests)} of answers` : "no answers"],
    memory: [bytes(machine.memory ?? memory), `${machine.memory_limit ? `of ${bytes(machine.memory_limit)}, ` : ""}apps ${bytes(memory)}`],
    cpu: [machine.cpu_percent === null ? "–" : percent(machine.cpu_percent), `of ${many(machine.cores, "core")}, apps ${percent(sum("cpu_percent") / machine.cores)}`],
  };
  const isBad = { problems: problems > 0, errors: errors > 0, memory: full >= NEARLY, cpu: machine.cpu_percent >= 100 * NEARLY };
  for (const [filter, element] of tiles) {
    setText(find(".value", element), texts[filter][0]);
    setText(find(".note", element), texts[filter][1]);
    setAttribute(element, "aria-pressed", String(filter !== "" && view.filter === filter));
    element.classList.toggle("is-bad", Boolean(isBad[filter]));
  }
  find("#summary").classList.toggle("is-bad", problems > 0);
  return problems;
}
