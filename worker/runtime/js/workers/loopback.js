// The app's own entrypoints, as it reaches them itself: `ctx.exports`, and `exports` of cloudflare:workers. They are called in this
// worker, in the course of the same request, with copies of what is given as if they were of another app.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypePush,
    Error,
    ObjectDefineProperty,
    ObjectKeys,
    ObjectSetPrototypeOf,
    SafeArrayIterator,
    TypeError,
  } = primordials;
  const { getAsyncContext, setAsyncContext } = core;
  const { app, ExecutionContext } = core.loadExtScript("ext:nano_workers/context.js");
  const { isEntrypoint, names } = core.loadExtScript("ext:nano_workers/entrypoints.js");
  const { Fetcher, fetcherOf, stand } = core.loadExtScript("ext:nano_workers/fetcher.js");
  const { useEntrypoint } = core.loadExtScript("ext:nano_workers/reach.js");
  const { fetchOwn } = core.loadExtScript("ext:nano_workers/loopback_fetch.js");
  const { callOwn } = core.loadExtScript("ext:nano_workers/stubs.js");
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");

  /** How often an app may have called itself in the course of one call. */
  const MOST_DEPTH = 16;

  /** Calls `action` one level deeper. */
  function deeper(action) {
    const before = getAsyncContext();
    const depth = (before?.loopback ?? 0) + 1;
    if (depth > MOST_DEPTH) throw new Error(`the app has called itself ${MOST_DEPTH} times in the course of one call: does it do so in a loop?`);
    setAsyncContext({ __proto__: null, ...before, loopback: depth });
    try {
      return action();
    } finally {
      setAsyncContext(before);
    }
  }

  /** Stands for the entrypoint of this name, with these props. */
  function serviceOf(name, props) {
    const context = () => new ExecutionContext(webidl.brand, "{}", props);
    return {
      __proto__: null,
      isService: true,
      fetch: (request) => fetchOwn((given) => deeper(() => app.fetchHandler(name)(given, app.env, context())), request),
      reach: (path, args) => callOwn((given) => deeper(() => useEntrypoint(name, path, given, context())), args),
    };
  }

  /** An entrypoint of the app itself. Called, it gives one with other props. */
  class LoopbackServiceStub extends Fetcher {
    constructor() {
      webidl.illegalConstructor();
    }
  }
  webidl.configureInterface(LoopbackServiceStub);

  function stubOf(name) {
    const stub = (options) => {
      if (options === null || (typeof options !== "object" && typeof options !== "function")) {
        throw new TypeError("Failed to execute '(called as function)' on 'LoopbackServiceStub': parameter 1 is not of type 'Options'.");
      }
      const { props } = options;
      return fetcherOf(serviceOf(name === "default" ? "" : name, props === undefined ? undefined : structuredClone(props)));
    };
    delete stub.length;
    delete stub.name;
    ObjectSetPrototypeOf(stub, LoopbackServiceStub.prototype);
    stand(stub, serviceOf(name === "default" ? "" : name, undefined));
    return stub;
  }

  const hasDefault = (value) => typeof value === "function" || (typeof value === "object" && value !== null);

  let all;

  /** Returns the entrypoints by name: objects, then classes, as on Workers. None while the app is loaded. */
  function ownExports() {
    if (all !== undefined) return all;
    const isLoaded = ObjectKeys(app.namespace).length > 0;
    const found = isLoaded && hasDefault(app.exported) ? ["default"] : [];
    if (isLoaded) ArrayPrototypePush(found, ...new SafeArrayIterator(names()));
    const exports = {};
    const add = (isOfClass) => {
      for (let i = 0; i < found.length; i++) {
        const name = found[i];
        if (isEntrypoint(name === "default" ? app.exported : app.namespace[name]) !== isOfClass) continue;
        ObjectDefineProperty(exports, name, { __proto__: null, value: stubOf(name), configurable: true, enumerable: true, writable: true });
      }
    };
    add(false);
    add(true);
    if (isLoaded) all = exports;
    return exports;
  }

  return { ownExports };
})();
