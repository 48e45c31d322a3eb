import { isLeft } from "fp-ts/Either";
import * as t from "io-ts";
import { PathReporter } from "io-ts/PathReporter";
import { used } from "../used.js";

const Point = t.intersection([t.type({ x: t.number, y: t.number }), t.partial({ label: t.string })]);

export default used(() => {
  const bad = Point.decode({ x: 1, y: "2" });
  return [Point.is({ x: 1, y: 2 }), Point.decode({ x: 1, y: 2, label: "a" }).right, isLeft(bad), PathReporter.report(bad)[0].startsWith('Invalid value "2" supplied to')];
}, [true, { x: 1, y: 2, label: "a" }, true, true]);
