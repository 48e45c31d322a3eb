import { Await, createFileRoute } from "@tanstack/react-router";
import { Suspense } from "react";

export const Route = createFileRoute("/stream")({
  validateSearch: ({ gate }) => ({ gate: gate as string }),
  loaderDeps: ({ search }) => search,
  // The page does not wait for a promise inside the data.
  loader: ({ deps }) => ({ late: fetch(deps.gate).then((response) => response.text()) }),
  component: Stream,
});

function Stream() {
  const { late } = Route.useLoaderData();
  return (
    <Suspense fallback={<p>waiting</p>}>
      <Await promise={late}>{(text) => <p>{text}</p>}</Await>
    </Suspense>
  );
}
