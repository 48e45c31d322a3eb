// Small curves, and in words what they show.

import { find, setAttribute, setText } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [120, 24];

/** Makes an empty `<svg>` a curve of up to `WIDTH` values, a second each. */
export function prepare(svg) {
  setAttribute(svg, "viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  setAttribute(svg, "preserveAspectRatio", "none");
  setAttribute(svg, "role", "img");
  for (const part of ["title", "path", "path"]) svg.append(document.createElementNS(SVG, part));
  const [area, line] = svg.querySelectorAll("path");
  setAttribute(area, "class", "area");
  setAttribute(line, "class", "line");
}

/**
 * Draws `values`, the latest at the right; `null` leaves a gap. `what` names them, `unit` makes text of one.
 */
export function draw(svg, values, what, unit) {
  const known = values.filter((value) => value !== null);
  const most = Math.max(...known, 0);
  const range = `${what}, last two minutes: `;
  setText(find("title", svg), range + (known.length ? `at most ${unit(most)}, now ${latest(values, unit)}` : "nothing"));
  const [area, line] = svg.querySelectorAll("path");
  const runs = runsOf(values, most);
  const points = (run) => run.map(([x, y]) => `${x} ${y}`).join("L");
  const bottom = (run) => `V${HEIGHT}H${run[0][0]}Z`;
  setAttribute(line, "d", runs.map((run) => `M${points(run)}`).join(""));
  setAttribute(area, "d", runs.map((run) => `M${points(run)}${bottom(run)}`).join(""));
}

function latest(values, unit) {
  const value = values.at(-1);
  return value === null ? "none" : unit(value);
}

/** The values without gaps in between, as points; one alone is drawn as a short line. */
function runsOf(values, most) {
  const runs = [];
  let before = null;
  values.forEach((value, index) => {
    if (value !== null) {
      const x = WIDTH - values.length + index;
      const y = +(HEIGHT - 1 - (most && value / most) * (HEIGHT - 2)).toFixed(1);
      if (before === null) runs.push([[x, y]]);
      runs.at(-1).push([x + 1, y]);
    }
    before = value;
  });
  return runs;
}
