// What stands in `env` for another app, or for the app's own static files: an object with fetch(). Of another app, it has all methods and properties.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ObjectCreate,
    ObjectPrototype,
    ObjectSetPrototypeOf,
    PromisePrototypeThen,
    PromiseReject,
    Proxy,
    ReflectDeleteProperty,
    ReflectGet,
  } = primordials;
  const { markNotSerializable } = core.loadExtScript("ext:nano_platform/structured_clone.js");
  const { traced } = core.loadExtScript("ext:nano_net/fetch.js");
  const { bindingMember, isOurs } = core.loadExtScript("ext:nano_workers/calls.js");
  const { fetch: fetchAnything } = core.loadExtScript("ext:deno_fetch/26_fetch.js");
  const { Request, toInnerRequest } = core.loadExtScript("ext:deno_fetch/23_request.js");
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");

  /** Makes the error that the other app has thrown what it is on Workers. */
  function asThrown(error) {
    const name = error?.remoteName;
    if (typeof name !== "string") throw error;
    ReflectDeleteProperty(error, "remoteName");
    if (error.name !== name) error.name = name;
    error.remote = true;
    throw error;
  }

  /** Sends a request to the binding with this number. */
  function fetchFrom(number, request) {
    toInnerRequest(request).clientRid = number;
    return PromisePrototypeThen(fetchAnything(request), undefined, asThrown);
  }

  let numberOf;

  class Fetcher {
    /** By it, the request is known to be for a binding, and for which one. */
    #number;

    constructor(key = undefined, number = undefined) {
      if (key !== webidl.brand) webidl.illegalConstructor();
      this[webidl.brand] = webidl.brand;
      this.#number = number;
    }
    static {
      numberOf = (fetcher) => fetcher.#number;
    }
    fetch(input, init = undefined) {
      try {
        webidl.assertBranded(this, FetcherPrototype);
        webidl.requiredArguments(arguments.length, 1, "Failed to execute 'fetch' on 'Fetcher'");
        const request = traced(input, init) ?? new Request(input, init);
        return fetchFrom(this.#number, request);
      } catch (error) {
        return PromiseReject(error);
      }
    }
  }
  webidl.configureInterface(Fetcher);
  markNotSerializable(Fetcher.prototype);
  const FetcherPrototype = Fetcher.prototype;

  // Every other member is one of the other app.
  ObjectSetPrototypeOf(
    FetcherPrototype,
    new Proxy(ObjectCreate(ObjectPrototype), {
      __proto__: null,
      get: (target, key, receiver) =>
        key in target || isOurs(key) ? ReflectGet(target, key, receiver) : bindingMember(numberOf(receiver), key),
      has: (target, key) => key in target || !isOurs(key),
    }),
  );

  /** Returns the object for the binding with this number. */
  const binding = (number) => new Fetcher(webidl.brand, number);

  return { binding, fetchFrom };
})();
