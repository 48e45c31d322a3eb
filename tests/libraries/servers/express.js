import { httpServerHandler } from "cloudflare:node";
import express from "express";
import { used } from "../used.js";

const app = express();
app.use(express.json());
const api = express.Router();
api.get("/hello/:name", (request, response) => response.cookie("seen", "1").send(`hello ${request.params.name} ${request.query.a}`));
api.post("/orders", (request, response) => response.status(201).json({ got: request.body, type: request.get("content-type") }));
api.get("/stream", (request, response) => { response.write("one "); setTimeout(() => response.end("two"), 1); });
api.get("/fail", async () => { throw new Error("failed"); });
app.use("/api", api);
app.use((error, request, response, next) => response.status(error.status ?? 500).json({ error: error.message }));
app.listen(3000);
const handler = httpServerHandler({ port: 3000 });

export default used(async (env, ctx) => {
  const ask = async (path, init) => { const r = await handler.fetch(new Request(`https://x.example${path}`, init), env, ctx); return [r.status, await r.text(), r.headers.get("x-powered-by")]; };
  const post = (body) => ask("/api/orders", { method: "POST", headers: { "content-type": "application/json", "content-length": body.length }, body });
  return [await ask("/api/hello/ada?a=1"), await post('{"a":1}'), (await post("{"))[0], await ask("/api/stream"), await ask("/api/fail"), (await ask("/none"))[0]];
}, [[200, "hello ada 1", "Express"], [201, '{"got":{"a":1},"type":"application/json"}', "Express"], 400, [200, "one two", "Express"], [500, '{"error":"failed"}', "Express"], 404]);
