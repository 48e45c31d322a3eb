import { H3, HTTPError, readBody, getQuery } from "h3";
import { used } from "../used.js";

const app = new H3()
  .get("/user/:name", (event) => `hello ${event.context.params.name}`)
  .post("/echo", async (event) => ({ body: await readBody(event), query: getQuery(event) }))
  .get("/fail", () => { throw new HTTPError({ status: 418, message: "teapot" }); });

export default used(async () => {
  const ask = async (path, init) => { const r = await app.request(path, init); return [r.status, await r.text()]; };
  return [await ask("/user/ada"), await ask("/echo?x=1", { method: "POST", body: '{"a":1}' }), (await ask("/fail"))[0], (await ask("/none"))[0]];
}, [[200, "hello ada"], [200, '{"body":{"a":1},"query":{"x":"1"}}'], 418, 404]);
