import Router from "@koa/router";
import { httpServerHandler } from "cloudflare:node";
import Koa from "koa";
import { used } from "../used.js";

const router = new Router({ prefix: "/api" });
router.get("user", "/users/:id", (ctx) => { ctx.body = [ctx.params.id, router.url("user", 7)]; }).post("/users", (ctx) => { ctx.status = 201; });
new Koa().use(router.routes()).use(router.allowedMethods()).listen(3001);
const handler = httpServerHandler({ port: 3001 });

export default used(async (env, ctx) => {
  const ask = async (path, method) => { const r = await handler.fetch(new Request(`https://x.example${path}`, { method }), env, ctx); return [r.status, await r.text(), r.headers.get("allow")]; };
  return [await ask("/api/users/3", "GET"), await ask("/api/users", "POST"), await ask("/api/users/3", "PUT")];
}, [[200, '["3","/api/users/7"]', null], [201, "Created", null], [405, "Method Not Allowed", "HEAD, GET"]]);
