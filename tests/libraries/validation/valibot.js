import * as v from "valibot";
import { used } from "../used.js";

const Login = v.object({ email: v.pipe(v.string(), v.trim(), v.email()), age: v.optional(v.pipe(v.number(), v.minValue(18)), 18) });

export default used(() => {
  const bad = v.safeParse(Login, { email: "x", age: 3 });
  return [v.parse(Login, { email: " ada@example.com " }), bad.success, bad.issues.map((issue) => issue.type), v.flatten(bad.issues).nested.age];
}, [{ email: "ada@example.com", age: 18 }, false, ["email", "min_value"], ["Invalid value: Expected >=18 but received 3"]]);
