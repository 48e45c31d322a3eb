// MIME types, by the tables of the data-url crate's own tests, in what fetch makes of Content-Type.
// https://mimesniff.spec.whatwg.org/#parsing-a-mime-type
import { more, types } from "./data.js";
import { equal } from "./harness.js";

const checks = {};
export default checks;

const typeOf = async (body) => (await body.blob()).type;

for (const row of [...types, ...more]) {
  // Headings, what no header can carry, and what one would end its value at.
  if (typeof row === "string" || /[\0\r\n\u0100-\uffff]|^[^"]*,/.test(row.input)) continue;
  const headers = { "content-type": row.input };
  checks[JSON.stringify(row.input)] = async () => {
    const wanted = row.output ?? "";
    equal(await typeOf(new Response("", { headers })), wanted, "of a response");
    equal(await typeOf(new Request("about:blank", { method: "POST", body: "", headers })), wanted, "of a request");
  };
}
