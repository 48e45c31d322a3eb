// React rendered to a stream, with suspense.
import * as React from "react";
import { Suspense, use } from "react";
import { renderToReadableStream } from "react-dom/server";

function Slow({ promise }: { promise: Promise<string> }) {
  return <p>{use(promise)}</p>;
}

export default {
  async fetch() {
    const promise = new Promise<string>((resolve) => setTimeout(resolve, 20, "late"));
    const stream = await renderToReadableStream(
      <html>
        <body>
          <h1>React</h1>
          <Suspense fallback={<p>waiting</p>}>
            <Slow promise={promise} />
          </Suspense>
        </body>
      </html>,
    );
    return new Response(stream, {
      headers: { "content-type": "text/html", "x-build": React.captureOwnerStack ? "development" : "production" },
    });
  },
};
