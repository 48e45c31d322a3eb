// The subclasses of Event. Each adds attributes, which its constructor reads from a dictionary.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypePush,
    ArrayPrototypeSlice,
    ObjectFreeze,
    ObjectPrototypeIsPrototypeOf,
    TypeError,
  } = primordials;
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
  const { dictionary, Event, EVENT_KEYS, initialize, inspectable } = core.loadExtScript("ext:nano_platform/event.js");
  const { any, boolean, double, DOMString, USVString } = webidl.converters;
  const { "unsigned long": unsignedLong, "unsigned short": unsignedShort } = webidl.converters;

  const anObject = (value, prefix, context) => {
    if (typeof value === "object" && value !== null || typeof value === "function") return value;
    throw new TypeError(`${prefix}: ${context} is not an object`);
  };

  const portPrototype = () => core.loadExtScript("ext:deno_web/13_message_port.js").MessagePortPrototype;
  const port = (value, prefix, context) => {
    if (ObjectPrototypeIsPrototypeOf(portPrototype(), value)) return value;
    throw new TypeError(`${prefix}: ${context} is not a MessagePort`);
  };
  const ports = webidl.createSequenceConverter(port);
  const noPorts = ObjectFreeze([]);

  // The dictionary of each subclass: converters and defaults, in alphabetical order, as Web IDL reads members.
  const CLOSE = { code: [unsignedShort, 0], reason: [USVString, ""], wasClean: [boolean, false] };
  const CUSTOM = { detail: [any, null] };
  const ERROR = {
    colno: [unsignedLong, 0],
    error: [any, undefined],
    filename: [USVString, ""],
    lineno: [unsignedLong, 0],
    message: [DOMString, ""],
  };
  const MESSAGE = {
    data: [any, null],
    lastEventId: [DOMString, ""],
    origin: [USVString, ""],
    ports: [(value, prefix, context) => ObjectFreeze(ports(value, prefix, context)), noPorts],
    source: [(value, prefix, context) => value === null ? null : port(value, prefix, context), null],
  };
  const PROGRESS = { lengthComputable: [boolean, false], loaded: [double, 0], total: [double, 0] };
  const REJECTION = { promise: [anObject], reason: [any, undefined] };

  function read(dictionaryOf, init, prefix) {
    const given = dictionary(init, prefix, "Argument 2");
    const values = { __proto__: null };
    for (const key in dictionaryOf) {
      const { 0: convert, 1: missing } = dictionaryOf[key];
      const value = given[key];
      values[key] = value === undefined && dictionaryOf[key].length === 2
        ? missing
        : convert(value, prefix, `'${key}' of Argument 2`);
    }
    return values;
  }

  function configure(Interface, keys) {
    webidl.configureInterface(Interface);
    const all = ArrayPrototypeSlice(EVENT_KEYS);
    for (const key in keys) ArrayPrototypePush(all, key);
    inspectable(Interface, all);
  }

  class CloseEvent extends Event {
    #values;
    constructor(type, eventInitDict = { __proto__: null }) {
      const prefix = "Failed to construct 'CloseEvent'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      super(type, eventInitDict);
      this.#values = read(CLOSE, eventInitDict, prefix);
    }
    get wasClean() {
      return this.#values.wasClean;
    }
    get code() {
      return this.#values.code;
    }
    get reason() {
      return this.#values.reason;
    }
  }
  configure(CloseEvent, CLOSE);

  class CustomEvent extends Event {
    #detail;
    constructor(type, eventInitDict = { __proto__: null }) {
      const prefix = "Failed to construct 'CustomEvent'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      super(type, eventInitDict);
      this.#detail = read(CUSTOM, eventInitDict, prefix).detail;
    }
    get detail() {
      return this.#detail;
    }
    initCustomEvent(type, bubbles = false, cancelable = false, detail = null) {
      const prefix = "Failed to execute 'initCustomEvent' on 'CustomEvent'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      if (initialize(this, DOMString(type, prefix, "Argument 1"), bubbles, cancelable)) this.#detail = detail;
    }
  }
  configure(CustomEvent, CUSTOM);

  class ErrorEvent extends Event {
    #values;
    constructor(type, eventInitDict = { __proto__: null }) {
      const prefix = "Failed to construct 'ErrorEvent'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      super(type, eventInitDict);
      this.#values = read(ERROR, eventInitDict, prefix);
    }
    get message() {
      return this.#values.message;
    }
    get filename() {
      return this.#values.filename;
    }
    get lineno() {
      return this.#values.lineno;
    }
    get colno() {
      return this.#values.colno;
    }
    get error() {
      return this.#values.error;
    }
  }
  configure(ErrorEvent, ERROR);

  class MessageEvent extends Event {
    #values;
    constructor(type, eventInitDict = { __proto__: null }) {
      const prefix = "Failed to construct 'MessageEvent'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      super(type, eventInitDict);
      this.#values = read(MESSAGE, eventInitDict, prefix);
    }
    get data() {
      return this.#values.data;
    }
    get origin() {
      return this.#values.origin;
    }
    get lastEventId() {
      return this.#values.lastEventId;
    }
    get source() {
      return this.#values.source;
    }
    get ports() {
      return this.#values.ports;
    }
    initMessageEvent(
      type,
      bubbles = false,
      cancelable = false,
      data = null,
      origin = undefined,
      lastEventId = undefined,
      source = null,
      ports = undefined,
    ) {
      const prefix = "Failed to execute 'initMessageEvent' on 'MessageEvent'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      type = DOMString(type, prefix, "Argument 1");
      const values = read(MESSAGE, { __proto__: null, data, origin, lastEventId, source, ports }, prefix);
      if (initialize(this, type, bubbles, cancelable)) this.#values = values;
    }
  }
  configure(MessageEvent, MESSAGE);

  class ProgressEvent extends Event {
    #values;
    constructor(type, eventInitDict = { __proto__: null }) {
      const prefix = "Failed to construct 'ProgressEvent'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      super(type, eventInitDict);
      this.#values = read(PROGRESS, eventInitDict, prefix);
    }
    get lengthComputable() {
      return this.#values.lengthComputable;
    }
    get loaded() {
      return this.#values.loaded;
    }
    get total() {
      return this.#values.total;
    }
  }
  configure(ProgressEvent, PROGRESS);

  class PromiseRejectionEvent extends Event {
    #values;
    constructor(type, eventInitDict) {
      const prefix = "Failed to construct 'PromiseRejectionEvent'";
      webidl.requiredArguments(arguments.length, 2, prefix);
      super(type, eventInitDict);
      this.#values = read(REJECTION, eventInitDict, prefix);
    }
    get promise() {
      return this.#values.promise;
    }
    get reason() {
      return this.#values.reason;
    }
  }
  configure(PromiseRejectionEvent, REJECTION);

  return { CloseEvent, CustomEvent, ErrorEvent, MessageEvent, ProgressEvent, PromiseRejectionEvent };
})();
