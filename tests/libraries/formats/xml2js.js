import { Builder, parseStringPromise } from "xml2js";
import { used } from "../used.js";

export default used(
  async () => [await parseStringPromise('<a n="1"><b>x</b><b>y</b></a>', { explicitArray: false }), new Builder({ headless: true, renderOpts: { pretty: false } }).buildObject({ a: { $: { n: 1 }, b: ["x", "y"] } }), await parseStringPromise("<a>").catch((error) => error.message.split("\n")[0])],
  [{ a: { $: { n: "1" }, b: ["x", "y"] } }, '<a n="1"><b>x</b><b>y</b></a>', "Unclosed root tag"],
);
