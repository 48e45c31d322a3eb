import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { stringify } from "csv-stringify";
import { stringify as stringifySync } from "csv-stringify/sync";
import { used } from "../used.js";

export default used(
  async () => [await text(Readable.from([[1, 'a "b"'], [2, "c,d"]]).pipe(stringify({ header: true, columns: ["n", "t"] }))), stringifySync([{ a: true, b: null }], { cast: { boolean: String } })],
  ['n,t\n1,"a ""b"""\n2,"c,d"\n', "true,\n"],
);
