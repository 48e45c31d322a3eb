import { parse, stringify } from "smol-toml";
import { refusal, used } from "../used.js";

export default used(
  async () => [parse('a = 1\nat = 2026-01-31T12:00:00Z\n[[b.c]]\nd = "x"\n'), stringify({ a: 1.5, b: { c: [true] } }), (await refusal(() => parse("a = "))).split("\n")[0]],
  [{ a: 1, at: "2026-01-31T12:00:00.000Z", b: { c: [{ d: "x" }] } }, "a = 1.5\n\n[b]\nc = [ true ]\n", "Invalid TOML document: invalid value"],
);
