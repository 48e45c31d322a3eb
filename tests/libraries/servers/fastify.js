import { httpServerHandler } from "cloudflare:node";
import Fastify from "fastify";
import { used } from "../used.js";

// Routes are compiled to functions by their text, which Workers allow while a module is loaded and not in handlers.
const app = Fastify({ pluginTimeout: 0 });
app.addHook("onSend", async (request, reply) => void reply.header("x-hook", "1"));
app.get("/hello/:name", async (request) => ({ hello: request.params.name }));
app.post("/orders", async (request, reply) => reply.code(201).send(request.body));

export default used(async (env, ctx) => {
  await app.listen({ port: 3000 });
  const handler = httpServerHandler({ port: 3000 });
  const ask = async (path, init) => { const r = await handler.fetch(new Request(`https://x.example${path}`, init), env, ctx); return [r.status, await r.text(), r.headers.get("x-hook")]; };
  return [await ask("/hello/ada"), await ask("/orders", { method: "POST", body: '{"a":1}', headers: { "content-type": "application/json", "content-length": 7 } }), (await ask("/none"))[0]];
}, [[200, '{"hello":"ada"}', "1"], [201, '{"a":1}', "1"], 404]);
