// One row of the list: state, addresses, numbers and actions of an app.

import { isBusy, fitting } from "./actions.js";
import { copyOf, fieldsOf, find, make, setAttribute, setHidden, setText } from "./dom.js";
import { NONE, bytes, decimal, latency, percent } from "./format.js";

/** Makes the line of an app. `toggle` opens and closes it, `act` is told of a verb, `openMenu` of the button that was pressed. */
export function makeRow(name, { toggle, act, openMenu }) {
  const element = copyOf("app");
  element.dataset.app = name;
  const line = find(".line", element);
  const row = { element, line, fields: fieldsOf(element), toggle: find(".toggle", element), act: find(".act", element), more: find(".more", element) };
  const meter = find("meter", element);
  row.meter = meter;
  setAttribute(meter, "aria-label", `Memory of ${name}, of its limit`);
  setText(row.fields.name, name);
  setAttribute(row.more, "aria-label", `More for ${name}`);
  row.toggle.addEventListener("click", () => toggle(name));
  // A click anywhere in the row counts, unless it selects text.
  line.addEventListener("click", (event) => {
    if (!event.target.closest("button, a, meter") && getSelection().isCollapsed) toggle(name);
  });
  row.act.addEventListener("click", () => {
    if (row.act.getAttribute("aria-disabled") !== "true") act(row.act.dataset.verb, name);
  });
  row.more.addEventListener("click", () => openMenu(row.more, name));
  return row;
}

/** Shows an app in its line. */
export function showRow(row, app, { level, word, why }) {
  const { element, fields } = row;
  setAttribute(element, "data-level", level);
  setAttribute(element, "data-state", app.state);
  const isRunning = app.pid !== null;
  const texts = {
    state: word,
    why,
    requests: isRunning || app.requests_per_second > 0 ? decimal(app.requests_per_second) : NONE,
    errors: isRunning || app.errors_per_second > 0 ? decimal(app.errors_per_second) : NONE,
    p99: latency(app.p99_ms),
    memory: bytes(app.memory),
    cpu: isRunning ? percent(app.cpu_percent) : NONE,
  };
  for (const [name, text] of Object.entries(texts)) {
    setText(fields[name], text);
    if (!["state", "why"].includes(name)) fields[name].classList.toggle("nil", /^(0|–|0\s%)$/.test(text));
  }
  setAttribute(fields.why, "title", why);
  fields.errors.classList.toggle("is-bad", app.errors_per_second > 0);
  const share = app.memory_limit ? app.memory / app.memory_limit : 0;
  setHidden(row.meter, !app.memory_limit || !isRunning);
  row.meter.value = Math.min(share, 1);
  setAttribute(row.meter, "title", app.memory_limit ? `${percent(100 * share)} of ${bytes(app.memory_limit)}` : "");
  showAddresses(row, app);
  showAction(row, app);
}

/** Shows the available action. */
export function showAction(row, app) {
  const { verb, word, name } = fitting(app);
  setText(row.act, word);
  setAttribute(row.act, "data-verb", verb);
  setAttribute(row.act, "aria-label", name);
  // Not `disabled`: a button that has the focus would lose it.
  setAttribute(row.act, "aria-disabled", String(isBusy(app.app)));
  setAttribute(row.element, "aria-busy", String(isBusy(app.app)));
}

function showAddresses(row, app) {
  const key = `${app.listen} ${app.hosts}`;
  if (row.addresses === key) return;
  row.addresses = key;
  const [first, ...others] = addressesOf(app);
  const parts = first ? [linkTo(first)] : [];
  if (others.length) {
    const rest = make("span", "quiet", `+${others.length}`);
    setAttribute(rest, "title", others.map(({ text }) => text).join("\n"));
    parts.push(rest);
  }
  row.fields.addresses.replaceChildren(...parts);
}

/** Where an app can be reached: a text, and a URL unless it stands for many. Those that listen everywhere are reached as this
 * page is. */
export function addressesOf({ listen, hosts }) {
  const [, host, port] = /^(.*):(\d+)$/.exec(listen) ?? [null, listen, ""];
  if (port === "0" || !port) return [{ text: listen }];
  const suffix = port === "80" ? "" : `:${port}`;
  if (hosts.length) return hosts.map((name) => (name.startsWith("*") ? { text: name + suffix } : { text: name + suffix, url: `http://${name}${suffix}/` }));
  const isEverywhere = ["0.0.0.0", "[::]", "*", ""].includes(host);
  return [{ text: isEverywhere ? `:${port}` : listen, url: `http://${isEverywhere ? location.hostname : host}${suffix}/` }];
}

/** A link to an address, or its text. */
export function linkTo({ text, url }) {
  if (!url) return make("span", "address", text);
  const link = make("a", "address", text);
  link.href = url;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  setAttribute(link, "title", url);
  return link;
}
