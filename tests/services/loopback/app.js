// Fetches from its own entrypoints, and says what came of each.
import { WorkerEntrypoint } from "cloudflare:workers";

let made;

/** What a handler sees of a request, but for what is not the same everywhere. */
const seen = async (request) => ({
  url: request.url,
  method: request.method,
  headers: [...request.headers].filter(([name]) => name !== "content-length" && name !== "traceparent"),
  body: await request.text(),
  redirect: request.redirect,
});

const to = (location, status = 302) => new Response(null, { status, headers: { location } });

export class Own extends WorkerEntrypoint {
  async fetch(request) {
    const [, what, left] = new URL(request.url).pathname.split("/");
    switch (what) {
      case "raw": return (made = new Response("raw", { headers: { a: "b" } }));
      case "nowhere": return new Response("no location", { status: 302 });
      case "bad": return to("http://");
      case "loop": return to("/loop");
      case "elsewhere": return to("https://else.example/end?x#y");
      case "count": return left > 0 ? to(`/count/${left - 1}`) : new Response("counted");
      case "wait": await scheduler.wait(60_000); return new Response("waited");
      case "to-wait": return to("/wait");
      case "throw": throw new RangeError("thrown");
      case "long": return new Response(new Uint8Array(300_000));
      case "socket": {
        const { 0: client, 1: server } = new WebSocketPair();
        server.accept();
        server.addEventListener("message", ({ data }) => {
          server.send(`echo ${data}`);
          server.close(4000, "done");
        });
        return new Response(null, { status: 101, webSocket: client });
      }
    }
    if (/^3\d\d$/.test(what)) return new Response(what === "304" ? null : "body", { status: Number(what), headers: { location: "/end" } });
    return Response.json(await seen(request), { headers: { x: "1" } });
  }
}

export default {
  async fetch(request, env, ctx) {
    const results = {};
    const { Own } = ctx.exports;
    const own = (path, init) => Own.fetch(`http://own.example${path}`, init);
    const show = async (response) => [response.status, response.url, response.redirected, [...response.headers].filter(([name]) => name !== "content-length"), await response.text()];
    const run = async (name, work, shown = show) => {
      try {
        results[name] = await shown(await work());
      } catch (error) {
        results[name] = ["failed", error.name, error.message, error.remote ?? "own"];
      }
    };
    const stream = () => new Blob(["x".repeat(10)]).stream();
    await run("plain", () => own("/end#fragment"));
    await run("another object", () => own("/raw"), async (response) => {
      let changed;
      try {
        response.headers.set("c", "d");
      } catch (error) {
        changed = error.name;
      }
      return [response === made, changed, await response.text(), made.bodyUsed];
    });
    for (const status of [300, 301, 302, 303, 304, 305, 307, 308]) {
      await run(`GET ${status}`, () => own(`/${status}`));
      await run(`POST ${status}`, () => own(`/${status}`, { method: "POST", body: "text", headers: { "x-a": "1", "content-type": "text/z" } }));
      await run(`PUT ${status}`, () => own(`/${status}`, { method: "PUT", body: new Uint8Array([65]) }));
      await run(`HEAD ${status}`, () => own(`/${status}`, { method: "HEAD" }));
    }
    await run("a stream once more", () => own("/307", { method: "POST", body: stream() }));
    await run("a stream", () => own("/end", { method: "POST", body: stream() }));
    await run("parameters once more", () => own("/307", { method: "POST", body: new URLSearchParams("a=1") }));
    await run("a blob once more", () => own("/308", { method: "PATCH", body: new Blob(["b"], { type: "text/b" }) }));
    await run("elsewhere", () => own("/elsewhere", { headers: { authorization: "a", cookie: "c", "x-y": "1" } }));
    await run("not elsewhere", () => own("/302", { headers: { authorization: "a", cookie: "c" } }));
    await run("manual", () => own("/302", { redirect: "manual" }));
    await run("nowhere", () => own("/nowhere"));
    await run("bad", () => own("/bad"));
    await run("for ever", () => own("/loop"));
    for (const count of [1, 20, 21]) await run(`${count} redirects`, () => own(`/count/${count}`));
    await run("of a client", () => Own.fetch(new Request("http://own.example/302", request)));
    await run("a request", () => Own.fetch(new Request("http://own.example/302")));
    await run("with props", () => Own({ props: { a: 1 } }).fetch("http://own.example/302"));
    await run("HEAD", () => own("/long", { method: "HEAD" }), async (response) => [response.status, response.body, (await response.text()).length]);
    await run("long", () => own("/long"), async (response) => [(await response.arrayBuffer()).byteLength]);
    await run("copied", () => own("/end"), async (response) => [(await response.clone().json()).url, (await response.json()).url]);
    await run("aborted before", () => own("/end", { signal: AbortSignal.abort(new RangeError("before")) }));
    for (const path of ["/wait", "/to-wait"]) await run(`aborted at ${path}`, () => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(new RangeError("enough")), 20);
      return own(path, { signal: controller.signal });
    });
    await run("throws", () => own("/throw"));
    await run("a WebSocket", () => own("/socket", { headers: { Upgrade: "websocket" } }), async ({ status, webSocket }) => {
      webSocket.accept();
      const heard = [];
      const ended = new Promise((resolve) => webSocket.addEventListener("close", ({ code, reason }) => resolve([code, reason])));
      webSocket.addEventListener("message", ({ data }) => heard.push(data));
      webSocket.send("a");
      return [status, await ended, heard];
    });
    await run("a WebSocket that nobody has asked for", () => own("/socket"));
    return Response.json(results);
  },
};
