import { httpServerHandler } from "cloudflare:node";
import Koa from "koa";
import { used } from "../used.js";

const app = new Koa();
app.keys = ["key"];
app.silent = true;
app.use(async (ctx, next) => {
  await next();
  ctx.set("x-after", String(ctx.body?.n));
});
app.use((ctx) => {
  if (ctx.path === "/fail") ctx.throw(418, "teapot");
  ctx.cookies.set("seen", "1", { signed: true });
  ctx.body = { n: Number(ctx.query.n), type: ctx.accepts("html", "json") };
});
app.listen(3000);
const handler = httpServerHandler({ port: 3000 });

export default used(async (env, ctx) => {
  const ask = async (path) => { const r = await handler.fetch(new Request(`https://x.example${path}`, { headers: { accept: "application/json" } }), env, ctx); return [r.status, await r.text(), r.headers.get("x-after"), r.headers.getSetCookie().length]; };
  return [await ask("/?n=2"), await ask("/fail")];
}, [[200, '{"n":2,"type":"json"}', "2", 2], [418, "teapot", null, 0]]);
