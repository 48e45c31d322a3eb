import { Readable } from "node:stream";
import { parse } from "csv-parse";
import { parse as parseSync } from "csv-parse/sync";
import { used } from "../used.js";

export default used(async () => {
  const rows = [];
  for await (const row of Readable.from(["a,b\n1,", '"x ""y"""\n2,z\n']).pipe(parse({ columns: true }))) rows.push(row);
  return [rows, parseSync("a;b\n1;2", { delimiter: ";", cast: true })];
}, [[{ a: "1", b: 'x "y"' }, { a: "2", b: "z" }], [["a", "b"], [1, 2]]]);
