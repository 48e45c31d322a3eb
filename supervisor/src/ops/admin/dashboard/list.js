// The list of apps: problems first, one line each, of which one can be open.

import { openMenu } from "./menu.js";
import { act } from "./actions.js";
import { closeDetail, openDetail } from "./detail.js";
import { arrange, find, setAttribute, setHidden, setText } from "./dom.js";
import { many } from "./format.js";
import { LEVELS, judge } from "./judge.js";
import { apps } from "./known.js";
import { makeRow, showRow } from "./row.js";
import { FILTERS, compare, isWanted, order, view, want } from "./view.js";

const table = find("#apps");
const columns = find(".columns");
const rows = new Map();

/** An app whose level has changed keeps its position for this long, in milliseconds: moving rows are hard to click. */
const CALM = 15_000;

/** Shows the list. Only rows of `changed`, and those that depend on the time, are updated. */
export function showList(changed) {
  const all = apps();
  const there = new Set(all.map((app) => app.app));
  for (const name of rows.keys()) if (!there.has(name)) rows.delete(name);
  const wanted = [];
  for (const app of all) {
    let row = rows.get(app.app);
    const isNew = !row;
    if (isNew) rows.set(app.app, (row = makeRow(app.app, { toggle, act, openMenu })));
    const judged = judge(app);
    if (isNew || changed?.has(app.app) || judged.why !== row.judged.why || judged.word !== row.judged.word || judged.level !== row.judged.level) {
      showRow(row, app, judged);
    }
    row.judged = judged;
    if (isWanted(app, judged)) wanted.push({ app, row, level: judged.level, rank: rankOf(row, judged) });
  }
  wanted.sort(compare);
  let before;
  for (const { row, level } of wanted) {
    const group = order() === "state" ? groupOf(level) : "";
    setAttribute(row.element, "data-begins", String(before !== undefined && before !== group));
    before = group;
  }
  arrange(table, [columns, ...wanted.map(({ row }) => row.element)], open?.element);
  showOpen(wanted);
  showSaid(wanted.length, all.length);
  showOrder();
}

/** Updates the actions of these apps. */
export function showApps(names) {
  showList(new Set(names));
}

/** Levels are never mixed. Who has just become better comes first of its level, who has become worse last. */
function rankOf(row, { level }) {
  const rank = LEVELS.indexOf(level);
  const now = Date.now();
  if (rank !== row.rank) [row.from, row.rank, row.ranked] = [row.rank ?? rank, rank, now];
  return 3 * rank + (now - row.ranked > CALM ? 0 : Math.sign(rank - row.from) * -1);
}

const groupOf = (level) => (level === "off" ? "off" : LEVELS.indexOf(level) < 2 ? "problems" : "well");

function toggle(name) {
  want({ open: view.open === name ? "" : name });
}

let open = null;

function showOpen(wanted) {
  const next = wanted.find(({ app }) => app.app === view.open)?.row ?? null;
  if (open !== next) {
    // Keeps the clicked row in place when details above it close.
    const before = next?.line.getBoundingClientRect().top;
    if (open) {
      closeDetail();
      setAttribute(open.toggle, "aria-expanded", "false");
      open.element.classList.remove("is-open");
    }
    if (next) {
      openDetail(next.element, view.open);
      setAttribute(next.toggle, "aria-expanded", "true");
      next.element.classList.add("is-open");
      scrollBy(0, next.line.getBoundingClientRect().top - before);
    }
    open = next;
  }
}

function showSaid(count, all) {
  const { says } = FILTERS[view.filter] ?? {};
  const isPart = Boolean(view.filter || view.search || view.sort);
  const found = view.search ? `, found by “${view.search}”` : "";
  setText(find("#shown"), isPart ? `${count} of ${many(all, "app")}${says ? ` ${says}` : ""}${found}` : "");
  setHidden(find("#clear"), !isPart);
  const nothing = find("#nothing");
  setHidden(nothing, count > 0);
  setText(nothing, all === 0 ? "There is no app. Deploy one with: nano-supervisor deploy NAME FOLDER --port PORT" : view.filter === "problems" && !view.search ? "No problems." : "No app is like that.");
}

function showOrder() {
  for (const button of columns.querySelectorAll("[data-sort]")) {
    const { sort } = button.dataset;
    const direction = ["name", "state"].includes(sort) ? "ascending" : "descending";
    setAttribute(button.parentElement, "aria-sort", order() === sort ? direction : "none");
  }
}

columns.addEventListener("click", (event) => {
  const sort = event.target.closest("[data-sort]")?.dataset.sort;
  if (sort) want({ sort: sort === order() || sort === "state" ? "" : sort, filter: sort === "state" && FILTERS[view.filter]?.sort ? "" : view.filter });
});

find("#clear").addEventListener("click", () => {
  find("#search").value = "";
  want({ filter: "", search: "", sort: "" });
  find("#search").focus();
});
