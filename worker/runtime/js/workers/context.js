// The arguments of handlers besides the request: env, the execution context, and the event of addEventListener("fetch").
// The arguments of a scheduled run are in scheduled.js.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    JSONParse,
    MapPrototypeGet,
    ObjectFreeze,
    ObjectValues,
    PromisePrototypeThen,
    PromiseResolve,
    SafeArrayIterator,
    SafeMap,
  } = primordials;
  const { op_background_begin, op_background_end } = core.ops;
  const { log } = core.loadExtScript("ext:nano_workers/globals.js");
  const { describe } = core.loadExtScript("ext:nano_workers/respond.js");
  const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
  const { Event } = core.loadExtScript("ext:deno_web/02_event.js");
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");

  const ERROR = 3;

  /** The app: its settings, which are set before its modules run, and what these export. */
  const app = {
    __proto__: null,
    env: undefined,
    propsText: "{}",
    props: undefined,
    namespace: {},
    exported: undefined,
    fetchHandler: undefined,
  };

  /** By request: what waits for all of its background work, as a scheduled run does. */
  const awaited = new SafeMap();

  /** Keeps the worker alive until a promise settles, but at most `wait_until_timeout` after the response. */
  function inBackground(promise) {
    const request = core.getAsyncContext()?.request ?? 0;
    const run = MapPrototypeGet(awaited, request);
    let work;
    const done = () => {
      if (work === undefined) return;
      op_background_end(work);
      run?.leave();
    };
    PromisePrototypeThen(PromiseResolve(promise), done, (error) => {
      log(`Uncaught (in waitUntil) ${describe(error)}`, ERROR);
      run?.fail();
      done();
    });
    // Counted only now, and at once: what is above may throw, and would never be over.
    work = op_background_begin(request);
    if (run !== undefined) run.pending++;
  }

  function freeze(value) {
    if (typeof value !== "object" || value === null) return value;
    for (const part of new SafeArrayIterator(ObjectValues(value))) freeze(part);
    return ObjectFreeze(value);
  }

  /** The handler's third argument. */
  class ExecutionContext {
    /** As JSON text; empty for those of the app. */
    #propsText;
    #props;

    constructor(key = undefined, propsText = "", props = undefined) {
      if (key !== webidl.brand) webidl.illegalConstructor();
      this[webidl.brand] = webidl.brand;
      this.#propsText = propsText;
      this.#props = freeze(props);
    }
    get exports() {
      webidl.assertBranded(this, ExecutionContextPrototype);
      return core.loadExtScript("ext:nano_workers/loopback.js").ownExports();
    }
    get props() {
      webidl.assertBranded(this, ExecutionContextPrototype);
      if (this.#propsText !== "") return this.#props ??= freeze(JSONParse(this.#propsText));
      return app.props ??= freeze(JSONParse(app.propsText));
    }
    waitUntil(promise) {
      webidl.assertBranded(this, ExecutionContextPrototype);
      webidl.requiredArguments(arguments.length, 1, "Failed to execute 'waitUntil' on 'ExecutionContext'");
      inBackground(promise);
    }
    // Accepted for compatibility: there is no origin behind the app to pass to.
    passThroughOnException() {
      webidl.assertBranded(this, ExecutionContextPrototype);
    }
  }
  webidl.configureInterface(ExecutionContext);
  const ExecutionContextPrototype = ExecutionContext.prototype;

  let dispatched;

  /** What `addEventListener("fetch", ...)` receives. */
  class FetchEvent extends Event {
    #request;
    #response;
    #isOver = false;

    constructor(type, init) {
      const prefix = "Failed to construct 'FetchEvent'";
      webidl.requiredArguments(arguments.length, 2, prefix);
      super(type, init);
      this[webidl.brand] = webidl.brand;
      this.#request = webidl.converters.Request(init?.request, prefix, "'request' of Argument 2");
    }
    static {
      dispatched = (event) => {
        event.#isOver = true;
        return event.#response;
      };
    }
    get request() {
      webidl.assertBranded(this, FetchEventPrototype);
      return this.#request;
    }
    respondWith(response) {
      const prefix = "Failed to execute 'respondWith' on 'FetchEvent'";
      webidl.assertBranded(this, FetchEventPrototype);
      webidl.requiredArguments(arguments.length, 1, prefix);
      if (this.#response !== undefined) {
        throw new DOMException(`${prefix}: it was already called`, "InvalidStateError");
      }
      if (this.#isOver) {
        throw new DOMException(`${prefix}: it must be called before the listener returns`, "InvalidStateError");
      }
      this.#response = PromiseResolve(response);
    }
    waitUntil(promise) {
      webidl.assertBranded(this, FetchEventPrototype);
      webidl.requiredArguments(arguments.length, 1, "Failed to execute 'waitUntil' on 'FetchEvent'");
      inBackground(promise);
    }
    passThroughOnException() {
      webidl.assertBranded(this, FetchEventPrototype);
    }
  }
  webidl.configureInterface(FetchEvent);
  const FetchEventPrototype = FetchEvent.prototype;

  /** What a listener answered; after this it cannot any more. */
  const responseOf = (event) => dispatched(event);

  return { app, awaited, ExecutionContext, FetchEvent, inBackground, responseOf };
})();
