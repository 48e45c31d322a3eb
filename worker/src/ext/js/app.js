// One app: finds its handler and calls it for each request. `install` and `dispatch` are called from Rust.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    FunctionPrototypeToString,
    JSONParse,
    ObjectDefineProperty,
    ObjectFreeze,
    PromisePrototype,
    PromisePrototypeThen,
    PromiseResolve,
    ObjectPrototypeIsPrototypeOf,
    StringPrototypeStartsWith,
    Symbol,
    TypeError,
  } = primordials;
  const { op_background } = core.ops;
  core.loadExtScript("ext:nano_worker/error_classes.js");
  const { lazyInterfaces, loadInterface, log } = core.loadExtScript("ext:nano_worker/globals.js");
  const { listen, reportError } = core.loadExtScript("ext:nano_worker/global_events.js");
  const { InnerRequest } = core.loadExtScript("ext:nano_worker/request.js");
  const { describe, fail, respond } = core.loadExtScript("ext:nano_worker/respond.js");
  const { fromInnerRequest } = core.loadExtScript("ext:deno_fetch/23_request.js");
  const { ResponsePrototype, responseBodyUsed } = core.loadExtScript("ext:deno_fetch/23_response.js");
  const { handleWasmStreaming } = core.loadExtScript("ext:deno_fetch/26_fetch.js");
  const { Event, EventTargetPrototype, listenerCount } = core.loadExtScript("ext:deno_web/02_event.js");
  const { setLocationHref } = core.loadExtScript("ext:deno_web/12_location.js");
  const { setAsyncContext } = core;

  const ERROR = 3;
  let env;
  let variables;
  let handler;

  /** The handler's third argument. */
  class ExecutionContext {
    props = {};
    waitUntil(promise) {
      op_background(1);
      const done = () => op_background(-1);
      PromisePrototypeThen(PromiseResolve(promise), done, (error) => {
        log(`Uncaught (in waitUntil) ${describe(error)}`, ERROR);
        done();
      });
    }
    passThroughOnException() {
      // Accepted for compatibility: there is no origin behind the app to pass to.
    }
  }

  const _context = Symbol("context");
  const _response = Symbol("response");

  /** What `addEventListener("fetch", ...)` receives. */
  class FetchEvent extends Event {
    constructor(type, init) {
      super(type, init);
      this.request = init.request;
      this[_context] = init[_context];
    }
    respondWith(response) {
      if (this[_response] !== undefined) throw new TypeError("respondWith() was already called");
      this[_response] = PromiseResolve(response);
    }
    waitUntil(promise) {
      this[_context].waitUntil(promise);
    }
    passThroughOnException() {}
  }

  function handlerOf(exported) {
    if (typeof exported === "function") {
      const isClass = StringPrototypeStartsWith(FunctionPrototypeToString(exported), "class") ||
        typeof exported.prototype?.fetch === "function";
      if (!isClass) return exported;
      if (typeof exported.prototype.fetch !== "function") return undefined;
      // As WorkerEntrypoint: one instance per request, with env and ctx as properties.
      return (request, env, ctx) => new exported(ctx, env).fetch(request, env, ctx);
    }
    if (typeof exported?.fetch === "function") {
      return (request, env, ctx) => exported.fetch(request, env, ctx);
    }
    return undefined;
  }

  function listenerHandler() {
    for (const name in env) {
      ObjectDefineProperty(globalThis, name, core.propWritable(env[name]));
    }
    return (request, _env, ctx) => {
      const event = new FetchEvent("fetch", { cancelable: true, request, [_context]: ctx });
      globalThis.dispatchEvent(event);
      if (event[_response] === undefined) {
        throw new TypeError("no fetch listener called event.respondWith()");
      }
      return event[_response];
    };
  }

  /** What V8 calls for WebAssembly.compileStreaming and instantiateStreaming. */
  function compileStreaming(source, rid) {
    if (ObjectPrototypeIsPrototypeOf(ResponsePrototype, source) && responseBodyUsed(source)) {
      core.abortWasmStreaming(rid, new TypeError("the body of the response has been used already"));
    } else {
      handleWasmStreaming(source, rid);
    }
  }

  /** Before the app's modules run. `entries` are names and values as JSON text. */
  function prepare(entries) {
    env = {};
    variables = entries;
    for (let i = 0; i < entries.length; i += 2) {
      env[entries[i]] = JSONParse(entries[i + 1]);
    }
    ObjectDefineProperty(globalThis, "FetchEvent", core.propNonEnumerable(FetchEvent));
    core.setWasmStreamingCallback(handleWasmStreaming);
    listen();
    delete globalThis.Deno;
    delete globalThis.__bootstrap;
    delete globalThis.__nano;
  }

  /** After the app's modules ran. Says whether there is a handler. */
  function install(namespace) {
    handler = handlerOf(namespace.default);
    if (handler === undefined && listenerCount(globalThis, "fetch") > 0) handler = listenerHandler();
    return handler !== undefined;
  }

  function dispatch(id) {
    setAsyncContext({ __proto__: null, request: id });
    try {
      const request = fromInnerRequest(new InnerRequest(id), "immutable");
      const result = handler(request, env, new ExecutionContext());
      if (ObjectPrototypeIsPrototypeOf(PromisePrototype, result) || typeof result?.then === "function") {
        PromisePrototypeThen(
          PromiseResolve(result),
          (response) => respond(id, response),
          (error) => fail(id, error),
        );
      } else {
        respond(id, result);
      }
    } catch (error) {
      fail(id, error);
    } finally {
      setAsyncContext(undefined);
    }
  }

  ObjectDefineProperty(globalThis, "reportError", core.propWritable(reportError));
  globalThis.__nano = { prepare, install, dispatch, lazyInterfaces, loadInterface };
  return { variables: () => variables };
})();
