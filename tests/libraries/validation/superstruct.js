import { array, assert, coerce, create, defaulted, is, number, object, string, StructError } from "superstruct";
import { used } from "../used.js";

const Article = object({ id: coerce(number(), string(), Number), title: string(), tags: defaulted(array(string()), []) });

export default used(() => {
  let failed;
  try {
    assert({ id: 1, title: 2, tags: [] }, Article);
  } catch (error) {
    failed = [error instanceof StructError, error.path, error.message];
  }
  return [create({ id: "7", title: "a" }, Article), is({}, Article), failed];
}, [{ id: 7, title: "a", tags: [] }, false, [true, ["title"], "At path: title -- Expected a string, but received: 2"]]);
