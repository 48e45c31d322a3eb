// The globals of an app: the WinterTC minimum common web API, from the deno_* extensions. This runs while the startup
// snapshot is made. A global that needs a live heap is a getter that loads on first use.
(function () {
  const { core, internals, primordials } = __bootstrap;
  const {
    FunctionPrototypeCall,
    ObjectDefineProperties,
    ObjectDefineProperty,
    ObjectGetOwnPropertyDescriptor,
    ObjectGetOwnPropertyDescriptors,
    ObjectSetPrototypeOf,
    StringPrototypeToLowerCase,
    TypeError,
  } = primordials;
  const { op_log } = core.ops;
  const load = core.loadExtScript;

  // deno_fetch reports spans to deno_telemetry if it finds it. These are the names that it looks for.
  const nothing = () => {};
  internals.__telemetry = {
    TRACING_ENABLED: false,
    PROPAGATORS: [],
    DID_NOT_ENTER: null,
    ContextManager: { active: nothing },
    builtinTracer: nothing,
    enterSpan: nothing,
    exitSpan: nothing,
  };
  internals.__telemetryUtil = {
    updateSpanFromClientResponse: nothing,
    updateSpanFromError: nothing,
    updateSpanFromRequest: nothing,
  };

  load("ext:nano_platform/error_classes.js");
  load("ext:nano_platform/form_data.js");
  load("ext:nano_platform/read_at_least.js");
  load("ext:nano_net/request_init.js");
  load("ext:nano_net/body_streams.js");
  const abort = load("ext:deno_web/03_abort_signal.js");
  const base64 = load("ext:deno_web/05_base64.js");
  const { Console, setNoColorFns } = load("ext:deno_web/01_console.js");
  const encoding = load("ext:deno_web/08_text_encoding.js");
  const { DOMException, QuotaExceededError } = load("ext:deno_web/01_dom_exception.js");
  const event = load("ext:deno_web/02_event.js");
  const { fetch } = load("ext:nano_net/fetch.js");
  const file = load("ext:deno_web/09_file.js");
  const formData = load("ext:deno_fetch/21_formdata.js");
  const headers = load("ext:deno_fetch/20_headers.js");
  const messagePort = load("ext:deno_web/13_message_port.js");
  const request = load("ext:deno_fetch/23_request.js");
  const response = load("ext:deno_fetch/23_response.js");
  const scope = load("ext:deno_web/04_global_interfaces.js");
  const shapes = load("ext:nano_platform/shapes.js");
  const streams = load("ext:deno_web/06_streams.js");
  const timers = load("ext:deno_web/02_timers.js");
  const url = load("ext:deno_web/00_url.js");
  const webidl = load("ext:deno_webidl/00_webidl.js");

  let hasColours = false;
  const hasNoColours = () => !hasColours;
  const setColours = (value) => hasColours = value;
  setNoColorFns(hasNoColours, hasNoColours);
  // The async context carries the id of the current request across awaits and timers.
  const log = (message, level) => op_log(level, message, core.getAsyncContext()?.request ?? 0);

  // Interfaces that load on first use, each with its script. Each worker has a copy of what is in the startup snapshot, so what few
  // apps use is not. The worker's isolate.rs defines the properties.
  const cache = "ext:nano_workers/cache.js";
  const compression = "ext:deno_web/14_compression.js";
  const crypto = "ext:nano_workers/crypto.js";
  const performance = "ext:deno_web/15_performance.js";
  const lazyInterfaces = {
    __proto__: null,
    BroadcastChannel: "ext:deno_web/01_broadcast_channel.js",
    Cache: cache,
    CacheStorage: cache,
    Cloudflare: "ext:nano_workers/compatibility.js",
    CompressionStream: compression,
    Crypto: crypto,
    CryptoKey: crypto,
    DecompressionStream: compression,
    EventSource: "ext:nano_net/event_source.js",
    FileReader: "ext:deno_web/10_filereader.js",
    FixedLengthStream: "ext:nano_workers/identity_stream.js",
    HTMLRewriter: "ext:nano_workers/html_rewriter.js",
    IdentityTransformStream: "ext:nano_workers/identity_stream.js",
    Performance: performance,
    PerformanceEntry: performance,
    PerformanceMark: performance,
    PerformanceMeasure: performance,
    PerformanceObserver: performance,
    PerformanceObserverEntryList: performance,
    SubtleCrypto: crypto,
    URLPattern: "ext:deno_web/01_urlpattern.js",
    WebSocket: "ext:nano_net/websocket.js",
    WebSocketPair: "ext:nano_workers/websocket_pair.js",
    // Globals that packages for Node expect in every environment that is not a browser.
    Buffer: "ext:deno_node/internal/buffer.mjs",
    clearImmediate: "ext:deno_node/timers.ts",
    process: "ext:nano_node/process.js",
    setImmediate: "ext:deno_node/timers.ts",
  };
  const loadInterface = (name) => load(lazyInterfaces[name])[name];
  // Attributes of the global object.
  const attributes = {
    get caches() {
      return load(cache).caches;
    },
    get crypto() {
      return load(crypto).crypto;
    },
    get performance() {
      return load(performance).performance;
    },
    set performance(value) {
      ObjectDefineProperty(globalThis, "performance", core.propWritable(value));
    },
    get scheduler() {
      return load("ext:nano_workers/scheduler.js").scheduler;
    },
  };

  class Navigator {
    get userAgent() {
      return "nano-supervisor";
    }
    get hardwareConcurrency() {
      return 1;
    }
    get language() {
      return "en-US";
    }
    get languages() {
      return ["en-US"];
    }
    get platform() {
      // The standard allows an empty text, which says nothing about the host.
      return "";
    }
  }
  webidl.configureInterface(Navigator);

  const interfaces = {
    AbortController: abort.AbortController,
    AbortSignal: abort.AbortSignal,
    Blob: file.Blob,
    ByteLengthQueuingStrategy: streams.ByteLengthQueuingStrategy,
    CloseEvent: event.CloseEvent,
    CountQueuingStrategy: streams.CountQueuingStrategy,
    CustomEvent: event.CustomEvent,
    DOMException,
    ErrorEvent: event.ErrorEvent,
    Event: event.Event,
    EventTarget: event.EventTarget,
    File: file.File,
    FormData: formData.FormData,
    Headers: headers.Headers,
    MessageChannel: messagePort.MessageChannel,
    MessageEvent: event.MessageEvent,
    MessagePort: messagePort.MessagePort,
    Navigator,
    ProgressEvent: event.ProgressEvent,
    PromiseRejectionEvent: event.PromiseRejectionEvent,
    QuotaExceededError,
    ReadableByteStreamController: streams.ReadableByteStreamController,
    ReadableStream: streams.ReadableStream,
    ReadableStreamBYOBReader: streams.ReadableStreamBYOBReader,
    ReadableStreamBYOBRequest: streams.ReadableStreamBYOBRequest,
    ReadableStreamDefaultController: streams.ReadableStreamDefaultController,
    ReadableStreamDefaultReader: streams.ReadableStreamDefaultReader,
    Request: request.Request,
    Response: response.Response,
    TextDecoder: encoding.TextDecoder,
    TextDecoderStream: encoding.TextDecoderStream,
    TextEncoder: encoding.TextEncoder,
    TextEncoderStream: encoding.TextEncoderStream,
    TransformStream: streams.TransformStream,
    TransformStreamDefaultController: streams.TransformStreamDefaultController,
    URL: url.URL,
    URLSearchParams: url.URLSearchParams,
    WritableStream: streams.WritableStream,
    WritableStreamDefaultController: streams.WritableStreamDefaultController,
    WritableStreamDefaultWriter: streams.WritableStreamDefaultWriter,
  };
  const functions = {
    atob: base64.atob,
    btoa: base64.btoa,
    clearInterval: timers.clearInterval,
    clearTimeout: timers.clearTimeout,
    fetch,
    navigator: webidl.createBranded(Navigator),
    setInterval: timers.setInterval,
    setTimeout: timers.setTimeout,
    structuredClone: messagePort.structuredClone,
  };
  shapes.correctInterfaces(interfaces);
  const serializable = { __proto__: null, Blob: true, DOMException: true, File: true, QuotaExceededError: true };
  for (const name in interfaces) {
    ObjectDefineProperty(globalThis, name, core.propNonEnumerable(interfaces[name]));
    if (!serializable[name]) messagePort.markNotSerializable(interfaces[name].prototype);
  }
  for (const name in functions) {
    ObjectDefineProperty(globalThis, name, core.propWritable(functions[name]));
  }
  // `getAll()` of Workers, which reads cookies only.
  const { getAll } = {
    getAll(name) {
      const prefix = "Failed to execute 'getAll' on 'Headers'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      name = StringPrototypeToLowerCase(webidl.converters.ByteString(name, prefix, "Argument 1"));
      if (name !== "set-cookie") throw new TypeError(`${prefix}: it is for "Set-Cookie" only; use get("${name}")`);
      return FunctionPrototypeCall(getSetCookie, this);
    },
  };
  const { getSetCookie } = headers.Headers.prototype;
  ObjectDefineProperty(headers.Headers.prototype, "getAll", core.propWritable(getAll));
  // The WebSocket that an answer carries, on Workers.
  const { webSocket } = ObjectGetOwnPropertyDescriptors({
    get webSocket() {
      webidl.assertBranded(this, response.ResponsePrototype);
      return response.getInnerResponse(this).webSocket ?? null;
    },
  });
  ObjectDefineProperty(response.Response.prototype, "webSocket", webSocket);
  for (const name in attributes) {
    ObjectDefineProperty(globalThis, name, ObjectGetOwnPropertyDescriptor(attributes, name));
  }
  const console = new Console(log);
  shapes.correctConsole(console);
  ObjectDefineProperties(globalThis, {
    console: core.propNonEnumerable(console),
    global: core.propNonEnumerable(globalThis),
    self: core.propWritable(globalThis),
    [webidl.brand]: core.propNonEnumerable(webidl.brand),
  });
  ObjectSetPrototypeOf(globalThis, scope.WorkerGlobalScope.prototype);
  event.setEventTargetData(globalThis);
  event.saveGlobalThisReference(globalThis);
  return { lazyInterfaces, loadInterface, log, setColours };
})();
