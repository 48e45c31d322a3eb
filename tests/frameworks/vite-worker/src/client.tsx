import { hydrateRoot } from "react-dom/client";
import { Page } from "./page";
import "./style.css";

// What the worker has rendered the page from.
const props = JSON.parse(document.body.dataset.props ?? "{}");

hydrateRoot(document.getElementById("root")!, <Page {...props} />);
