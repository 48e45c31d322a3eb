// Small packages for text and data, ES modules and CommonJS side by side.
import { format, formatDistance } from "date-fns";
import { de } from "date-fns/locale";
import { XMLBuilder, XMLParser } from "fast-xml-parser";
import { marked } from "marked";
import { customAlphabet, nanoid } from "nanoid";
import superjson from "superjson";
import { NIL, v4, v5, v7, validate } from "uuid";
import * as v from "valibot";
import YAML from "yaml";

export default {
  async fetch() {
    const date = new Date(Date.UTC(2026, 0, 31, 12));
    const round = superjson.parse(superjson.stringify({ at: date, set: new Set([1n, 2n]), gone: undefined })) as any;
    const schema = v.object({ email: v.pipe(v.string(), v.email()), age: v.optional(v.number(), 18) });
    return Response.json({
      marked: marked.parse("# Title\n\n- *a*\n- `b`"),
      nanoid: [nanoid().length, customAlphabet("ab", 5)().replace(/[ab]/g, "x")],
      dates: [format(date, "yyyy-MM-dd"), formatDistance(date, new Date(Date.UTC(2026, 1, 2, 12)), { locale: de })],
      xml: new XMLParser({ ignoreAttributes: false }).parse('<a n="1"><b>x</b><b>y</b></a>'),
      built: new XMLBuilder().build({ a: { b: ["x", "y"] } }),
      superjson: [round.at.toISOString(), [...round.set].map(String), "gone" in round],
      uuid: [v4().length, v5("nano", v5.URL), validate(v7()), NIL],
      valibot: [v.parse(schema, { email: "ada@example.com" }), v.safeParse(schema, { email: "no" }).success],
      yaml: YAML.parse("a: [1, 2]\nb:\n  c: text\n"),
    });
  },
};
