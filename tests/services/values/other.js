import { WorkerEntrypoint } from "cloudflare:workers";

/** Values of which some cross between apps, and others do not. */
const made = {
  blob: () => new Blob(["abc"], { type: "text/x" }),
  file: () => new File(["abc"], "n.txt", { type: "text/x", lastModified: 5 }),
  formData: () => { const f = new FormData(); f.append("a", "1"); return f; },
  url: () => new URL("http://x/"),
  params: () => new URLSearchParams("a=1"),
  signal: () => new AbortController().signal,
  aborted: () => AbortSignal.abort("why"),
  timeout: () => AbortSignal.timeout(50),
  controller: () => new AbortController(),
  pair: () => new WebSocketPair(),
  socket: () => new WebSocketPair()[0],
  event: () => new Event("x"),
  target: () => new EventTarget(),
  cryptoKey: () => crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, true, ["sign"]),
  encoder: () => new TextEncoder(),
  transform: () => new TransformStream(),
  identity: () => new IdentityTransformStream(),
  fixed: () => new FixedLengthStream(5),
  compression: () => new CompressionStream("gzip"),
  pattern: () => new URLPattern({ pathname: "/a" }),
  wsresponse: () => new Response(null, { status: 101, webSocket: new WebSocketPair()[0] }),
  nested: () => ({ a: [new Blob(["q"])] }),
  channel: () => new MessageChannel(),
  port: () => new MessageChannel().port1,
  symbol: () => Symbol("x"),
  generator: () => (function* () {})(),
  klass: () => new (class Foo { x = 1 })(),
  date: () => new Date(5),
  digest: () => new crypto.DigestStream("SHA-256"),
  blobOfParts: () => new Blob(["a", new Uint8Array([0, 255]), new Blob(["xyz"]).slice(1, 2)], { type: "TEXT/Y" }),
  empty: () => new Blob(),
  long: () => new Blob(["x".repeat(3_000_000)]),
  nestedTwice: () => { const blob = new Blob(["q"]); return { a: [blob, blob], b: new Map([["k", blob]]) }; },
  inError: () => Object.assign(new Error("e"), { blob: new Blob(["q"]) }),
};

/** Says what a value is. */
async function shown(value) {
  if (value instanceof Blob) {
    const bytes = new Uint8Array(await value.arrayBuffer());
    return [value.constructor.name, value.size, value.type, bytes.length, [...bytes.slice(0, 9)], await value.slice(1, 2).text()];
  }
  if (Array.isArray(value)) return Promise.all(value.map(shown));
  if (value instanceof Map) return ["Map", await shown([...value])];
  if (value?.constructor === Object) return Promise.all(Object.entries(value).map(shown));
  return typeof value === "object" && value !== null ? Object.prototype.toString.call(value) : String(value);
}

export default class extends WorkerEntrypoint {
  take(value) {
    return shown(value);
  }
  give(name) {
    return made[name]();
  }
  back(value) {
    return value;
  }
}
