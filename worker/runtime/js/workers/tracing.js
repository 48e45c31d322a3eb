// `tracing` of cloudflare:workers: parts of a trace of the app's own. They are those of a request on Workers that is not traced: which
// part is active is known wherever the app goes on, and nothing is recorded.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayIsArray,
    ObjectKeys,
    ObjectPrototypeIsPrototypeOf,
    ReflectApply,
    SafeArrayIterator,
    TypeError,
  } = primordials;
  const { getAsyncContext, setAsyncContext } = core;
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");

  const isObject = (value) => typeof value === "object" && value !== null || typeof value === "function";

  function refuse(method, of, number, type) {
    throw new TypeError(`Failed to execute '${method}' on '${of}': parameter ${number} is not of type '${type}'.`);
  }

  /** Calls what the app has written to make a text of it, and throws for a symbol. */
  const text = (value) => `${value}`;

  /** Converts a value as Workers do that record it, which may call what the app has written, and may throw. */
  function convert(value) {
    if (typeof value === "bigint") throw new TypeError("Cannot convert a BigInt value to a number");
    if (isObject(value) || typeof value === "symbol") return text(value);
    return value;
  }

  class Span {
    constructor(key = undefined) {
      if (key !== webidl.brand) webidl.illegalConstructor();
      this[webidl.brand] = webidl.brand;
    }
    get isTraced() {
      webidl.assertBranded(this, SpanPrototype);
      return false;
    }
    spanContext() {
      webidl.assertBranded(this, SpanPrototype);
      return { traceId: "00000000000000000000000000000000", spanId: "0000000000000000", traceFlags: 0 };
    }
    setAttribute(key, value) {
      webidl.assertBranded(this, SpanPrototype);
      if (arguments.length < 1) refuse("setAttribute", "Span", 1, "string");
      text(key);
      convert(value);
      return this;
    }
    setAttributes(attributes) {
      webidl.assertBranded(this, SpanPrototype);
      if (!isObject(attributes) || ArrayIsArray(attributes)) refuse("setAttributes", "Span", 1, "object");
      for (const key of new SafeArrayIterator(ObjectKeys(attributes))) convert(attributes[key]);
      return this;
    }
    recordException(_exception) {
      webidl.assertBranded(this, SpanPrototype);
      if (arguments.length < 1) refuse("recordException", "Span", 1, "Value");
    }
    updateName(name) {
      webidl.assertBranded(this, SpanPrototype);
      if (arguments.length < 1) refuse("updateName", "Span", 1, "string");
      text(name);
      return this;
    }
    setStatus(status) {
      webidl.assertBranded(this, SpanPrototype);
      if (!isObject(status)) refuse("setStatus", "Span", 1, "TracingSpanStatus");
      const code = text(status.code);
      const { message } = status;
      if (message !== undefined) text(message);
      if (code !== "unset" && code !== "ok" && code !== "error") {
        throw new TypeError("Span status code must be 'unset', 'ok', or 'error'.");
      }
      return this;
    }
    end() {
      webidl.assertBranded(this, SpanPrototype);
    }
  }
  webidl.configureInterface(Span);
  const SpanPrototype = Span.prototype;

  // As nothing is recorded, one is like another.
  const ofRequest = new Span(webidl.brand);

  /** Calls `action` in an async context with this span. What it starts has it, too. */
  function within(span, action, args) {
    const before = getAsyncContext();
    setAsyncContext({ __proto__: null, ...before, span });
    try {
      return ReflectApply(action, globalThis, args);
    } finally {
      setAsyncContext(before);
    }
  }

  function enter(method, given, name, action, args) {
    if (given < 1) refuse(method, "Tracing", 1, "string");
    text(name);
    if (typeof action !== "function") refuse(method, "Tracing", 2, "Function");
    const span = new Span(webidl.brand);
    return within(span, action, [span, ...new SafeArrayIterator(args)]);
  }

  class Tracing {
    constructor(key = undefined) {
      if (key !== webidl.brand) webidl.illegalConstructor();
      this[webidl.brand] = webidl.brand;
    }
    enterSpan(name, action, ...args) {
      webidl.assertBranded(this, TracingPrototype);
      return enter("enterSpan", arguments.length, name, action, args);
    }
    startActiveSpan(name, action, ...args) {
      webidl.assertBranded(this, TracingPrototype);
      return enter("startActiveSpan", arguments.length, name, action, args);
    }
    startSpan(name) {
      webidl.assertBranded(this, TracingPrototype);
      if (arguments.length < 1) refuse("startSpan", "Tracing", 1, "string");
      text(name);
      return new Span(webidl.brand);
    }
    getActiveSpan() {
      webidl.assertBranded(this, TracingPrototype);
      const context = getAsyncContext();
      return context?.span ?? (context?.request === undefined ? undefined : ofRequest);
    }
    withActiveSpan(span, action, ...args) {
      webidl.assertBranded(this, TracingPrototype);
      if (!ObjectPrototypeIsPrototypeOf(SpanPrototype, span) || span[webidl.brand] !== webidl.brand) {
        refuse("withActiveSpan", "Tracing", 1, "Span");
      }
      if (typeof action !== "function") refuse("withActiveSpan", "Tracing", 2, "Function");
      return within(span, action, args);
    }
  }
  const TracingPrototype = Tracing.prototype;
  TracingPrototype.Span = Span;
  webidl.configureInterface(Tracing);

  return { tracing: new Tracing(webidl.brand) };
})();
