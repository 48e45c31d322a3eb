// What apps make of the body of a request. The path is /SHAPE.
const encode = (text) => new TextEncoder().encode(text);
const banner = () => new TransformStream({ start: (controller) => controller.enqueue(encode("BANNER")) });
const put = (UP, body, headers = {}) => fetch(UP, { method: "PUT", headers, body });
const fixed = (request, length) => {
  const { readable, writable } = new FixedLengthStream(length);
  request.body.pipeTo(writable).catch(() => {});
  return readable;
};

const shapes = {
  body: (r, UP) => put(UP, r.body),
  request: (r, UP) => fetch(new Request(UP, r)),
  init: (r, UP) => fetch(UP, r),
  headers: (r, UP) => fetch(UP, { method: r.method, headers: r.headers, body: r.body }),
  twoRequests: (r, UP) => fetch(new Request(new Request(UP, r), { headers: { a: "1" } })),
  ofResponse: (r, UP) => put(UP, new Response(r.body).body),
  clone: (r, UP) => fetch(new Request(UP, r.clone())),
  cloned: (r, UP) => (r.clone(), fetch(new Request(UP, r))),
  tee: (r, UP) => { const [first, second] = r.body.tee(); new Response(first).text(); return put(UP, second); },
  released: (r, UP) => { r.body.getReader().releaseLock(); return put(UP, r.body); },
  bytes: async (r, UP) => put(UP, await r.arrayBuffer()),
  blob: async (r, UP) => put(UP, await r.blob()),
  piped: (r, UP) => put(UP, r.body.pipeThrough(new TransformStream())),
  identity: (r, UP) => put(UP, r.body.pipeThrough(new IdentityTransformStream())),
  changed: (r, UP) => put(UP, r.body.pipeThrough(banner()), r.headers),
  changedRequest: (r, UP) => fetch(new Request(new Request(UP, r), { body: r.body.pipeThrough(banner()) })),
  fixed: (r, UP) => put(UP, fixed(r, Number(r.headers.get("content-length")))),
  delete: (r, UP) => fetch(UP, { method: "DELETE", body: r.body }),
  partly: async (r, UP) => {
    const reader = r.body.getReader();
    await reader.read();
    reader.releaseLock();
    return put(UP, r.body);
  },
  twice: async (r, UP) => { await put(UP, r.body); return put(UP, r.body); },
  isUsed: async (r, UP) => { await put(UP, r.body); return Response.json([r.bodyUsed]); },
  ofUsed: async (r, UP) => { const q = new Request(UP, r); await fetch(q); return Response.json([r.bodyUsed, q.bodyUsed]); },
  echo: (r) => new Response(r.body),
  echoHeaders: (r) => new Response(r.body, { headers: { "content-length": r.headers.get("content-length") ?? "7" } }),
  echoClone: (r) => { r.clone().text(); return new Response(r.body); },
  echoTee: (r) => { const [first, second] = r.body.tee(); new Response(first).text(); return new Response(second); },
  echoTwice: (r) => { const response = new Response(r.body); return new Response(response.body, response); },
  echoResponseClone: (r) => new Response(r.body).clone(),
  echoManual: (r) => new Response(r.body, { encodeBody: "manual", headers: { "content-encoding": "gzip" } }),
  info: (r) => Response.json([r.body === null, r.headers.get("content-length")]),
  text: async (r) => new Response(await r.text()),
  noBody: (r, UP) => fetch(UP, { method: "PATCH" }),
  emptyText: (r, UP) => fetch(UP, { method: "DELETE", body: "" }),
  claimed: (r, UP) => put(UP, new Response("abc").body.pipeThrough(new TransformStream()), { "content-length": "2" }),
  claimedOfText: (r, UP) => put(UP, "abc", { "content-length": "2" }),
  claimedOfNone: (r, UP) => fetch(UP, { headers: { "content-length": "2" } }),
  getOfBody: (r, UP) => fetch(UP, { method: "GET", body: r.body }),
  getOfRequest: (r, UP) => fetch(new Request(new Request(UP, r), { method: "GET" })),
};

// And an upload that the app gives up, once it is asked to.
let giveUp;
shapes.giveUp = () => (giveUp(), new Response("given up"));
shapes.aborted = (r, UP) => {
  const { readable, writable } = new TransformStream();
  const abort = new AbortController();
  const sent = fetch(UP, { method: "PUT", body: readable, signal: abort.signal });
  writable.getWriter().write(encode("abc")).catch(() => {});
  giveUp = () => abort.abort();
  return sent;
};

export default {
  async fetch(request, env) {
    const name = new URL(request.url).pathname.slice(1);
    try {
      return await shapes[name](request, `${env.UP}/${name}`);
    } catch (error) {
      return new Response(error.name, { status: 599 });
    }
  },
};
