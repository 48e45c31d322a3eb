import { Hono } from "hono";
import { Suspense } from "hono/jsx";
import { jsxRenderer } from "hono/jsx-renderer";
import { Counter } from "./counter";

const app = new Hono();

app.use(
  jsxRenderer(
    ({ children }) => (
      <html lang="en">
        <head>
          <title>Hono</title>
          <link rel="icon" href="data:," />
          <link rel="stylesheet" href="/client.css" />
          <script type="module" src="/client.js"></script>
        </head>
        <body>{children}</body>
      </html>
    ),
    { stream: true },
  ),
);

app.get("/", (c) =>
  c.render(
    <>
      <h1>Hono</h1>
      <p id="visitor">{`made for ${c.req.query("visitor") ?? "everybody"}`}</p>
      <div id="counter">
        <Counter />
      </div>
      <a href="/about">about</a>
    </>,
  ),
);

app.get("/about", (c) => c.render(<p id="about">about this app</p>));

const form = (
  <form method="post">
    <input id="name" name="name" />
    <button id="send">send</button>
  </form>
);

app.get("/form", (c) => c.render(form));

app.post("/form", async (c) => {
  const { name } = await c.req.parseBody();
  return c.render(
    <>
      {form}
      <p id="greeting">{`hello ${name}`}</p>
    </>,
  );
});

async function Late({ gate }: { gate: string }) {
  return <p>{await (await fetch(gate)).text()}</p>;
}

app.get("/stream", (c) =>
  c.render(
    <Suspense fallback={<p>waiting</p>}>
      <Late gate={c.req.query("gate")!} />
    </Suspense>,
  ),
);

app.get("/api/hello", (c) => c.json({ hello: c.req.query("name") }));

app.post("/api/hello", async (c) => c.json({ hello: (await c.req.json()).name }));

app.notFound((c) => {
  c.status(404);
  return c.render(<h1>nothing here</h1>);
});

export default app;
