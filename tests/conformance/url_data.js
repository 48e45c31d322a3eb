// The tables of the url crate's own tests, if cargo has them: `data.js` is written by the test.
import { parsed, changed } from "./data.js";
import { equal, throws } from "./harness.js";

const checks = {};
export default checks;

// The tables are older than two changes of the standard: a caret in a path is encoded, and so is a space that ends an
// opaque path before a query or fragment.
const isOlder = (wanted, before = "") =>
  wanted.pathname?.includes("^") || wanted.href?.includes("^_%60") || /^\w+:[^/][^?#]* [?#]/.test(before);

for (const row of parsed) {
  if (typeof row === "string" || isOlder(row)) continue;
  const { input, base, failure, ...wanted } = row;
  const name = `${JSON.stringify(input)}${typeof base === "string" ? ` on ${JSON.stringify(base)}` : ""}`;
  checks[name] = () => {
    const parse = () => new URL(input, base ?? undefined);
    if (failure) return throws(TypeError, parse);
    const url = parse();
    for (const part in wanted) if (part in url && part !== "searchParams") equal(url[part], wanted[part], part);
    equal(new URL(url.href).href, url.href, "its text, parsed again");
  };
}
for (const part in changed) {
  if (part === "comment") continue;
  for (const { href, new_value, expected } of changed[part]) {
    if (isOlder(expected, href)) continue;
    checks[`${part} of ${href} = ${JSON.stringify(new_value)}`] = () => {
      const url = new URL(href);
      url[part] = new_value;
      for (const key in expected) equal(url[key], expected[key], key);
    };
  }
}
