// Replaces deno_web's 03_abort_signal.js. https://dom.spec.whatwg.org/#aborting-ongoing-activities
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypeFilter,
    ArrayPrototypeIncludes,
    ArrayPrototypePush,
    MathMin,
    SafeSet,
    SafeSetIterator,
    SafeWeakRef,
    SetPrototypeAdd,
    SetPrototypeDelete,
    SetPrototypeGetSize,
    Symbol,
    WeakRefPrototypeDeref,
  } = primordials;
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
  const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
  const { dispatch, Event, EventTarget, inspectable, listenerCount, listenersChanged, setIsTrusted } = core.loadExtScript(
    "ext:nano_platform/event.js",
  );
  const { defineEventHandler } = core.loadExtScript("ext:nano_platform/event_handlers.js");

  // The symbols by which deno_web and deno_fetch call the methods of a signal.
  const add = Symbol("add");
  const remove = Symbol("remove");
  const signalAbort = Symbol("signal abort");

  const LONGEST_TIMER = 2 ** 31 - 1;
  const key = Symbol("illegal constructor");
  let createDependentAbortSignal;

  class AbortSignal extends EventTarget {
    #reason = undefined;
    #algorithms = null;
    // The sources of a signal made by any(). A source has no sources itself.
    #sources = null;
    // The signals that depend on this one, and those of them that must not be collected because somebody waits for them.
    #dependents = null;
    #awaited = null;
    // The number of dependents from which on those that were collected are removed.
    #room = 8;

    constructor() {
      if (arguments[0] !== key) webidl.illegalConstructor();
      super();
    }
    static abort(reason = undefined) {
      const signal = new AbortSignal(key);
      signal[signalAbort](reason);
      return signal;
    }
    static timeout(milliseconds) {
      const prefix = "Failed to execute 'timeout' on 'AbortSignal'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      let left = webidl.converters["unsigned long long"](milliseconds, prefix, "Argument 1", { enforceRange: true });
      const signal = new AbortSignal(key);
      const wait = () => {
        const next = MathMin(left, LONGEST_TIMER);
        left -= next;
        core.createSystemTimer(() => left > 0 ? wait() : signal[signalAbort](timedOut()), next, true);
      };
      wait();
      return signal;
    }
    static any(signals) {
      const prefix = "Failed to execute 'any' on 'AbortSignal'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      return createDependentAbortSignal(signals, prefix);
    }
    get aborted() {
      return this.#reason !== undefined;
    }
    get reason() {
      return this.#reason;
    }
    throwIfAborted() {
      if (this.#reason !== undefined) throw this.#reason;
    }

    [add](algorithm) {
      if (this.#reason !== undefined) return;
      this.#algorithms ??= new SafeSet();
      SetPrototypeAdd(this.#algorithms, algorithm);
      this[listenersChanged]();
    }
    [remove](algorithm) {
      if (this.#algorithms === null) return;
      SetPrototypeDelete(this.#algorithms, algorithm);
      this[listenersChanged]();
    }
    [signalAbort](reason = new DOMException("The signal has been aborted", "AbortError")) {
      if (this.#reason !== undefined) return;
      this.#reason = reason;
      const dependents = [];
      for (let i = 0; i < this.#dependents?.length; i++) {
        const dependent = WeakRefPrototypeDeref(this.#dependents[i]);
        if (dependent === undefined || dependent.#reason !== undefined) continue;
        dependent.#reason = reason;
        ArrayPrototypePush(dependents, dependent);
      }
      this.#run();
      for (let i = 0; i < dependents.length; i++) dependents[i].#run();
    }
    #run() {
      const algorithms = this.#algorithms;
      this.#algorithms = null;
      if (algorithms !== null) {
        for (const algorithm of new SafeSetIterator(algorithms)) algorithm();
      }
      if (listenerCount(this, "abort") > 0) {
        const event = new Event("abort");
        setIsTrusted(event, true);
        dispatch(this, event);
      }
      this.#sources = this.#dependents = this.#awaited = null;
    }
    /** Keeps a signal that somebody waits for alive for as long as its sources. */
    [listenersChanged]() {
      if (this.#sources === null) return;
      const isAwaited = listenerCount(this, "abort") > 0 ||
        this.#algorithms !== null && SetPrototypeGetSize(this.#algorithms) > 0;
      for (let i = 0; i < this.#sources.length; i++) {
        const source = this.#sources[i];
        if (isAwaited) SetPrototypeAdd(source.#awaited ??= new SafeSet(), this);
        else if (source.#awaited !== null) SetPrototypeDelete(source.#awaited, this);
      }
    }
    #follow(source) {
      if (ArrayPrototypeIncludes(this.#sources, source)) return;
      ArrayPrototypePush(this.#sources, source);
      source.#dependents ??= [];
      if (source.#dependents.length >= source.#room) {
        source.#dependents = ArrayPrototypeFilter(
          source.#dependents,
          (dependent) => WeakRefPrototypeDeref(dependent) !== undefined,
        );
        source.#room = 2 * source.#dependents.length + 8;
      }
      ArrayPrototypePush(source.#dependents, new SafeWeakRef(this));
    }

    static {
      createDependentAbortSignal = (signals, prefix) => {
        signals = webidl.converters["sequence<AbortSignal>"](signals, prefix, "Argument 1");
        const result = new AbortSignal(key);
        for (let i = 0; i < signals.length; i++) {
          if (signals[i].#reason !== undefined) {
            result.#reason = signals[i].#reason;
            return result;
          }
        }
        result.#sources = [];
        for (let i = 0; i < signals.length; i++) {
          const sources = signals[i].#sources ?? [signals[i]];
          for (let j = 0; j < sources.length; j++) result.#follow(sources[j]);
        }
        return result;
      };
    }
  }
  defineEventHandler(AbortSignal.prototype, "abort");
  webidl.configureInterface(AbortSignal);
  inspectable(AbortSignal, ["aborted", "reason", "onabort"]);
  const { converters } = webidl;
  converters.AbortSignal = webidl.createInterfaceConverter("AbortSignal", AbortSignal.prototype);
  converters["sequence<AbortSignal>"] = webidl.createSequenceConverter(converters.AbortSignal);

  const timedOut = () => new DOMException("The operation was aborted due to timeout", "TimeoutError");
  const newSignal = () => new AbortSignal(key);

  class AbortController {
    #signal = newSignal();
    get signal() {
      return this.#signal;
    }
    abort(reason = undefined) {
      this.#signal[signalAbort](reason);
    }
  }
  webidl.configureInterface(AbortController);
  inspectable(AbortController, ["signal"]);

  return {
    AbortController,
    AbortSignal,
    AbortSignalPrototype: AbortSignal.prototype,
    add,
    createDependentAbortSignal,
    newSignal,
    remove,
    signalAbort,
  };
})();
