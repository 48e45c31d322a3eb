import { createFileRoute, Link } from "@tanstack/react-router";
import { createServerFn } from "@tanstack/react-start";
import { useState } from "react";

/** Runs on the server, also when the browser navigates. */
const greet = createServerFn()
  .validator((visitor: string) => visitor)
  .handler(({ data }) => `made for ${data}`);

export const Route = createFileRoute("/")({
  validateSearch: ({ visitor }) => ({ visitor: visitor as string | undefined }),
  loaderDeps: ({ search }) => search,
  loader: ({ deps }) => greet({ data: deps.visitor ?? "everybody" }),
  component: Home,
});

function Home() {
  const [count, setCount] = useState(0);
  return (
    <>
      <h1>TanStack Start</h1>
      <p id="visitor">{Route.useLoaderData()}</p>
      <button id="count" onClick={() => setCount(count + 1)}>{`count ${count}`}</button>
      <Link to="/about">about</Link>
    </>
  );
}
