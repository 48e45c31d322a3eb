import { createRootRoute, HeadContent, Scripts } from "@tanstack/react-router";
import type { ReactNode } from "react";
import style from "../style.css?url";

export const Route = createRootRoute({
  head: () => ({
    meta: [{ title: "TanStack Start" }],
    links: [{ rel: "icon", href: "data:," }, { rel: "stylesheet", href: style }],
  }),
  shellComponent: Shell,
});

function Shell({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <head>
        <HeadContent />
      </head>
      <body>
        {children}
        <Scripts />
      </body>
    </html>
  );
}
