// fetch(), with what deno_fetch leaves out: ranges of blob: URLs, and integrity. Both load when they are asked for.
(function () {
  const { core, primordials } = __bootstrap;
  const { ObjectPrototypeIsPrototypeOf, RegExpPrototypeTest, SafeRegExp } = primordials;
  const load = core.loadExtScript;
  const { fetch: fetchAnything } = load("ext:deno_fetch/26_fetch.js");
  const { RequestPrototype, toInnerRequest } = load("ext:deno_fetch/23_request.js");
  const { URLPrototype } = load("ext:deno_web/00_url.js");

  const BLOB_URL = new SafeRegExp(/^[\0- ]*blob:/i);

  function fetch(input, init = undefined) {
    if (arguments.length === 0) return fetchAnything();
    if (typeof input === "object" && input !== null) {
      if (ObjectPrototypeIsPrototypeOf(RequestPrototype, input)) {
        const { blobUrlEntry, integrity } = toInnerRequest(input);
        if (blobUrlEntry !== null) return load("ext:nano_worker/blob_urls.js").fetchBlob(input, init);
        if (integrity && init?.integrity === undefined) {
          return load("ext:nano_worker/integrity.js").fetchIntact(fetchAnything, input, init);
        }
      } else if (ObjectPrototypeIsPrototypeOf(URLPrototype, input)) {
        input = input.href;
      }
    }
    if (typeof input === "string" && RegExpPrototypeTest(BLOB_URL, input)) {
      return load("ext:nano_worker/blob_urls.js").fetchBlob(input, init);
    }
    if (init?.integrity) return load("ext:nano_worker/integrity.js").fetchIntact(fetchAnything, input, init);
    return fetchAnything(input, init);
  }

  return { fetch };
})();
