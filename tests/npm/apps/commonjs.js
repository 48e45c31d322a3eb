// Packages that exist as CommonJS only, by default and by named imports.
import bcrypt from "bcryptjs";
import createDebug from "debug";
import Handlebars from "handlebars";
import _, { chunk, merge } from "lodash";
import ms from "ms";
import { parse, stringify } from "qs";
import fp from "lodash/fp.js";

export default {
  async fetch() {
    const debug = createDebug("app");
    const lines = [];
    debug.log = (...args) => lines.push(args.length > 0);
    createDebug.enable("app");
    debug("hello %s", "world");
    const template = Handlebars.compile("{{#each items}}<li>{{name}}</li>{{/each}}");
    const hash = await bcrypt.hash("secret", 4);
    return Response.json({
      lodash: [_.camelCase("one two"), chunk([1, 2, 3], 2), merge({ a: { b: 1 } }, { a: { c: 2 } }), _.VERSION],
      fp: fp.map((n) => n + 1)([1, 2]),
      debug: lines,
      ms: [ms("2 days"), ms(60000, { long: true })],
      qs: [parse("a[b]=1&a[c]=2"), stringify({ a: [1, 2] }, { encode: false })],
      handlebars: template({ items: [{ name: "<one>" }, { name: "two" }] }),
      bcrypt: [hash.length, await bcrypt.compare("secret", hash), await bcrypt.compare("other", hash)],
    });
  },
};
