import { type } from "arktype";
import { used } from "../used.js";

const User = type({ name: "string > 1", "age?": "number.integer >= 0", tags: "string[]" });

export default used(() => {
  const bad = User({ name: "a", age: 1.5, tags: [1] });
  return [User({ name: "ada", tags: ["x"] }), bad instanceof type.errors, Object.keys(bad.byPath).sort()];
}, [{ name: "ada", tags: ["x"] }, true, ["age", "name", "tags[0]"]]);
