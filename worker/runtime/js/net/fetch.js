// fetch(), with what deno_fetch leaves out: ranges of blob: URLs and integrity, both loaded on first use, and the trace that
// the current request is part of.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypePush,
    ArrayPrototypeSome,
    ObjectPrototypeIsPrototypeOf,
    PromiseReject,
    RegExpPrototypeTest,
    SafeArrayIterator,
    SafeRegExp,
    StringPrototypeToLowerCase,
  } = primordials;
  const { op_request_header } = core.ops;
  const load = core.loadExtScript;
  const { fetch: fetchAnything } = load("ext:deno_fetch/26_fetch.js");
  const { Request, RequestPrototype, toInnerRequest } = load("ext:deno_fetch/23_request.js");
  const { URLPrototype } = load("ext:deno_web/00_url.js");

  const BLOB_URL = new SafeRegExp(/^[\0- ]*blob:/i);

  // https://www.w3.org/TR/trace-context/
  const TRACE = ["traceparent", "tracestate"];

  /** Adds the trace of the current request unless the new one sets its own. Returns undefined if there is no trace. */
  function traced(input, init) {
    const id = core.getAsyncContext()?.request;
    if (!id) return undefined;
    const fields = [];
    try {
      for (const name of new SafeArrayIterator(TRACE)) {
        const value = op_request_header(id, name);
        if (value !== null) ArrayPrototypePush(fields, [name, value]);
      }
    } catch {
      // The request has ended and its head is gone.
    }
    if (fields[0]?.[0] !== "traceparent") return undefined;
    const request = new Request(input, init);
    const { headerList } = toInnerRequest(request);
    const isOwn = (field) => StringPrototypeToLowerCase(field[0]) === "traceparent";
    if (ArrayPrototypeSome(headerList, isOwn)) return request;
    ArrayPrototypePush(headerList, ...new SafeArrayIterator(fields));
    return request;
  }

  function fetch(input, init = undefined) {
    if (arguments.length === 0) return fetchAnything();
    if (typeof input === "object" && input !== null) {
      if (ObjectPrototypeIsPrototypeOf(RequestPrototype, input)) {
        const { blobUrlEntry, integrity } = toInnerRequest(input);
        if (blobUrlEntry !== null) return load("ext:nano_net/blob_urls.js").fetchBlob(input, init);
        if (integrity && init?.integrity === undefined) {
          return load("ext:nano_net/integrity.js").fetchIntact(fetchAnything, input, init);
        }
      } else if (ObjectPrototypeIsPrototypeOf(URLPrototype, input)) {
        input = input.href;
      }
    }
    if (typeof input === "string" && RegExpPrototypeTest(BLOB_URL, input)) {
      return load("ext:nano_net/blob_urls.js").fetchBlob(input, init);
    }
    if (init?.integrity) return load("ext:nano_net/integrity.js").fetchIntact(fetchAnything, input, init);
    let request;
    try {
      request = traced(input, init);
    } catch (error) {
      return PromiseReject(error);
    }
    return request === undefined ? fetchAnything(input, init) : fetchAnything(request);
  }

  return { fetch, traced };
})();
