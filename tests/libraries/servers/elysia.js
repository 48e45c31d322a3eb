import { Elysia, t } from "elysia";
import { CloudflareAdapter } from "elysia/adapter/cloudflare-worker";
import { used } from "../used.js";

const app = new Elysia({ adapter: CloudflareAdapter })
  .onError(({ code }) => code)
  .state("n", 1)
  .get("/hello/:name", ({ params, store }) => `${params.name} ${store.n++}`)
  .post("/orders", ({ body, status }) => status(201, body), { body: t.Object({ item: t.String({ minLength: 2 }), count: t.Optional(t.Numeric()) }) })
  .compile();

export default used(async () => {
  const ask = async (path, init) => { const r = await app.fetch(new Request(`https://x.example${path}`, init)); return [r.status, await r.text()]; };
  const post = (body) => ask("/orders", { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } });
  return [await ask("/hello/ada"), await post({ item: "tea", count: "2" }), await post({ item: "x" }), await ask("/none")];
}, [[200, "ada 1"], [201, '{"item":"tea","count":2}'], [422, "VALIDATION"], [404, "NOT_FOUND"]]);
