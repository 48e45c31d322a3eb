// In place of deno_web's 02_timers.js. https://html.spec.whatwg.org/#timers
(function () {
  const { core, primordials } = __bootstrap;
  const {
    MapPrototypeDelete,
    MapPrototypeGet,
    MapPrototypeSet,
    ObjectDefineProperty,
    Promise,
    ReflectApply,
    SafeMap,
    SymbolFor,
    TypeError,
    indirectEval,
  } = primordials;
  const {
    cancelTimer,
    createTimer,
    getAsyncContext,
    immediateRefCount,
    kRefed,
    queueImmediate,
    refTimer,
    setAsyncContext,
    unrefTimer,
  } = core;
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
  const { DOMString, long } = webidl.converters;

  const active = new SafeMap();

  function checkThis(self) {
    if (self !== undefined && self !== null && self !== globalThis) throw new TypeError("Illegal invocation");
  }

  /** Runs `handler` in the async context of now, once or again and again. */
  function start(handler, timeout, args, repeats, prefix) {
    let callback = handler;
    if (typeof handler !== "function") {
      const source = DOMString(handler, prefix, "Argument 1");
      callback = () => indirectEval(source);
    }
    timeout = long(timeout, prefix, "Argument 2");
    const context = getAsyncContext();
    const run = () => {
      const before = getAsyncContext();
      setAsyncContext(context);
      try {
        ReflectApply(callback, globalThis, args);
      } finally {
        setAsyncContext(before);
        if (!repeats) MapPrototypeDelete(active, id);
      }
    };
    const timer = createTimer(run, timeout, undefined, repeats, true);
    const id = timer._timerId;
    MapPrototypeSet(active, id, timer);
    return id;
  }

  function stop(id) {
    id = long(id);
    const timer = MapPrototypeGet(active, id);
    if (timer === undefined) return;
    cancelTimer(timer);
    MapPrototypeDelete(active, id);
  }

  const { clearInterval, clearTimeout, setInterval, setTimeout } = {
    clearInterval(id = 0) {
      checkThis(this);
      stop(id);
    },
    clearTimeout(id = 0) {
      checkThis(this);
      stop(id);
    },
    setInterval(handler, timeout = 0, ...args) {
      checkThis(this);
      const prefix = "Failed to execute 'setInterval'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      return start(handler, timeout, args, true, prefix);
    },
    setTimeout(handler, timeout = 0, ...args) {
      checkThis(this);
      const prefix = "Failed to execute 'setTimeout'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      return start(handler, timeout, args, false, prefix);
    },
  };

  // What Node's promisify() makes of it, which code for every runtime sleeps with.
  ObjectDefineProperty(setTimeout, SymbolFor("nodejs.util.promisify.custom"), {
    __proto__: null,
    configurable: true,
    value: (delay, value) => new Promise((resolve) => setTimeout(resolve, delay, value)),
  });

  const withTimer = (apply) => (id) => {
    const timer = MapPrototypeGet(active, id);
    if (timer !== undefined) apply(timer);
  };

  /** Calls `action` in a task of its own, in the async context of now. */
  function defer(action) {
    const context = getAsyncContext();
    immediateRefCount(true);
    queueImmediate({
      _idleNext: null,
      _idlePrev: null,
      _argv: undefined,
      _destroyed: false,
      [kRefed]: true,
      _onImmediate() {
        const before = getAsyncContext();
        setAsyncContext(context);
        try {
          action();
        } finally {
          setAsyncContext(before);
        }
      },
    });
  }

  return {
    clearInterval,
    clearTimeout,
    defer,
    refTimer: withTimer(refTimer),
    setInterval,
    setTimeout,
    unrefTimer: withTimer(unrefTimer),
  };
})();
