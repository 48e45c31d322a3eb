// fetch() of a blob: URL. https://fetch.spec.whatwg.org/#scheme-fetch, "blob"
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypePush,
    MathMax,
    MathMin,
    Number,
    PromiseReject,
    PromiseResolve,
    RegExpPrototypeExec,
    SafeRegExp,
    String,
    TypeError,
    uncurryThis,
  } = primordials;
  const load = core.loadExtScript;
  const { BlobPrototype } = load("ext:deno_web/09_file.js");
  const { add } = load("ext:deno_web/03_abort_signal.js");
  const { parseMimeType } = load("ext:deno_web/01_mimesniff.js");
  const { getHeader } = load("ext:deno_fetch/20_headers.js");
  const { extractBody } = load("ext:deno_fetch/22_body.js");
  const { Request, toInnerRequest } = load("ext:deno_fetch/23_request.js");
  const { fromInnerResponse, newInnerResponse } = load("ext:deno_fetch/23_response.js");
  const slice = uncurryThis(BlobPrototype.slice);

  const RANGE = new SafeRegExp(/^bytes[\t ]*=[\t ]*(\d*)[\t ]*-[\t ]*(\d*)$/);

  /** Returns the first and the last byte of a range within `length` bytes. */
  function rangeOf(field, length) {
    const match = RegExpPrototypeExec(RANGE, field);
    if (match === null || (match[1] === "" && match[2] === "")) {
      throw new TypeError(`the Range "${field}" does not name one range of bytes`);
    }
    const { 1: first, 2: last } = match;
    const start = first === "" ? MathMax(length - Number(last), 0) : Number(first);
    const end = first === "" || last === "" ? length - 1 : MathMin(Number(last), length - 1);
    if (start >= length || (first !== "" && last !== "" && Number(first) > Number(last))) {
      throw new TypeError(`the Range "${field}" lies outside of the blob's ${length} bytes`);
    }
    return [start, end];
  }

  function respond(request) {
    if (request.blobUrlEntry === null) throw new TypeError("the URL names no blob, or one that has been revoked");
    if (request.method !== "GET") throw new TypeError(`a blob: URL can be fetched with GET, not with ${request.method}`);
    let blob = request.blobUrlEntry;
    const type = parseMimeType(blob.type) === null ? "" : blob.type;
    const length = blob.size;
    const field = getHeader(request.headerList, "range");
    const response = field === null ? newInnerResponse(200, "OK") : newInnerResponse(206, "Partial Content");
    if (field !== null) {
      const { 0: start, 1: end } = rangeOf(field, length);
      blob = slice(blob, start, end + 1);
      ArrayPrototypePush(response.headerList, ["content-range", `bytes ${start}-${end}/${length}`]);
    }
    ArrayPrototypePush(response.headerList, ["content-length", String(blob.size)], ["content-type", type]);
    response.body = extractBody(blob).body;
    response.type = "basic";
    response.urlList = [request.url()];
    return response;
  }

  function fetchBlob(input, init) {
    try {
      const request = new Request(input, init);
      const { signal } = request;
      if (signal.aborted) return PromiseReject(signal.reason);
      const response = respond(toInnerRequest(request));
      signal[add](() => response.body.error(signal.reason));
      return PromiseResolve(fromInnerResponse(response, "immutable"));
    } catch (error) {
      return PromiseReject(error);
    }
  }

  return { fetchBlob };
})();
