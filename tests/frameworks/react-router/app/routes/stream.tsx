import { Suspense } from "react";
import { Await, useLoaderData, type LoaderFunctionArgs } from "react-router";

export function loader({ request }: LoaderFunctionArgs) {
  const gate = new URL(request.url).searchParams.get("gate")!;
  return { late: fetch(gate).then((response) => response.text()) };
}

export default function Stream() {
  const { late } = useLoaderData<typeof loader>();
  return (
    <Suspense fallback={<p>waiting</p>}>
      <Await resolve={late}>{(text) => <p>{text}</p>}</Await>
    </Suspense>
  );
}
