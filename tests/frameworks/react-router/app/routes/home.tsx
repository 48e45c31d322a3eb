import { useState } from "react";
import { Link, useLoaderData, type LoaderFunctionArgs } from "react-router";

export function loader({ request }: LoaderFunctionArgs) {
  return { visitor: new URL(request.url).searchParams.get("visitor") ?? "everybody" };
}

export default function Home() {
  const { visitor } = useLoaderData<typeof loader>();
  const [count, setCount] = useState(0);
  return (
    <>
      <h1>React Router</h1>
      <p id="visitor">made for {visitor}</p>
      <button id="count" onClick={() => setCount(count + 1)}>{`count ${count}`}</button>
      <Link to="/about">about</Link>
    </>
  );
}
