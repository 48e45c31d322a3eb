// The app: finds its handlers and calls them for each request and event. `prepare`, `expose`, `install`, `dispatch`, `enter`,
// `schedule` and `receive` are called from Rust.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypeEvery,
    ArrayPrototypePush,
    ArrayPrototypeSlice,
    ArrayPrototypeSplice,
    Error,
    FunctionPrototypeCall,
    FunctionPrototypeToString,
    JSONParse,
    ObjectDefineProperty,
    ObjectKeys,
    PromisePrototype,
    PromisePrototypeThen,
    PromiseResolve,
    ObjectPrototypeIsPrototypeOf,
    SafeArrayIterator,
    StringPrototypeSlice,
    StringPrototypeStartsWith,
    TypeError,
  } = primordials;
  const { lazyInterfaces, loadInterface, setColours } = core.loadExtScript("ext:nano_workers/globals.js");
  const { listen, reportError } = core.loadExtScript("ext:nano_workers/global_events.js");
  const { app, ExecutionContext, FetchEvent, responseOf } = core.loadExtScript("ext:nano_workers/context.js");
  // What most apps do not use is no part of the startup snapshot, of which each worker has a copy.
  const loadBindings = () => core.loadExtScript("ext:nano_workers/bindings.js");
  const loadCalls = () => core.loadExtScript("ext:nano_workers/calls.js");
  const loadEntrypoints = () => core.loadExtScript("ext:nano_workers/entrypoints.js");
  const loadProvided = () => core.loadExtScript("ext:nano_workers/provided.js");
  const { missingBinding } = core.loadExtScript("ext:nano_workers/missing_binding.js");
  const { InnerRequest } = core.loadExtScript("ext:nano_workers/request.js");
  const { Run, ScheduledController, ScheduledEvent } = core.loadExtScript("ext:nano_workers/scheduled.js");
  const { fail, respond } = core.loadExtScript("ext:nano_workers/respond.js");
  const { fromInnerRequest } = core.loadExtScript("ext:deno_fetch/23_request.js");
  const { ResponsePrototype, responseBodyUsed } = core.loadExtScript("ext:deno_fetch/23_response.js");
  const { handleWasmStreaming } = core.loadExtScript("ext:deno_fetch/26_fetch.js");
  const { EventTarget, listenerCount } = core.loadExtScript("ext:deno_web/02_event.js");
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
  const { setAsyncContext } = core;
  const { dispatchEvent } = EventTarget.prototype;

  let env;
  let isDevelopment;
  let variables;
  let handlerNames;
  let handler;
  let scheduledHandler;

  function isClass(exported) {
    return typeof exported === "function" &&
      (StringPrototypeStartsWith(FunctionPrototypeToString(exported), "class") ||
        typeof exported.prototype?.fetch === "function");
  }

  /** Returns how to call the handler of this name, or undefined if there is none. */
  function handlerOf(exported, name) {
    if (isClass(exported)) {
      if (typeof exported.prototype[name] !== "function") return undefined;
      // As with WorkerEntrypoint: one instance per event, with env and ctx as properties.
      return (event, env, ctx) => new exported(ctx, env)[name](event, env, ctx);
    }
    if (typeof exported === "function" && name === "fetch") return exported;
    if (typeof exported?.[name] === "function") return (event, env, ctx) => exported[name](event, env, ctx);
    return undefined;
  }

  /** Has an app of the service worker format see `env` as global variables: before its code runs, or else after it. */
  const expose = (given) => core.loadExtScript("ext:nano_workers/service_worker.js").expose(given);

  /** Dispatches an event at the global object, whatever an app has in the place of the method. */
  const dispatchAtGlobal = (event) => FunctionPrototypeCall(dispatchEvent, globalThis, event);

  function listenerHandler() {
    expose([[]]);
    return (request) => {
      const event = new FetchEvent("fetch", { __proto__: null, cancelable: true, request });
      dispatchAtGlobal(event);
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

  /** How a definition begins that is of a variable of the process. */
  const OF_PROCESS = "process.env.";

  /** Defines global variables: `pairs` of their names, and JSON text or the name of another one. */
  function define(pairs) {
    for (let i = 0; i < pairs.length; i += 2) {
      if (StringPrototypeStartsWith(pairs[i], OF_PROCESS)) {
        ArrayPrototypePush(variables, StringPrototypeSlice(pairs[i], OF_PROCESS.length), pairs[i + 1]);
        continue;
      }
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
   * Runs before the app's modules. `settings` holds whether the console has colours, whether the app is in development mode,
   * the props as JSON text, then a list of pairs of names of bindings that are missing and why, one of names of global variables
   * and what they stand for, one of the names of handlers that are known, and one of other bindings as JSON text, see
   * `Bindings::described`. Then there are pairs of names in `env` and their values as JSON text.
   */
  function prepare(settings) {
    setColours(settings[0]);
    isDevelopment = settings[1];
    app.propsText = settings[2];
    const missing = settings[3];
    handlerNames = settings[5];
    const bindings = JSONParse(settings[6]);
    variables = ArrayPrototypeSlice(settings, 7);
    app.env = env = {};
    const give = (name, value) => ObjectDefineProperty(env, name, core.propWritable(value));
    for (let i = 0; i < missing.length; i += 2) give(missing[i], missingBinding(missing[i + 1]));
    const secrets = { __proto__: null };
    for (let i = 0; i < bindings.length; i++) {
      const { 0: name, 1: kind } = bindings[i];
      give(name, kind === "fetcher" ? loadBindings().binding(i) : loadProvided().provided(i, bindings[i]));
      if (kind === "secret" || kind === "hyperdrive") secrets[name] = env[name];
    }
    for (let i = 0; i < variables.length; i += 2) {
      const name = variables[i];
      const value = JSONParse(variables[i + 1]);
      if (secrets[name] !== undefined && loadProvided().give(secrets[name], value)) {
        ArrayPrototypeSplice(variables, i, 2);
        i -= 2;
      } else {
        give(name, value);
      }
    }
    define(settings[4]);
    ObjectDefineProperty(globalThis, "FetchEvent", core.propNonEnumerable(FetchEvent));
    ObjectDefineProperty(globalThis, "ScheduledEvent", core.propNonEnumerable(ScheduledEvent));
    core.setWasmStreamingCallback(compileStreaming);
    listen();
    delete globalThis.Deno;
    delete globalThis.__bootstrap;
    delete globalThis.__nano;
  }

  function scheduledListenerHandler(controller, run) {
    const event = new ScheduledEvent(webidl.brand, run, controller.cron, controller.scheduledTime);
    dispatchAtGlobal(event);
  }

  /**
   * Runs after the app's modules. Returns which handlers there are, as a bit for each of `handlerNames`, whether other apps can call
   * methods of the app, and the names of its entrypoints besides the default one.
   */
  function install(namespace) {
    let exported = namespace.default;
    const found = (name) => handlerOf(exported, name) !== undefined;
    // A CommonJS module compiled from an ES module has its default export as a property of its exports.
    if (exported?.__esModule && !found("fetch") && !found("scheduled")) exported = exported.default;
    handler = handlerOf(exported, "fetch");
    scheduledHandler = handlerOf(exported, "scheduled");
    if (handler === undefined && listenerCount(globalThis, "fetch") > 0) {
      handler = listenerHandler();
    }
    if (scheduledHandler === undefined && listenerCount(globalThis, "scheduled") > 0) {
      scheduledHandler = (controller, _env, _ctx, run) => scheduledListenerHandler(controller, run);
    }
    const called = { __proto__: null, fetch: handler, scheduled: scheduledHandler };
    let bits = 0;
    for (let i = 0; i < handlerNames.length; i++) {
      const name = handlerNames[i];
      if (called[name] !== undefined || found(name)) bits |= 1 << i;
    }
    handler ??= () => {
      throw new TypeError("the app has no fetch handler");
    };
    app.namespace = namespace;
    app.exported = exported;
    app.fetchHandler = fetchHandler;
    const isAlone = ArrayPrototypeEvery(ObjectKeys(namespace), (name) => name === "default");
    if (isAlone && typeof exported !== "function") return [bits, false];
    const { isEntrypoint, names } = loadEntrypoints();
    const others = names();
    return [bits, others.length > 0 || isEntrypoint(exported), ...new SafeArrayIterator(others)];
  }

  function dispatch(id) {
    run(id, handler, new ExecutionContext(webidl.brand));
  }

  /** Returns the `fetch` handler of an entrypoint. */
  function fetchHandler(name) {
    if (name === "") return handler;
    return handlerOf(loadEntrypoints().entrypoint(name), "fetch") ?? (() => {
      throw new Error("Handler does not export a fetch() function.");
    });
  }

  /** Does what another app asks of an entrypoint. */
  function enter({ 0: id, 1: name, 2: propsText, 3: isCall }) {
    const ctx = new ExecutionContext(webidl.brand, propsText);
    if (!isCall) return run(id, (request) => fetchHandler(name)(request, env, ctx), ctx);
    setAsyncContext({ __proto__: null, request: id });
    loadCalls().answer(id, name, ctx);
    setAsyncContext(undefined);
  }

  function run(id, handler, ctx) {
    setAsyncContext({ __proto__: null, request: id });
    try {
      const request = fromInnerRequest(new InnerRequest(id), "immutable");
      const result = handler(request, env, ctx);
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

  function schedule({ 0: id, 1: cron, 2: time }) {
    setAsyncContext({ __proto__: null, request: id });
    const run = new Run(id);
    try {
      if (scheduledHandler === undefined) {
        run.noRetry = true;
        throw new TypeError("the app has no scheduled handler");
      }
      const controller = new ScheduledController(webidl.brand, run, cron, time);
      run.returned(scheduledHandler(controller, env, new ExecutionContext(webidl.brand), run));
    } catch (error) {
      run.failed(error);
    } finally {
      setAsyncContext(undefined);
    }
  }

  /** Passes on what has arrived over a WebSocket of a client. */
  const receive = (event) => core.loadExtScript("ext:nano_workers/websocket_pair.js").receive(event);

  ObjectDefineProperty(globalThis, "reportError", core.propWritable(reportError));
  globalThis.__nano = { prepare, expose, install, dispatch, enter, schedule, receive, lazyInterfaces, loadInterface };
  return { isDevelopment: () => isDevelopment, variables: () => variables };
})();
