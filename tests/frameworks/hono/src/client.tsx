import { hydrateRoot } from "hono/jsx/dom/client";
import { Counter } from "./counter";
import "./style.css";

const root = document.getElementById("counter");
if (root) hydrateRoot(root, <Counter />);
