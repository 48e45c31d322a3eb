"use client";

import { useActionState } from "react";
import { greet } from "./greet";

export default function Greeter() {
  const [greeting, send] = useActionState(greet, "");
  return (
    <form action={send}>
      <input id="name" name="name" />
      <button id="send">send</button>
      {greeting && <p id="greeting">{greeting}</p>}
    </form>
  );
}
