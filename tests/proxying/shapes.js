// What proxies make of a response. The path is /SHAPE/RESOURCE of the upstream.
const encode = (text) => new TextEncoder().encode(text);
const banner = () => new TransformStream({ start: (controller) => controller.enqueue(encode("BANNER\n")) });
const changed = (coding) => (r) => {
  const response = new Response(r.body, r);
  if (coding === null) response.headers.delete("content-encoding");
  else response.headers.set("content-encoding", coding);
  return response;
};
const fixed = (init) => {
  const { readable, writable } = new FixedLengthStream(5);
  const writer = writable.getWriter();
  writer.write(encode("hello"));
  writer.close();
  return new Response(readable, init);
};
const gzip = { "content-encoding": "gzip" };

const shapes = {
  direct: (r) => r,
  body: (r) => new Response(r.body, r),
  headers: (r) => new Response(r.body, { headers: r.headers }),
  copied: (r) => new Response(r.body, { status: r.status, headers: new Headers(r.headers) }),
  object: (r) => new Response(r.body, { status: r.status, headers: Object.fromEntries(r.headers) }),
  text: async (r) => new Response(await r.text(), r),
  textAndHeaders: async (r) => new Response(await r.text(), { headers: r.headers }),
  bytes: async (r) => new Response(await r.arrayBuffer(), r),
  json: (r) => Response.json({ a: 1 }, r),
  none: (r) => new Response(null, r),
  noneAndHeaders: (r) => new Response(null, { headers: r.headers }),
  notModified: (r) => new Response(null, { status: 304, headers: r.headers }),
  piped: (r) => new Response(r.body.pipeThrough(banner()), r),
  identity: (r) => new Response(r.body.pipeThrough(new IdentityTransformStream()), r),
  clone: (r) => r.clone(),
  cloned: (r) => (r.clone(), r),
  cloneRead: async (r) => (await r.clone().text(), r),
  tee: (r) => new Response(r.body.tee()[1], r),
  rewritten: (r) => new HTMLRewriter().transform(new Response(r.body, r)),
  rewrittenDirectly: (r) => new HTMLRewriter().on("p", { element() {} }).transform(r),
  notEncoded: changed(null),
  identityCoding: changed("identity"),
  brotli: changed("br"),
  gzip: changed("gzip"),
  zstd: changed("zstd"),
  list: changed("gzip, br"),
  manual: (r) => new Response(r.body, { headers: r.headers, encodeBody: "manual" }),
  manualText: async (r) => new Response(await r.text(), { headers: r.headers, encodeBody: "manual" }),
  manualCopied: (r) => {
    const manual = new Response("abc", { headers: r.headers, encodeBody: "manual" });
    return new Response(manual.body, manual);
  },
  manualRewritten: () => new HTMLRewriter().transform(new Response("abc", { headers: gzip, encodeBody: "manual" })),
  ownGzip: () => new Response("abc", { headers: gzip }),
  ownBrotli: () => new Response("abc", { headers: { "content-encoding": "br" } }),
  ownDeflate: () => new Response("abc", { headers: { "content-encoding": "deflate" } }),
  ownLength: () => new Response("abc", { headers: { "content-length": "7" } }),
  ownLengthOfStream: () => new Response(new Blob(["abc"]).stream().pipeThrough(banner()), { headers: { "content-length": "7" } }),
  fixed: () => fixed(),
  fixedGzip: () => fixed({ headers: gzip }),
  fixedLength: () => fixed({ headers: { "content-length": "9" } }),
  read: async (r) => Response.json([r.status, r.statusText, r.body === null, r.headers.get("content-encoding"), await r.text()]),
  otherName: () => new Response("abc", { encodeBody: "none" }),
};

export default {
  async fetch(request, env) {
    const [, shape, resource] = new URL(request.url).pathname.split("/");
    try {
      return await shapes[shape](await fetch(`${env.UP}/${resource}`, { method: request.method }));
    } catch (error) {
      return new Response(error.name, { status: 599 });
    }
  },
};
