// A chart of up to two minutes, scaled to a limit if there is one. Its values can be read by mouse, touch and keyboard.

import { copyOf, find, setAttribute, setHidden, setText } from "./dom.js";
import { NONE } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [120, 40];

/**
 * Makes a curve with a `title`. `unit` makes text of a value, `note` further text of a second; `point` is told which second is
 * looked at, or that none is: the number of seconds ago.
 */
export function makeChart(title, { unit, note = () => "", point }) {
  const element = copyOf("curve");
  const [plot, svg] = [find(".plot", element), find("svg", element)];
  const parts = {};
  for (const [kind, name] of [["path", "area"], ["path", "line"], ["path", "marks"], ["line", "limit"], ["line", "cross"]]) {
    parts[name] = svg.appendChild(document.createElementNS(SVG, kind));
    setAttribute(parts[name], "class", name);
  }
  setText(find(".title", element), title);
  setAttribute(plot, "aria-label", `${title}, last two minutes`);
  setAttribute(plot, "aria-valuemin", String(-WIDTH + 1));
  setAttribute(plot, "aria-valuemax", "0");
  const chart = { element, plot, parts, title, unit, note, reading: find(".reading", element), top: find(".top-label", element), seconds: [] };

  const ago = (event) => {
    const { left, width } = plot.getBoundingClientRect();
    return Math.min(WIDTH - 1, Math.max(0, Math.floor(WIDTH - ((event.clientX - left) / width) * WIDTH)));
  };
  plot.addEventListener("pointermove", (event) => point(ago(event)));
  plot.addEventListener("pointerdown", (event) => point(ago(event)));
  plot.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && point(null));
  plot.addEventListener("focus", () => plot.matches(":focus-visible") && point(chart.looked ?? 0));
  plot.addEventListener("blur", () => point(null));
  plot.addEventListener("keydown", (event) => {
    const now = chart.looked ?? 0;
    const steps = { ArrowLeft: now + 1, ArrowRight: now - 1, PageUp: now + 10, PageDown: now - 10, Home: WIDTH - 1, End: 0, Escape: null };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const next = steps[event.key];
    point(next === null ? null : Math.min(WIDTH - 1, Math.max(0, next)));
  });
  return chart;
}

/** Draws what it was in `seconds`, the latest at the right: `value` of each, `marks` on top of it, up to `limit`, if there is one. */
export function draw(chart, seconds, { value, marks, limit = null, limitName = "limit", least = 1 }) {
  Object.assign(chart, { seconds, value });
  const values = seconds.map(value);
  const most = Math.max(0, ...values.filter((value) => value !== null));
  const scale = limit && most <= limit ? limit : nice(Math.max(most, least));
  const y = (value) => +(HEIGHT - (value / scale) * (HEIGHT - 1)).toFixed(2);
  const runs = runsOf(values).map((run) => run.map(([x, value]) => `${x} ${y(value)}`));
  const { line, area, marks: bars, limit: rule } = chart.parts;
  setAttribute(line, "d", runs.map((run) => `M${run.join("L")}`).join(""));
  setAttribute(area, "d", runs.map((run) => `M${run.join("L")}V${HEIGHT}H${run[0].split(" ")[0]}Z`).join(""));
  const marked = marks ? seconds.map((second, at) => [WIDTH - seconds.length + at, marks(second)]).filter(([, count]) => count > 0) : [];
  setAttribute(bars, "d", marked.map(([x, count]) => `M${x + 0.5} ${HEIGHT}V${Math.min(y(count), HEIGHT - 2)}`).join(""));
  setText(chart.top, scale === limit ? `${chart.unit(scale)}, ${limitName}` : chart.unit(scale));
  chart.element.classList.toggle("is-limited", limit !== null && scale === limit);
  for (const [name, at] of [["x1", "0"], ["x2", String(WIDTH)], ["y1", "0.5"], ["y2", "0.5"]]) setAttribute(rule, name, at);
  showReading(chart, chart.looked ?? null);
}

/** Shows the value from `ago` seconds ago; the latest one if null. */
export function showReading(chart, ago) {
  chart.looked = ago;
  const { seconds, unit, note, parts, plot } = chart;
  const second = seconds.at(-1 - (ago ?? 0));
  const value = second ? chart.value(second) : null;
  const text = [value === null || value === undefined ? NONE : unit(value), second ? note(second) : ""].filter(Boolean).join(", ");
  const when = ago ? `${ago} s ago: ` : "";
  setText(chart.reading, `${when}${text}`);
  setAttribute(plot, "aria-valuenow", String(-(ago ?? 0)));
  setAttribute(plot, "aria-valuetext", `${ago ? `${ago} seconds ago` : "now"}: ${text}`);
  const x = String(WIDTH - (ago ?? 0) - 0.5);
  for (const [name, at] of [["x1", x], ["x2", x], ["y1", "0"], ["y2", String(HEIGHT)]]) setAttribute(parts.cross, name, at);
  setHidden(chart.reading, false);
  parts.cross.classList.toggle("is-on", ago !== null);
}

/** The next round number. */
function nice(number) {
  const power = 10 ** Math.floor(Math.log10(number));
  return [1, 2, 5, 10].map((factor) => factor * power).find((round) => round >= number * 0.999);
}

/** Runs of values without gaps, as points. A single value is drawn as a short line. */
function runsOf(values) {
  const runs = [];
  let before = null;
  values.forEach((value, index) => {
    if (value !== null) {
      const x = WIDTH - values.length + index;
      if (before === null) runs.push([[x, value]]);
      runs.at(-1).push([x + 1, value]);
    }
    before = value;
  });
  return runs;
}
