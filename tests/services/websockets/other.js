import { WorkerEntrypoint } from "cloudflare:workers";

/** What has happened to the WebSocket of each story. */
const logs = {};

const shown = (data) => (typeof data === "string" ? ["text", data.length > 50 ? data.length : data] : ["bytes", data.byteLength ?? data.size]);

function take(request) {
  const { searchParams } = new URL(request.url);
  const [how, story] = ["how", "story"].map((name) => searchParams.get(name));
  const log = (logs[story] = []);
  const { 0: client, 1: server } = new WebSocketPair();
  server.addEventListener("message", ({ data }) => log.push(shown(data)));
  server.addEventListener("close", ({ code, reason, wasClean }) => log.push(["close", code, reason, wasClean]));
  server.addEventListener("error", () => log.push(["error"]));
  if (how !== "never") server.accept({ allowHalfOpen: how === "half" });
  if (how === "flood") for (let left = 100; left > 0; left--) server.send(new Uint8Array(65536));
  if (how === "greet") {
    server.send("welcome");
    server.send(new Uint8Array([1, 2, 3]));
    server.close(4001, "enough");
  }
  if (how === "echo") {
    server.binaryType = "arraybuffer";
    server.addEventListener("message", ({ data }) => {
      if (typeof data === "string" && data.startsWith("close ")) return server.close(...JSON.parse(data.slice(6)));
      server.send(data);
    });
  }
  return new Response(null, { status: 101, webSocket: client, headers: { "x-own": "1", "sec-websocket-protocol": "chat" } });
}

async function answer(request) {
  const { pathname, searchParams } = new URL(request.url);
  if (pathname === "/log") return Response.json(logs[searchParams.get("story")] ?? []);
  if (pathname === "/headers") {
    const ours = ["x-request-id", "traceparent"];
    return Response.json([request.method, ...[...request.headers].filter(([name]) => !ours.includes(name))]);
  }
  if (searchParams.get("how") === "refuse") return new Response("no", { status: 403 });
  return take(request);
}

export class Named extends WorkerEntrypoint {
  fetch(request) {
    return answer(request);
  }
}

export default { fetch: answer };
