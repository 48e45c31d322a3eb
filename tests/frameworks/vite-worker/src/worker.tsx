import { Suspense, use, type ReactNode } from "react";
import { renderToReadableStream } from "react-dom/server";
import { Page, type PageProps } from "./page";

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname: path, searchParams } = new URL(request.url);
    if (path === "/api/hello") {
      const name = request.method === "POST" ? (await request.json<{ name: string }>()).name : searchParams.get("name");
      return Response.json({ hello: name });
    }
    if (path === "/stream") {
      const late = fetch(searchParams.get("gate")!).then((response) => response.text());
      return html(<Suspense fallback={<p>waiting</p>}><Late text={late} /></Suspense>);
    }
    const props: PageProps = { path, visitor: searchParams.get("visitor") ?? undefined };
    if (path === "/form" && request.method === "POST") props.greeting = `hello ${(await request.formData()).get("name")}`;
    const status = ["/", "/about", "/form"].includes(path) ? 200 : 404;
    return html(<Page {...props} />, { status, props });
  },
};

function Late({ text }: { text: Promise<string> }) {
  return <p>{use(text)}</p>;
}

/** A page. With `props`, the browser makes it alive. */
async function html(children: ReactNode, { status = 200, props }: { status?: number; props?: PageProps } = {}) {
  const page = (
    <html lang="en">
      <head>
        <title>Vite and a worker</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/client.css" />
        {props && <script type="module" src="/client.js" />}
      </head>
      <body data-props={JSON.stringify(props)}>
        <div id="root">{children}</div>
      </body>
    </html>
  );
  return new Response(await renderToReadableStream(page), { status, headers: { "content-type": "text/html; charset=utf-8" } });
}
