// fetch() of the app's own entrypoints: what the handler gets and what comes back are objects of their own, as if they had gone through
// another process, and redirects are followed, as on Workers.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypeFilter,
    ArrayPrototypeJoin,
    ArrayPrototypeMap,
    ArrayPrototypePush,
    ObjectPrototypeIsPrototypeOf,
    Promise,
    PromisePrototypeThen,
    PromiseReject,
    StringPrototypeIndexOf,
    StringPrototypeSlice,
    StringPrototypeToLowerCase,
    TypeError,
  } = primordials;
  const { packError, unpack } = core.loadExtScript("ext:nano_workers/call_values.js");
  const { remote } = core.loadExtScript("ext:nano_workers/stubs.js");
  const { add, remove } = core.loadExtScript("ext:deno_web/03_abort_signal.js");
  const { FormDataPrototype } = core.loadExtScript("ext:deno_fetch/21_formdata.js");
  const { Request, toInnerRequest } = core.loadExtScript("ext:deno_fetch/23_request.js");
  const { fromInnerResponse, newInnerResponse, redirectStatus, responseBodyUsed, responseIsError, ResponsePrototype, toInnerResponse } =
    core.loadExtScript("ext:deno_fetch/23_response.js");
  const { URL } = core.loadExtScript("ext:deno_web/00_url.js");

  /** Most redirects of one fetch. */
  const MOST_REDIRECTS = 20;

  const named = (fields, name) => ArrayPrototypeFilter(fields, (field) => StringPrototypeToLowerCase(field[0]) === name);
  const without = (fields, name) => ArrayPrototypeFilter(fields, (field) => StringPrototypeToLowerCase(field[0]) !== name);

  /** Returns the URL as handlers see it. */
  function withoutFragment(url) {
    const at = StringPrototypeIndexOf(url, "#");
    return at < 0 ? url : StringPrototypeSlice(url, 0, at);
  }

  /** Returns the request as the handler gets it. */
  function handed(request, url) {
    const given = new Request(request, { __proto__: null, redirect: "manual" });
    const { urlList } = toInnerRequest(given);
    urlList.length = 0;
    ArrayPrototypePush(urlList, () => url);
    toInnerRequest(given).urlListProcessed = [];
    return given;
  }

  /** Asks a handler, whose errors are those of another app. */
  async function asked(handler, request, fields) {
    try {
      const response = await handler(request);
      if (!ObjectPrototypeIsPrototypeOf(ResponsePrototype, response)) throw new TypeError("the fetch handler must return a Response");
      if (responseIsError(response)) throw new TypeError("the fetch handler returned Response.error()");
      if (responseBodyUsed(response)) throw new TypeError("the body of the returned Response has been used already");
      const inner = toInnerResponse(response);
      const protocol = named(fields, "upgrade")[0]?.[1];
      if (inner.webSocket !== undefined && (protocol === undefined || StringPrototypeToLowerCase(protocol) !== "websocket")) {
        throw new TypeError(
          'Worker tried to return a WebSocket in a response to a request which did not contain the header "Upgrade: websocket".',
        );
      }
      return inner;
    } catch (error) {
      throw remote(unpack(packError([], error))[0]);
    }
  }

  /** Returns the response that the app gets in place of that of the handler. */
  function received(inner, urls, isToHead) {
    const response = newInnerResponse(inner.status, inner.statusMessage);
    response.headerList = ArrayPrototypeMap(inner.headerList, (field) => [field[0], field[1]]);
    response.urlList = urls;
    response.webSocket = inner.webSocket;
    response.isManual = inner.isManual;
    response.cf = inner.cf;
    if (isToHead) drop(inner);
    else if (inner.body !== null) response.body = inner.body.createProxy();
    return fromInnerResponse(response, "immutable");
  }

  /** Gives up the body of a response that nobody gets. */
  async function drop({ body }) {
    try {
      await body?.cancel();
    } catch {
      // The handler reads it itself.
    }
  }

  /** Returns the request that a redirect leads to. */
  function redirected({ method, headerList, source, hasBody, signal }, status, from, to) {
    if (hasBody && source === null) {
      throw new TypeError(
        "A request with a one-time-use body (it was initialized from a stream, not a buffer) encountered a redirect requiring the body to be retransmitted. " +
          "To avoid this error in the future, construct this request from a buffer-like body initializer.",
      );
    }
    const becomesGet = (status === 301 || status === 302) && method === "POST" || status === 303 && method !== "HEAD";
    let headers = new URL(from).origin === new URL(to).origin ? headerList : without(headerList, "authorization");
    // It names what separates the parts of a form, and the next one has others.
    if (ObjectPrototypeIsPrototypeOf(FormDataPrototype, source)) headers = without(headers, "content-type");
    const body = becomesGet || !hasBody ? undefined : source;
    return new Request(to, { __proto__: null, method: becomesGet ? "GET" : method, headers, body, signal });
  }

  /** Returns the response of a handler, or of what its redirects lead to. */
  async function follow(handler, request, signal) {
    const { redirectMode } = toInnerRequest(request);
    const urls = [];
    // As on Workers, the handler begins later.
    await undefined;
    for (;;) {
      const made = toInnerRequest(request);
      const { body, headerList, method } = made;
      const url = withoutFragment(made.url());
      const sent = { method, headerList, source: body?.source ?? null, hasBody: body !== null, signal };
      ArrayPrototypePush(urls, url);
      const inner = await asked(handler, handed(request, url), headerList);
      const location = redirectStatus(inner.status) ? named(inner.headerList, "location")[0]?.[1] : undefined;
      if (location === undefined || redirectMode === "manual") return received(inner, urls, method === "HEAD");
      drop(inner);
      if (redirectMode === "error") throw new TypeError("Encountered redirect while redirect mode is set to 'error'");
      if (urls.length > MOST_REDIRECTS) throw new TypeError(`Too many redirects.${ArrayPrototypeJoin(urls, ", ")}`);
      let next;
      try {
        next = new URL(location, url).href;
      } catch {
        throw new TypeError("Invalid Location header; unable to follow redirect.");
      }
      request = redirected(sent, inner.status, url, next);
    }
  }

  /** Fetches from a handler: `handler(request)` returns its response. An abort ends the wait, as of any fetch. */
  function fetchOwn(handler, request) {
    const { signal } = request;
    if (signal.aborted) return PromiseReject(signal.reason);
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal.reason);
      const settles = (settle) => (value) => {
        signal[remove](abort);
        settle(value);
      };
      signal[add](abort);
      PromisePrototypeThen(follow(handler, request, signal), settles(resolve), settles(reject));
    });
  }

  return { fetchOwn };
})();
