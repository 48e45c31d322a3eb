// The class of what stands for a service: an object with fetch(). Of another app, and of the app's own entrypoints, it has all methods and
// properties.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ObjectCreate,
    ObjectPrototype,
    ObjectSetPrototypeOf,
    PromiseReject,
    Proxy,
    ReflectGet,
    WeakMapPrototypeGet,
    WeakMapPrototypeSet,
  } = primordials;
  const { markNotSerializable } = core.loadExtScript("ext:nano_platform/structured_clone.js");
  const { states } = core.loadExtScript("ext:nano_workers/reach.js");
  const { isOurs, property } = core.loadExtScript("ext:nano_workers/stubs.js");
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");

  const serviceOf = (fetcher) => WeakMapPrototypeGet(states, fetcher) ?? webidl.illegalConstructor();

  class Fetcher {
    constructor(key = undefined, service = undefined) {
      if (key !== webidl.brand) webidl.illegalConstructor();
      stand(this, service);
    }
    fetch(input, init = undefined) {
      try {
        webidl.assertBranded(this, FetcherPrototype);
        webidl.requiredArguments(arguments.length, 1, "Failed to execute 'fetch' on 'Fetcher'");
        const { traced } = core.loadExtScript("ext:nano_net/fetch.js");
        const { Request } = core.loadExtScript("ext:deno_fetch/23_request.js");
        const request = traced(input, init) ?? new Request(input, init);
        return serviceOf(this).fetch(request);
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
        key in target || isOurs(key) ? ReflectGet(target, key, receiver) : property(serviceOf(receiver), key),
      has: (target, key) => key in target || !isOurs(key),
    }),
  );

  /** Has an object of a class below `Fetcher` stand for a service. */
  function stand(object, service) {
    object[webidl.brand] = webidl.brand;
    WeakMapPrototypeSet(states, object, service);
  }

  /** Returns what stands for a service: `fetch(request)` of it, and `reach(path, args)` of its members. */
  const fetcherOf = (service) => new Fetcher(webidl.brand, { __proto__: null, isService: true, ...service });

  return { Fetcher, fetcherOf, stand };
})();
