import * as yaml from "js-yaml";
import { refusal, used } from "../used.js";

export default used(
  async () => [yaml.load("a: [1, 2]\nb: &x {c: ~}\nd: *x\n"), yaml.loadAll("a\n---\nb\n"), yaml.dump({ a: [1, { b: "x: y" }] }), (await refusal(() => yaml.load("a: b: c"))).split("\n")[0]],
  [{ a: [1, 2], b: { c: null }, d: { c: null } }, ["a", "b"], "a:\n  - 1\n  - b: 'x: y'\n", "bad indentation of a mapping entry (1:5)"],
);
