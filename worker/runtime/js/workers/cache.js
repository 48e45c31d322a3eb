// caches: responses that the app stores in the memory of its worker.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypeFilter,
    ArrayPrototypeIncludes,
    ArrayPrototypePush,
    ObjectPrototypeIsPrototypeOf,
    PromisePrototypeThen,
    RegExpPrototypeTest,
    SafeRegExp,
    String,
    StringPrototypeSplit,
    StringPrototypeToLowerCase,
    TypeError,
  } = primordials;
  const {
    op_cache_body,
    op_cache_delete,
    op_cache_incoming,
    op_cache_match,
    op_cache_put,
    op_cache_take_in,
    op_cache_take_in_bytes,
  } = core.ops;
  const { getHeader } = core.loadExtScript("ext:deno_fetch/20_headers.js");
  const { InnerBody } = core.loadExtScript("ext:deno_fetch/22_body.js");
  const { Request, RequestPrototype, toInnerRequest } = core.loadExtScript("ext:deno_fetch/23_request.js");
  const { fromInnerResponse, newInnerResponse, nullBodyStatus, toInnerResponse } = core
    .loadExtScript("ext:deno_fetch/23_response.js");
  const { readableStreamForRid } = core.loadExtScript("ext:deno_web/06_streams.js");
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
  const { log } = core.loadExtScript("ext:nano_workers/globals.js");
  const { resourceOf, takeStatic } = core.loadExtScript("ext:nano_net/body_streams.js");
  const { isNotModified, listOf, policyOf, rangeOf } = core.loadExtScript("ext:nano_workers/cache_policy.js");

  const WARN = 2;
  const HTTP = new SafeRegExp("^https?:");
  /** Header fields that are computed for each answer, not stored. */
  const RENEWED = ["age", "cf-cache-status", "content-length", "transfer-encoding"];

  const convertOptions = webidl.createDictionaryConverter("CacheQueryOptions", [
    { key: "ignoreMethod", converter: webidl.converters.boolean, defaultValue: false },
  ]);

  function requestOf(value, prefix) {
    value = webidl.converters.RequestInfo_DOMString(value, prefix, "Argument 1");
    return toInnerRequest(ObjectPrototypeIsPrototypeOf(RequestPrototype, value) ? value : new Request(value));
  }

  /** Builds the key of a request. A URL contains no line break, so the keys of two caches never collide. */
  const keyOf = (request, cache) => `${StringPrototypeSplit(request.url(), "#")[0]}\n${cache}`;

  /** Stores a body as it would be sent, up to the limit. Returns whether all of it fitted. */
  async function takeIn(incoming, { body, headerList, isManual }) {
    const request = core.getAsyncContext()?.request ?? 0;
    const bytes = takeStatic(body);
    if (bytes !== undefined) {
      return op_cache_take_in_bytes(
        incoming,
        headerList,
        typeof bytes === "string" ? core.encode(bytes) : bytes,
        !isManual,
        request,
      );
    }
    const { rid, causeOf } = resourceOf(body, "the body of the response");
    try {
      return await op_cache_take_in(incoming, headerList, rid, !isManual, request);
    } catch (error) {
      throw causeOf(error);
    }
  }

  function forget(body) {
    if (body !== null) PromisePrototypeThen(body.stream.cancel(), undefined, () => {});
  }

  /** Builds the answer to a request from a stored response. */
  function answer(request, found) {
    const { 0: status, 1: statusText, 2: headers, 3: age, 4: length, 5: kept } = found;
    const add = (name, value) => ArrayPrototypePush(headers, [name, String(value)]);
    const make = (status, statusText, hasBody, start = 0, end = length) => {
      const inner = newInnerResponse(status, statusText);
      inner.headerList = headers;
      if (hasBody) inner.body = new InnerBody(readableStreamForRid(op_cache_body(kept, headers, start, end)));
      else core.tryClose(kept);
      return fromInnerResponse(inner, "immutable");
    };
    add("age", age);
    add("cf-cache-status", "HIT");
    if (nullBodyStatus(status)) return make(status, statusText, false);
    if (status === 200 && isNotModified(request.headerList, headers)) return make(304, "Not Modified", false);
    const range = status === 200 ? rangeOf(request.headerList, headers, length) : null;
    if (range === null) {
      add("content-length", length);
      return make(status, statusText, true);
    }
    if (range === undefined) {
      add("content-range", `bytes */${length}`);
      return make(416, "Range Not Satisfiable", false);
    }
    add("content-length", range.end - range.start);
    add("content-range", `bytes ${range.start}-${range.end - 1}/${length}`);
    return make(206, "Partial Content", true, range.start, range.end);
  }

  class Cache {
    #name;

    constructor(key = undefined, name = undefined) {
      if (key !== webidl.brand) webidl.illegalConstructor();
      this[webidl.brand] = webidl.brand;
      this.#name = name;
    }

    async put(request, response) {
      const prefix = "Failed to execute 'put' on 'Cache'";
      webidl.assertBranded(this, CachePrototype);
      webidl.requiredArguments(arguments.length, 2, prefix);
      request = requestOf(request, prefix);
      response = toInnerResponse(webidl.converters.Response(response, prefix, "Argument 2"));
      const { body, status } = response;
      if (request.method !== "GET") throw new TypeError(`${prefix}: the method of the request is not GET`);
      if (!RegExpPrototypeTest(HTTP, request.url())) {
        throw new TypeError(`${prefix}: the URL of the request is not one of http: or https:`);
      }
      if (status === 206) throw new TypeError(`${prefix}: a response of status 206 is only a part of one`);
      let headers = response.headerList;
      const vary = listOf(getHeader(headers, "vary"));
      if (ArrayPrototypeIncludes(vary, "*")) throw new TypeError(`${prefix}: the response has "Vary: *"`);
      if (body !== null && body.unusable()) throw new TypeError(`${prefix}: the body of the response was used already`);

      // Read before the first await: the request may end meanwhile, answered with this very response.
      const key = keyOf(request, this.#name);
      const { headerList } = request;
      const { age, lifetime, without } = policyOf(status, headers);
      if (lifetime <= age) return forget(body);
      const incoming = op_cache_incoming();
      if (body !== null && !await takeIn(incoming, response)) {
        log(`cache.put: the body for ${request.url()} is too long to be kept`, WARN);
        return;
      }
      headers = ArrayPrototypeFilter(headers, (field) => {
        const name = StringPrototypeToLowerCase(field[0]);
        return !ArrayPrototypeIncludes(RENEWED, name) && !ArrayPrototypeIncludes(without, name);
      });
      const kept = [status, response.statusMessage, headers, lifetime, age];
      op_cache_put(incoming, key, headerList, vary, kept);
    }

    async match(request, options = undefined) {
      const prefix = "Failed to execute 'match' on 'Cache'";
      webidl.assertBranded(this, CachePrototype);
      webidl.requiredArguments(arguments.length, 1, prefix);
      request = requestOf(request, prefix);
      const { ignoreMethod } = convertOptions(options, prefix, "Argument 2");
      if (request.method !== "GET" && !ignoreMethod) return undefined;
      const found = op_cache_match(keyOf(request, this.#name), request.headerList);
      return found === null ? undefined : answer(request, found);
    }

    async delete(request, options = undefined) {
      const prefix = "Failed to execute 'delete' on 'Cache'";
      webidl.assertBranded(this, CachePrototype);
      webidl.requiredArguments(arguments.length, 1, prefix);
      request = requestOf(request, prefix);
      const { ignoreMethod } = convertOptions(options, prefix, "Argument 2");
      if (request.method !== "GET" && !ignoreMethod) return false;
      return op_cache_delete(keyOf(request, this.#name), request.headerList);
    }
  }
  webidl.configureInterface(Cache);
  const CachePrototype = Cache.prototype;

  const defaultCache = new Cache(webidl.brand, "default");

  class CacheStorage {
    constructor() {
      webidl.illegalConstructor();
    }
    get default() {
      webidl.assertBranded(this, CacheStoragePrototype);
      return defaultCache;
    }
    async open(cacheName) {
      const prefix = "Failed to execute 'open' on 'CacheStorage'";
      webidl.assertBranded(this, CacheStoragePrototype);
      webidl.requiredArguments(arguments.length, 1, prefix);
      cacheName = webidl.converters.DOMString(cacheName, prefix, "Argument 1");
      return new Cache(webidl.brand, `named ${cacheName}`);
    }
  }
  webidl.configureInterface(CacheStorage);
  const CacheStoragePrototype = CacheStorage.prototype;

  return { Cache, CacheStorage, caches: webidl.createBranded(CacheStorage) };
})();
