// Event, EventTarget and dispatch as the DOM standard defines them, for targets that are not part of a tree.
// https://dom.spec.whatwg.org/#events
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypeIndexOf,
    ArrayPrototypePush,
    ArrayPrototypeSlice,
    ArrayPrototypeSplice,
    FunctionPrototypeCall,
    ObjectDefineProperty,
    ObjectGetOwnPropertyDescriptor,
    ObjectPrototypeIsPrototypeOf,
    Symbol,
    SymbolFor,
    TypeError,
  } = primordials;
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
  const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
  const { now } = core.loadExtScript("ext:nano_platform/clock.js");

  const NONE = 0;
  const AT_TARGET = 2;

  // The properties and the state of an event, one bit each.
  const BUBBLES = 1 << 0;
  const CANCELABLE = 1 << 1;
  const COMPOSED = 1 << 2;
  const TRUSTED = 1 << 3;
  const CANCELED = 1 << 4;
  const STOPPED = 1 << 5;
  const STOPPED_AT_ONCE = 1 << 6;
  const PASSIVE = 1 << 7;
  const DISPATCHING = 1 << 8;
  // Created by the worker but not yet dispatched: `dispatchEvent()` keeps it trusted once, as in deno_web.
  const TRUSTED_ONCE = 1 << 9;

  const _listeners = Symbol("listeners");
  // The method of a target that is called when a listener is added or removed.
  const listenersChanged = Symbol("listeners changed");
  const inspectSlot = SymbolFor("Deno.privateCustomInspect");
  let globalObject;
  let reportException;
  let dispatch, dispatchUntrusted, initialize, isTrusted, setIsTrusted, setTarget;

  /** Converts a value to a dictionary: any object, or an empty one if the value is missing. */
  function dictionary(value, prefix, context) {
    if (value === undefined || value === null) return { __proto__: null };
    if (typeof value !== "object" && typeof value !== "function") {
      throw new TypeError(`${prefix}: ${context} is not an object`);
    }
    return value;
  }

  class Event {
    #type;
    #flags = 0;
    #phase = NONE;
    #target = null;
    #currentTarget = null;
    #timeStamp = now();

    constructor(type, eventInitDict = { __proto__: null }) {
      const prefix = "Failed to construct 'Event'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      this.#type = webidl.converters.DOMString(type, prefix, "Argument 1");
      const init = dictionary(eventInitDict, prefix, "Argument 2");
      this.#flags = (init.bubbles ? BUBBLES : 0) | (init.cancelable ? CANCELABLE : 0) | (init.composed ? COMPOSED : 0);
      ObjectDefineProperty(this, "isTrusted", isTrusted);
    }
    get type() {
      return this.#type;
    }
    get target() {
      return this.#target;
    }
    get srcElement() {
      return this.#target;
    }
    get currentTarget() {
      return this.#currentTarget;
    }
    composedPath() {
      return this.#currentTarget === null ? [] : [this.#currentTarget];
    }
    get eventPhase() {
      return this.#phase;
    }
    stopPropagation() {
      this.#flags |= STOPPED;
    }
    get cancelBubble() {
      return (this.#flags & STOPPED) !== 0;
    }
    set cancelBubble(value) {
      this.#flags |= value ? STOPPED : 0;
    }
    stopImmediatePropagation() {
      this.#flags |= STOPPED | STOPPED_AT_ONCE;
    }
    get bubbles() {
      return (this.#flags & BUBBLES) !== 0;
    }
    get cancelable() {
      return (this.#flags & CANCELABLE) !== 0;
    }
    get returnValue() {
      return (this.#flags & CANCELED) === 0;
    }
    set returnValue(value) {
      this.#cancel(!value);
    }
    preventDefault() {
      this.#cancel(true);
    }
    get defaultPrevented() {
      return (this.#flags & CANCELED) !== 0;
    }
    get composed() {
      return (this.#flags & COMPOSED) !== 0;
    }
    get timeStamp() {
      return this.#timeStamp;
    }
    initEvent(type, bubbles = false, cancelable = false) {
      const prefix = "Failed to execute 'initEvent' on 'Event'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      initialize(this, webidl.converters.DOMString(type, prefix, "Argument 1"), bubbles, cancelable);
    }

    #cancel(really) {
      if (really && (this.#flags & (CANCELABLE | PASSIVE)) === CANCELABLE) this.#flags |= CANCELED;
    }
    #invoke(listeners, capture) {
      // Several listeners are copied first: one that is added meanwhile does not get this event.
      const count = listeners.length;
      const present = count > 1 ? ArrayPrototypeSlice(listeners) : listeners;
      for (let i = 0; i < count; i++) {
        const listener = present[i];
        if (listener.removed || listener.capture !== capture) continue;
        if (listener.once) removeListener(this.#currentTarget, listeners, listener);
        if (listener.passive) this.#flags |= PASSIVE;
        callListener(listener.callback, this.#currentTarget, this);
        this.#flags &= ~PASSIVE;
        if (this.#flags & STOPPED_AT_ONCE) return;
      }
    }

    static {
      dispatch = (target, event) => {
        event.#flags &= ~TRUSTED_ONCE;
        event.#target = target;
        const listeners = target[_listeners]?.[event.#type];
        if (listeners !== undefined && (event.#flags & STOPPED) === 0) {
          event.#flags |= DISPATCHING;
          event.#phase = AT_TARGET;
          event.#currentTarget = target;
          event.#invoke(listeners, true);
          if ((event.#flags & STOPPED) === 0) event.#invoke(listeners, false);
          event.#phase = NONE;
          event.#currentTarget = null;
        }
        event.#flags &= ~(DISPATCHING | STOPPED | STOPPED_AT_ONCE);
        return (event.#flags & CANCELED) === 0;
      };
      dispatchUntrusted = (target, event, prefix) => {
        if (typeof event !== "object" || event === null || !(#flags in event)) {
          throw new TypeError(`${prefix}: Argument 1 is not an Event`);
        }
        if (event.#flags & DISPATCHING) {
          throw new DOMException(`${prefix}: The event is being dispatched already`, "InvalidStateError");
        }
        if ((event.#flags & TRUSTED_ONCE) === 0) event.#flags &= ~TRUSTED;
        return dispatch(target, event);
      };
      // Returns whether it was initialized. An event that is being dispatched stays unchanged.
      initialize = (event, type, bubbles, cancelable) => {
        if (event.#flags & DISPATCHING) return false;
        event.#flags = (event.#flags & COMPOSED) | (bubbles ? BUBBLES : 0) | (cancelable ? CANCELABLE : 0);
        event.#type = type;
        event.#target = null;
        return true;
      };
      setIsTrusted = (event, value) => {
        event.#flags = value ? event.#flags | TRUSTED | TRUSTED_ONCE : event.#flags & ~TRUSTED;
      };
      setTarget = (event, target) => {
        event.#target = target;
      };
      // [LegacyUnforgeable]: each event has this property itself. All share one getter.
      isTrusted = ObjectGetOwnPropertyDescriptor({
        get isTrusted() {
          return (this.#flags & TRUSTED) !== 0;
        },
      }, "isTrusted");
      isTrusted.configurable = false;
    }
  }
  const phases = { __proto__: null, NONE, CAPTURING_PHASE: 1, AT_TARGET, BUBBLING_PHASE: 3 };
  for (const name in phases) {
    const constant = { __proto__: null, value: phases[name], enumerable: true };
    ObjectDefineProperty(Event, name, constant);
    ObjectDefineProperty(Event.prototype, name, constant);
  }
  webidl.configureInterface(Event);

  const EVENT_KEYS = [
    "bubbles",
    "cancelable",
    "composed",
    "currentTarget",
    "defaultPrevented",
    "eventPhase",
    "srcElement",
    "target",
    "returnValue",
    "timeStamp",
    "type",
  ];

  /** Lets `console.log` show instances of `Interface` by their attributes. */
  function inspectable(Interface, keys) {
    const { prototype } = Interface;
    ObjectDefineProperty(prototype, inspectSlot, {
      __proto__: null,
      configurable: true,
      writable: true,
      value(inspect, options) {
        const { createFilteredInspectProxy } = core.loadExtScript("ext:deno_web/01_console.js");
        const evaluate = ObjectPrototypeIsPrototypeOf(prototype, this);
        return inspect(createFilteredInspectProxy({ object: this, evaluate, keys }), options);
      },
    });
  }
  inspectable(Event, EVENT_KEYS);

  function callListener(callback, currentTarget, event) {
    try {
      if (typeof callback === "function") {
        FunctionPrototypeCall(callback, currentTarget, event);
        return;
      }
      const { handleEvent } = callback;
      if (typeof handleEvent !== "function") throw new TypeError("EventListener.handleEvent is not a function");
      FunctionPrototypeCall(handleEvent, callback, event);
    } catch (error) {
      if (event === watched) thrown ??= { error };
      else reportException(error);
    }
  }

  /** The event whose listeners' errors are not reported, and the first of these. */
  let watched;
  let thrown;

  /** Dispatches an event. Returns what a listener has thrown, as the member of an object, if one has. */
  function dispatchWatched(target, event) {
    const before = { watched, thrown };
    watched = event;
    thrown = undefined;
    try {
      dispatch(target, event);
      return thrown;
    } finally {
      ({ watched, thrown } = before);
    }
  }

  function findListener(listeners, callback, capture) {
    for (let i = 0; i < listeners.length; i++) {
      if (listeners[i].callback === callback && listeners[i].capture === capture) return listeners[i];
    }
    return undefined;
  }

  function removeListener(target, listeners, listener) {
    listener.removed = true;
    const index = ArrayPrototypeIndexOf(listeners, listener);
    if (index !== -1) ArrayPrototypeSplice(listeners, index, 1);
    target[listenersChanged]?.();
    if (listener.signal !== undefined) {
      const { remove } = core.loadExtScript("ext:deno_web/03_abort_signal.js");
      listener.signal[remove](listener.onAbort);
    }
  }

  /** Returns the target of an operation. Functions of the global object may be called without one. */
  function targetOf(self) {
    const target = self ?? globalObject;
    webidl.assertBranded(target, EventTarget.prototype);
    return target;
  }

  function listenerOf(value, prefix) {
    if (value === undefined || value === null) return null;
    if (typeof value === "object" || typeof value === "function") return value;
    throw new TypeError(`${prefix}: Argument 2 is not an object`);
  }

  const captureOf = (options) => typeof options === "object" && options !== null ? !!options.capture : !!options;

  // Reads the members in alphabetical order, as Web IDL does for dictionaries.
  function addOptions(options, prefix) {
    if ((typeof options !== "object" && typeof options !== "function") || options === null) {
      return { capture: !!options, once: false, passive: false, signal: undefined };
    }
    const { capture, once, passive, signal } = options;
    return {
      capture: !!capture,
      once: !!once,
      passive: !!passive,
      signal: signal === undefined ? undefined : webidl.converters.AbortSignal(signal, prefix, "'signal' of Argument 3"),
    };
  }

  class EventTarget {
    constructor() {
      this[webidl.brand] = webidl.brand;
    }
    addEventListener(type, callback, options = { __proto__: null }) {
      const target = targetOf(this);
      const prefix = "Failed to execute 'addEventListener' on 'EventTarget'";
      webidl.requiredArguments(arguments.length, 2, prefix);
      type = webidl.converters.DOMString(type, prefix, "Argument 1");
      callback = listenerOf(callback, prefix);
      const { capture, once, passive, signal } = addOptions(options, prefix);
      if (callback === null || signal?.aborted) return;
      const all = target[_listeners] ??= { __proto__: null };
      const listeners = all[type] ??= [];
      if (findListener(listeners, callback, capture) !== undefined) return;
      const listener = { callback, capture, once, passive, removed: false, signal, onAbort: undefined };
      ArrayPrototypePush(listeners, listener);
      target[listenersChanged]?.();
      if (signal !== undefined) {
        const { add } = core.loadExtScript("ext:deno_web/03_abort_signal.js");
        listener.onAbort = () => removeListener(target, listeners, listener);
        signal[add](listener.onAbort);
      }
    }
    removeEventListener(type, callback, options = { __proto__: null }) {
      const target = targetOf(this);
      const prefix = "Failed to execute 'removeEventListener' on 'EventTarget'";
      webidl.requiredArguments(arguments.length, 2, prefix);
      type = webidl.converters.DOMString(type, prefix, "Argument 1");
      callback = listenerOf(callback, prefix);
      const capture = captureOf(options);
      const listeners = target[_listeners]?.[type];
      const listener = listeners && findListener(listeners, callback, capture);
      if (listener !== undefined) removeListener(target, listeners, listener);
    }
    dispatchEvent(event) {
      const target = targetOf(this);
      const prefix = "Failed to execute 'dispatchEvent' on 'EventTarget'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      return dispatchUntrusted(target, event, prefix);
    }
  }
  webidl.configureInterface(EventTarget);
  inspectable(EventTarget, []);

  /** Turns an object into an event target without calling the constructor. */
  function setEventTargetData(target) {
    target[_listeners] = { __proto__: null };
  }

  const listenerCount = (target, type) => target[_listeners]?.[type]?.length ?? 0;

  return {
    checkTarget: targetOf,
    dictionary,
    dispatch,
    dispatchWatched,
    Event,
    EVENT_KEYS,
    EventTarget,
    EventTargetPrototype: EventTarget.prototype,
    initialize,
    inspectable,
    listenerCount,
    listenersChanged,
    reportException: (error) => reportException(error),
    saveGlobalThisReference: (object) => globalObject = object,
    setEventTargetData,
    setIsTrusted,
    setReportException: (report) => reportException = report,
    setTarget,
  };
})();
