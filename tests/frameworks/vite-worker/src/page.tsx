import { useState } from "react";

export interface PageProps {
  path: string;
  visitor?: string;
  greeting?: string;
}

export function Page({ path, visitor, greeting }: PageProps) {
  if (path === "/") return <Home visitor={visitor ?? "everybody"} />;
  if (path === "/about") return <p id="about">about this app</p>;
  if (path === "/form") return <Form greeting={greeting} />;
  return <h1>nothing here</h1>;
}

function Home({ visitor }: { visitor: string }) {
  const [count, setCount] = useState(0);
  return (
    <>
      <h1>Vite and a worker</h1>
      <p id="visitor">made for {visitor}</p>
      <button id="count" onClick={() => setCount(count + 1)}>{`count ${count}`}</button>
      <a href="/about">about</a>
    </>
  );
}

function Form({ greeting }: { greeting?: string }) {
  return (
    <form method="post">
      <input id="name" name="name" />
      <button id="send">send</button>
      {greeting && <p id="greeting">{greeting}</p>}
    </form>
  );
}
