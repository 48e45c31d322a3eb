// The app: finds its handler and calls it for each request. `prepare`, `install` and `dispatch` are called from Rust.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypeSlice,
    FunctionPrototypeToString,
    JSONParse,
    ObjectDefineProperty,
    PromisePrototype,
    PromisePrototypeThen,
    PromiseResolve,
    ObjectPrototypeIsPrototypeOf,
    StringPrototypeStartsWith,
    TypeError,
  } = primordials;
  const { lazyInterfaces, loadInterface, setColours } = core.loadExtScript("ext:nano_workers/globals.js");
  const { listen, reportError } = core.loadExtScript("ext:nano_workers/global_events.js");
  const { app, ExecutionContext, FetchEvent, responseOf } = core.loadExtScript("ext:nano_workers/context.js");
  const { missingBinding } = core.loadExtScript("ext:nano_workers/missing_binding.js");
  const { InnerRequest } = core.loadExtScript("ext:nano_workers/request.js");
  const { fail, respond } = core.loadExtScript("ext:nano_workers/respond.js");
  const { fromInnerRequest } = core.loadExtScript("ext:deno_fetch/23_request.js");
  const { ResponsePrototype, responseBodyUsed } = core.loadExtScript("ext:deno_fetch/23_response.js");
  const { handleWasmStreaming } = core.loadExtScript("ext:deno_fetch/26_fetch.js");
  const { listenerCount } = core.loadExtScript("ext:deno_web/02_event.js");
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
  const { setAsyncContext } = core;

  let env;
  let variables;
  let handler;

  function handlerOf(exported) {
    if (typeof exported === "function") {
      const isClass = StringPrototypeStartsWith(FunctionPrototypeToString(exported), "class") ||
        typeof exported.prototype?.fetch === "function";
      if (!isClass) return exported;
      if (typeof exported.prototype.fetch !== "function") return undefined;
      // As with WorkerEntrypoint: one instance per request, with env and ctx as properties.
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
    return (request) => {
      const event = new FetchEvent("fetch", { __proto__: null, cancelable: true, request });
      globalThis.dispatchEvent(event);
      const response = responseOf(event);
      if (response === undefined) throw new TypeError("no fetch listener called event.respondWith()");
      return response;
    };
  }

  /** Serves WebAssembly.compileStreaming and instantiateStreaming. Called by V8. */
  function compileStreaming(source, rid) {
    if (ObjectPrototypeIsPrototypeOf(ResponsePrototype, source) && responseBodyUsed(source)) {
      core.abortWasmStreaming(rid, new TypeError("the body of the response has been used already"));
    } else {
      handleWasmStreaming(source, rid);
    }
  }

  /** Defines global variables: `pairs` of their names, and JSON text or the name of another one. */
  function define(pairs) {
    for (let i = 0; i < pairs.length; i += 2) {
      let value;
      try {
        value = JSONParse(pairs[i + 1]);
      } catch {
        value = globalThis[pairs[i + 1]];
      }
      ObjectDefineProperty(globalThis, pairs[i], core.propWritable(value));
    }
  }

  /**
   * Runs before the app's modules. `settings` holds whether the console has colours, then the props as JSON text, then a
   * list of pairs of names of bindings that are missing and why, then one of names of global variables and what they stand
   * for, then pairs of names in `env` and their values as JSON text.
   */
  function prepare(settings) {
    setColours(settings[0]);
    app.propsText = settings[1];
    const missing = settings[2];
    define(settings[3]);
    variables = ArrayPrototypeSlice(settings, 4);
    app.env = env = {};
    for (let i = 0; i < missing.length; i += 2) {
      env[missing[i]] = missingBinding(missing[i + 1]);
    }
    for (let i = 4; i < settings.length; i += 2) {
      env[settings[i]] = JSONParse(settings[i + 1]);
    }
    ObjectDefineProperty(globalThis, "FetchEvent", core.propNonEnumerable(FetchEvent));
    core.setWasmStreamingCallback(compileStreaming);
    listen();
    delete globalThis.Deno;
    delete globalThis.__bootstrap;
    delete globalThis.__nano;
  }

  /** Runs after the app's modules. Returns whether there is a handler. */
  function install(namespace) {
    handler = handlerOf(namespace.default);
    // A CommonJS module compiled from an ES module has its default export as a property of its exports.
    if (handler === undefined && namespace.default?.__esModule) handler = handlerOf(namespace.default.default);
    if (handler === undefined && listenerCount(globalThis, "fetch") > 0) handler = listenerHandler();
    return handler !== undefined;
  }

  function dispatch(id) {
    setAsyncContext({ __proto__: null, request: id });
    try {
      const request = fromInnerRequest(new InnerRequest(id), "immutable");
      const result = handler(request, env, new ExecutionContext(webidl.brand));
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
