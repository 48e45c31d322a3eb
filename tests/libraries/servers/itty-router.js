import { AutoRouter, cors, error, json, withParams } from "itty-router";
import { used } from "../used.js";

const { preflight, corsify } = cors({ origin: ["https://a.example"] });
const router = AutoRouter({ before: [preflight, withParams], finally: [corsify] });
router
  .get("/todos/:id", ({ id, query }) => (id === "9" ? error(404, "no todo 9") : { id, query }))
  .post("/todos", async (request) => json(await request.json(), { status: 201 }))
  .get("/fail", () => { throw new Error("failed"); });

export default used(async () => {
  const ask = async (path, init) => { const r = await router.fetch(new Request(`https://x.example${path}`, init)); return [r.status, await r.json().catch(() => null), r.headers.get("access-control-allow-origin")]; };
  return [await ask("/todos/1?a=1&a=2", { headers: { origin: "https://a.example" } }), await ask("/todos/9"), await ask("/fail"), await ask("/todos", { method: "POST", body: '{"a":1}' })];
}, [[200, { id: "1", query: { a: ["1", "2"] } }, "https://a.example"], [404, { status: 404, error: "no todo 9" }, null], [500, { status: 500, error: "failed" }, null], [201, { a: 1 }, null]]);
