import { Minimatch, minimatch } from "minimatch";
import { used } from "../used.js";

export default used(
  () => [minimatch("src/a/b.ts", "src/**/*.{ts,js}"), minimatch("src/a.css", "*.css"), minimatch.match(["a.js", "b.txt"], "!*.js"), new Minimatch("a[0-9]+").match("a1"), minimatch.braceExpand("{a,b}{1..2}")],
  [true, false, ["b.txt"], false, ["a1", "a2", "b1", "b2"]],
);
