import { createFileRoute } from "@tanstack/react-router";

export const Route = createFileRoute("/about")({ component: () => <p id="about">about this app</p> });
