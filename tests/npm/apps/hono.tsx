// Hono with what its users reach for first: routes, middleware, JWT, cookies, validation with zod, JSX, streaming, files from memory.
/** @jsxImportSource hono/jsx */
import { zValidator } from "@hono/zod-validator";
import { Hono } from "hono";
import { getCookie, getSignedCookie, setCookie, setSignedCookie } from "hono/cookie";
import { cors } from "hono/cors";
import { csrf } from "hono/csrf";
import { etag } from "hono/etag";
import { HTTPException } from "hono/http-exception";
import { jwt, sign } from "hono/jwt";
import { logger } from "hono/logger";
import { secureHeaders } from "hono/secure-headers";
import { streamSSE, streamText } from "hono/streaming";
import { timing } from "hono/timing";
import { z } from "zod";

type Env = { Bindings: { SECRET: string }; Variables: { started: number } };

const files: Record<string, { type: string; text: string }> = {
  "/static/site.css": { type: "text/css", text: "body { margin: 0 }" },
};

const app = new Hono<Env>();
app.use(logger((line) => console.log(line)));
app.use(timing());
app.use("/api/*", cors({ origin: "https://example.com", credentials: true }), secureHeaders());
app.use("/static/*", etag());
app.use("/form", csrf());
app.use("/private/*", (c, next) => jwt({ secret: c.env.SECRET, alg: "HS256" })(c, next));

app.get("/", (c) => c.text("home"));
app.get("/users/:id{[0-9]+}", (c) => c.json({ id: Number(c.req.param("id")), query: c.req.queries("tag") ?? [] }));
app.get("/static/*", (c) => {
  const file = files[c.req.path];
  return file ? c.body(file.text, 200, { "content-type": file.type }) : c.notFound();
});
app.post(
  "/api/orders",
  zValidator("json", z.object({ item: z.string().min(2), count: z.number().int().positive().default(1) })),
  (c) => c.json(c.req.valid("json"), 201),
);
app.post("/form", async (c) => {
  const form = await c.req.parseBody({ all: true });
  const file = form.file as File;
  return c.json({ name: form.name, tags: form.tags, file: [file.name, file.type, await file.text()] });
});
app.get("/token", async (c) => c.text(await sign({ sub: "ada", exp: Math.floor(Date.now() / 1000) + 60 }, c.env.SECRET)));
app.get("/private/me", (c) => c.json(c.get("jwtPayload" as never)));
app.get("/cookies", async (c) => {
  setCookie(c, "plain", "1", { path: "/", httpOnly: true, sameSite: "Lax" });
  await setSignedCookie(c, "signed", "two", c.env.SECRET, { secure: true });
  return c.json({ plain: getCookie(c, "plain") ?? null, signed: await getSignedCookie(c, c.env.SECRET, "signed") ?? null });
});
app.get("/sse", (c) =>
  streamSSE(c, async (stream) => {
    for (let id = 0; id < 3; id++) {
      await stream.writeSSE({ data: `tick ${id}`, event: "tick", id: String(id) });
      await stream.sleep(5);
    }
  }));
app.get("/words", (c) =>
  streamText(c, async (stream) => {
    for (const word of ["one", "two", "three"]) await stream.writeln(word);
  }));
app.get("/page", (c) => {
  const Page = ({ title, children }: { title: string; children?: unknown }) => (
    <html>
      <h1 class="title">{title}</h1>
      <ul>{[1, 2].map((n) => <li key={n}>{n}</li>)}</ul>
      {children}
    </html>
  );
  return c.html(<Page title="<Hono>"><p>inside</p></Page>);
});
app.get("/teapot", () => {
  throw new HTTPException(418, { message: "I'm a teapot" });
});
app.get("/broken", () => {
  throw new Error("broken on purpose");
});
app.onError((error, c) => error instanceof HTTPException ? error.getResponse() : c.json({ error: error.message }, 500));
app.notFound((c) => c.json({ missing: c.req.path }, 404));
app.route("/nested", new Hono().basePath("/deep").get("/:rest{.+}", (c) => c.text(c.req.param("rest"))));

export default app;
