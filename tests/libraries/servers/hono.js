import { Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { jwt, sign } from "hono/jwt";
import { streamSSE } from "hono/streaming";
import { validator } from "hono/validator";
import { used } from "../used.js";

const app = new Hono()
  .use("/private/*", jwt({ secret: "secret", alg: "HS256" }))
  .get("/private/me", (c) => c.json(c.get("jwtPayload")))
  .get("/hello/:name", (c) => { setCookie(c, "seen", getCookie(c, "seen") ?? "no"); return c.text(`${c.req.param("name")} ${c.env.X}`); })
  .post("/orders", validator("json", (value, c) => value.item ? value : c.text("bad", 400)), (c) => c.json(c.req.valid("json"), 201))
  .get("/events", (c) => streamSSE(c, async (stream) => { for (const id of ["1", "2"]) await stream.writeSSE({ data: "x", id }); }))
  .onError((error, c) => c.text(error.message, error.status ?? 500));

export default used(async () => {
  const ask = async (path, init, env = { X: 1 }) => { const r = await app.request(path, init, env); return [r.status, await r.text(), r.headers.get("set-cookie")]; };
  const post = (body) => ask("/orders", { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } });
  const authorization = `Bearer ${await sign({ sub: "ada" }, "secret", "HS256")}`;
  return [await ask("/hello/ada", { headers: { cookie: "seen=yes" } }), await post({ item: "tea" }), await post({}), await ask("/events"), (await ask("/private/me"))[0], await ask("/private/me", { headers: { authorization } })];
}, [[200, "ada 1", "seen=yes; Path=/"], [201, '{"item":"tea"}', null], [400, "bad", null], [200, "data: x\nid: 1\n\ndata: x\nid: 2\n\n", null], 401, [200, '{"sub":"ada"}', null]]);
