import { compile, match, parse, pathToRegexp } from "path-to-regexp";
import { used } from "../used.js";

export default used(
  () => [match("/:user{/:page}/*rest")("/ada/2/a%20b/c").params, match("/a")("/b"), compile("/u/:id")({ id: "a b" }), pathToRegexp("/x/:y").keys.map((key) => key.name), parse("/:a").tokens.length],
  [{ user: "ada", page: "2", rest: ["a b", "c"] }, false, "/u/a%20b", ["y"], 2],
);
