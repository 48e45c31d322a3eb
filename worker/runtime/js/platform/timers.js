// Replaces deno_web's 02_timers.js. Follows https://html.spec.whatwg.org/#timers, except that setTimeout() and setInterval()
// return an object that converts to its number, as on Workers and in Node.
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
    SymbolDispose,
    SymbolFor,
    SymbolToPrimitive,
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
    refreshTimer,
    refTimer,
    setAsyncContext,
    unrefTimer,
  } = core;
  const { reportException } = core.loadExtScript("ext:deno_web/02_event.js");
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
  const { DOMString, long } = webidl.converters;

  /** Timers that will still run, by number. */
  const active = new SafeMap();
  let isTimeout;

  /** A timer that runs once or repeatedly, in the async context in which it was created. */
  class Timeout {
    #run;
    #delay;
    #repeats;
    /** The engine's timer, while this one is waiting. */
    #timer = null;
    #id = 0;
    #hasRef = true;
    #isClosed = false;

    /** Schedules `callback` with `args`. If `self` is missing, `this` is the timer. */
    constructor(key, callback, self, delay, args, repeats) {
      if (key !== webidl.brand) webidl.illegalConstructor();
      const context = getAsyncContext();
      this.#delay = delay;
      this.#repeats = repeats;
      this.#run = () => {
        if (!repeats) {
          MapPrototypeDelete(active, this.#id);
          this.#timer = null;
        }
        const before = getAsyncContext();
        setAsyncContext(context);
        try {
          ReflectApply(callback, self ?? this, args);
        } catch (error) {
          // Reported here, while the async context still says which request the callback belongs to.
          reportException(error);
        } finally {
          setAsyncContext(before);
        }
      };
      this.#start();
    }
    static {
      isTimeout = (value) => typeof value === "object" && value !== null && #timer in value;
    }
    #start() {
      this.#timer = createTimer(this.#run, this.#delay, undefined, this.#repeats, this.#hasRef);
      this.#id = this.#timer._timerId;
      MapPrototypeSet(active, this.#id, this);
    }
    /** Restarts the delay, also after the timer has run. */
    refresh() {
      if (this.#timer !== null) refreshTimer(this.#timer);
      else if (!this.#isClosed) this.#start();
      return this;
    }
    ref() {
      if (this.#timer !== null) refTimer(this.#timer);
      this.#hasRef = true;
      return this;
    }
    unref() {
      if (this.#timer !== null) unrefTimer(this.#timer);
      this.#hasRef = false;
      return this;
    }
    hasRef() {
      return this.#hasRef;
    }
    close() {
      this.#isClosed = true;
      if (this.#timer !== null) {
        cancelTimer(this.#timer);
        this.#timer = null;
        MapPrototypeDelete(active, this.#id);
      }
      return this;
    }
    [SymbolDispose]() {
      this.close();
    }
    [SymbolToPrimitive]() {
      return this.#id;
    }
  }
  const { close, ref, unref } = Timeout.prototype;

  function find(timer) {
    return isTimeout(timer) ? timer : MapPrototypeGet(active, long(timer));
  }

  function apply(method, timer) {
    timer = find(timer);
    if (timer !== undefined) ReflectApply(method, timer, []);
  }

  function checkThis(self) {
    if (self !== undefined && self !== null && self !== globalThis) throw new TypeError("Illegal invocation");
  }

  function start(handler, timeout, args, repeats, prefix) {
    let callback = handler;
    if (typeof handler !== "function") {
      const source = DOMString(handler, prefix, "Argument 1");
      callback = () => indirectEval(source);
    }
    return new Timeout(webidl.brand, callback, globalThis, long(timeout, prefix, "Argument 2"), args, repeats);
  }

  const { clearInterval, clearTimeout, setInterval, setTimeout } = {
    clearInterval(id = 0) {
      checkThis(this);
      apply(close, id);
    },
    clearTimeout(id = 0) {
      checkThis(this);
      apply(close, id);
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

  // What Node's promisify() returns for setTimeout(). Code that runs in every runtime uses it to sleep.
  ObjectDefineProperty(setTimeout, SymbolFor("nodejs.util.promisify.custom"), {
    __proto__: null,
    configurable: true,
    value: (delay, value) => new Promise((resolve) => setTimeout(resolve, delay, value)),
  });

  /** Calls `action` in a task of its own, in the current async context. */
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
        } catch (error) {
          reportException(error);
        } finally {
          setAsyncContext(before);
        }
      },
    });
  }

  /** Starts a timer as Node does: the callback gets the timer as `this`. */
  const startOfNode = (callback, delay, args, repeats) =>
    new Timeout(webidl.brand, callback, undefined, long(delay), args, repeats);

  return {
    clearInterval,
    clearTimeout,
    defer,
    refTimer: (timer) => apply(ref, timer),
    setInterval,
    setTimeout,
    startOfNode,
    Timeout,
    unrefTimer: (timer) => apply(unref, timer),
  };
})();
