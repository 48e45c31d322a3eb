// The shape of every interface of ECMA-429 and of the standards that it draws on, as data: read-only attributes, writable
// ones, operations and static operations with their lengths, constants. Web IDL says what follows from them.
// https://webidl.spec.whatwg.org/#js-interfaces
import { equal, ok, same, throws } from "./harness.js";

const words = (text) => text.split(" ").filter(Boolean);

/** "name(length) name(length)" */
const lengths = (text) =>
  Object.fromEntries(words(text).map((word) => {
    const [name, length] = word.slice(0, -1).split("(");
    return [name, Number(length)];
  }));

const INTERFACES = {
  AbortController: { length: 0, readonly: "signal", operations: "abort(0)" },
  AbortSignal: {
    parent: "EventTarget",
    readonly: "aborted reason",
    writable: "onabort",
    operations: "throwIfAborted(0)",
    statics: "abort(0) any(1) timeout(1)",
  },
  Blob: { length: 0, readonly: "size type", operations: "arrayBuffer(0) bytes(0) slice(0) stream(0) text(0) textStream(0)" },
  BroadcastChannel: {
    parent: "EventTarget",
    length: 1,
    readonly: "name",
    writable: "onmessage onmessageerror",
    operations: "close(0) postMessage(1)",
  },
  ByteLengthQueuingStrategy: { length: 1, readonly: "highWaterMark size" },
  CloseEvent: { parent: "Event", length: 1, readonly: "code reason wasClean" },
  CompressionStream: { length: 1, readonly: "readable writable" },
  CountQueuingStrategy: { length: 1, readonly: "highWaterMark size" },
  Crypto: { readonly: "subtle", operations: "getRandomValues(1) randomUUID(0)" },
  CryptoKey: { readonly: "algorithm extractable type usages" },
  CustomEvent: { parent: "Event", length: 1, readonly: "detail", operations: "initCustomEvent(1)" },
  DOMException: {
    parent: "Error",
    length: 0,
    readonly: "code message name",
    constants: words(
      "INDEX_SIZE_ERR DOMSTRING_SIZE_ERR HIERARCHY_REQUEST_ERR WRONG_DOCUMENT_ERR INVALID_CHARACTER_ERR " +
        "NO_DATA_ALLOWED_ERR NO_MODIFICATION_ALLOWED_ERR NOT_FOUND_ERR NOT_SUPPORTED_ERR INUSE_ATTRIBUTE_ERR " +
        "INVALID_STATE_ERR SYNTAX_ERR INVALID_MODIFICATION_ERR NAMESPACE_ERR INVALID_ACCESS_ERR VALIDATION_ERR " +
        "TYPE_MISMATCH_ERR SECURITY_ERR NETWORK_ERR ABORT_ERR URL_MISMATCH_ERR QUOTA_EXCEEDED_ERR TIMEOUT_ERR " +
        "INVALID_NODE_TYPE_ERR DATA_CLONE_ERR",
    ),
    first: 1,
  },
  DecompressionStream: { length: 1, readonly: "readable writable" },
  ErrorEvent: { parent: "Event", length: 1, readonly: "colno error filename lineno message" },
  Event: {
    length: 1,
    readonly:
      "bubbles cancelable composed currentTarget defaultPrevented eventPhase srcElement target timeStamp type",
    writable: "cancelBubble returnValue",
    operations: "composedPath(0) initEvent(1) preventDefault(0) stopImmediatePropagation(0) stopPropagation(0)",
    constants: ["NONE", "CAPTURING_PHASE", "AT_TARGET", "BUBBLING_PHASE"],
    first: 0,
  },
  EventSource: {
    parent: "EventTarget",
    length: 1,
    readonly: "readyState url withCredentials",
    writable: "onerror onmessage onopen",
    operations: "close(0)",
    // Of Workers.
    statics: "from(1)",
    constants: ["CONNECTING", "OPEN", "CLOSED"],
    first: 0,
  },
  EventTarget: { length: 0, operations: "addEventListener(2) dispatchEvent(1) removeEventListener(2)", global: true },
  File: { parent: "Blob", length: 2, readonly: "lastModified name" },
  FileReader: {
    parent: "EventTarget",
    length: 0,
    readonly: "error readyState result",
    writable: "onabort onerror onload onloadend onloadstart onprogress",
    operations: "abort(0) readAsArrayBuffer(1) readAsBinaryString(1) readAsDataURL(1) readAsText(1)",
    constants: ["EMPTY", "LOADING", "DONE"],
    first: 0,
  },
  FormData: {
    length: 0,
    operations:
      "append(2) delete(1) entries(0) forEach(1) get(1) getAll(1) has(1) keys(0) set(2) values(0)",
    iterates: "entries",
  },
  Headers: {
    length: 0,
    operations:
      "append(2) delete(1) entries(0) forEach(1) get(1) getSetCookie(0) has(1) keys(0) set(2) values(0)",
    iterates: "entries",
    // Of Workers.
    more: "getAll",
  },
  MessageChannel: { length: 0, readonly: "port1 port2" },
  MessageEvent: {
    parent: "Event",
    length: 1,
    readonly: "data lastEventId origin ports source",
    operations: "initMessageEvent(1)",
  },
  MessagePort: {
    parent: "EventTarget",
    writable: "onclose onmessage onmessageerror",
    operations: "close(0) postMessage(1) start(0)",
  },
  Performance: {
    parent: "EventTarget",
    readonly: "timeOrigin",
    operations: "clearMarks(0) clearMeasures(0) clearResourceTimings(0) getEntries(0) getEntriesByName(1) " +
      "getEntriesByType(1) mark(1) measure(1) now(0) toJSON(0)",
  },
  PerformanceEntry: { readonly: "duration entryType name startTime", operations: "toJSON(0)" },
  PerformanceMark: { parent: "PerformanceEntry", length: 1, readonly: "detail" },
  PerformanceMeasure: { parent: "PerformanceEntry", readonly: "detail" },
  PerformanceObserver: {
    length: 1,
    operations: "disconnect(0) observe(0) takeRecords(0)",
    staticReadonly: "supportedEntryTypes",
  },
  PerformanceObserverEntryList: { operations: "getEntries(0) getEntriesByName(1) getEntriesByType(1)" },
  ProgressEvent: { parent: "Event", length: 1, readonly: "lengthComputable loaded total" },
  PromiseRejectionEvent: { parent: "Event", length: 2, readonly: "promise reason" },
  QuotaExceededError: { parent: "DOMException", length: 0, readonly: "quota requested" },
  ReadableByteStreamController: { readonly: "byobRequest desiredSize", operations: "close(0) enqueue(1) error(0)" },
  ReadableStream: {
    length: 0,
    readonly: "locked",
    operations: "cancel(0) getReader(0) pipeThrough(1) pipeTo(1) tee(0) values(0)",
    statics: "from(1)",
    asyncIterates: "values",
  },
  // `readAtLeast` is of Workers.
  ReadableStreamBYOBReader: {
    length: 1,
    readonly: "closed",
    operations: "cancel(0) read(1) releaseLock(0)",
    more: "readAtLeast",
  },
  ReadableStreamBYOBRequest: { readonly: "view", operations: "respond(1) respondWithNewView(1)" },
  ReadableStreamDefaultController: { readonly: "desiredSize", operations: "close(0) enqueue(0) error(0)" },
  ReadableStreamDefaultReader: { length: 1, readonly: "closed", operations: "cancel(0) read(0) releaseLock(0)" },
  Request: {
    length: 1,
    // `cf` is of Workers.
    readonly: "body bodyUsed cache cf credentials destination duplex headers integrity isHistoryNavigation " +
      "isReloadNavigation keepalive method mode redirect referrer referrerPolicy signal url",
    operations: "arrayBuffer(0) blob(0) bytes(0) clone(0) formData(0) json(0) text(0) textStream(0)",
  },
  Response: {
    length: 0,
    // `cf` and `webSocket` are of Workers.
    readonly: "body bodyUsed cf headers ok redirected status statusText type url webSocket",
    operations: "arrayBuffer(0) blob(0) bytes(0) clone(0) formData(0) json(0) text(0) textStream(0)",
    statics: "error(0) json(1) redirect(1)",
  },
  SubtleCrypto: {
    operations: "decrypt(3) deriveBits(2) deriveKey(5) digest(2) encrypt(3) exportKey(2) generateKey(3) " +
      "importKey(5) sign(3) unwrapKey(7) verify(4) wrapKey(4)",
    // Of Workers, and of a draft: https://wicg.github.io/webcrypto-modern-algos/
    more: "timingSafeEqual decapsulateBits decapsulateKey encapsulateBits encapsulateKey getPublicKey",
    moreStatics: "supports",
  },
  TextDecoder: { length: 0, readonly: "encoding fatal ignoreBOM", operations: "decode(0)" },
  TextDecoderStream: { length: 0, readonly: "encoding fatal ignoreBOM readable writable" },
  TextEncoder: { length: 0, readonly: "encoding", operations: "encode(0) encodeInto(2)" },
  TextEncoderStream: { length: 0, readonly: "encoding readable writable" },
  TransformStream: { length: 0, readonly: "readable writable" },
  TransformStreamDefaultController: { readonly: "desiredSize", operations: "enqueue(0) error(0) terminate(0)" },
  URL: {
    length: 1,
    readonly: "origin searchParams",
    writable: "hash host hostname href password pathname port protocol search username",
    operations: "toJSON(0) toString(0)",
    statics: "canParse(1) createObjectURL(1) parse(1) revokeObjectURL(1)",
  },
  URLPattern: {
    length: 0,
    readonly: "hasRegExpGroups hash hostname password pathname port protocol search username",
    operations: "exec(0) test(0)",
  },
  URLSearchParams: {
    length: 0,
    readonly: "size",
    operations:
      "append(2) delete(1) entries(0) forEach(1) get(1) getAll(1) has(1) keys(0) set(2) sort(0) toString(0) values(0)",
    iterates: "entries",
  },
  WebSocket: {
    parent: "EventTarget",
    length: 1,
    readonly: "bufferedAmount extensions protocol readyState url",
    writable: "binaryType onclose onerror onmessage onopen",
    operations: "close(0) send(1)",
    constants: ["CONNECTING", "OPEN", "CLOSING", "CLOSED"],
    first: 0,
    more: "accept serializeAttachment deserializeAttachment READY_STATE_CONNECTING READY_STATE_OPEN READY_STATE_CLOSING READY_STATE_CLOSED",
    moreStatics: "READY_STATE_CONNECTING READY_STATE_OPEN READY_STATE_CLOSING READY_STATE_CLOSED",
  },
  WritableStream: { length: 0, readonly: "locked", operations: "abort(0) close(0) getWriter(0)" },
  WritableStreamDefaultController: { readonly: "signal", operations: "error(0)" },
  WritableStreamDefaultWriter: {
    length: 1,
    readonly: "closed desiredSize ready",
    operations: "abort(0) close(0) releaseLock(0) write(0)",
  },
};

// Functions of the global object.
const FUNCTIONS = lengths(
  "atob(1) btoa(1) clearInterval(0) clearTimeout(0) fetch(1) queueMicrotask(1) reportError(1) setInterval(1) " +
    "setTimeout(1) structuredClone(1)",
);

// Objects of the global object, with their class.
const OBJECTS = { crypto: "Crypto", navigator: "Navigator", performance: "Performance" };

const HANDLERS = ["onerror", "onrejectionhandled", "onunhandledrejection"];

const WEB_ASSEMBLY = {
  functions: lengths("compile(1) compileStreaming(1) instantiate(1) instantiateStreaming(1) validate(1)"),
  interfaces: {
    Exception: { operations: "getArg(2) is(1)", more: "stack" },
    Global: { length: 1, writable: "value", operations: "valueOf(0)" },
    Instance: { length: 1, readonly: "exports" },
    Memory: { length: 1, readonly: "buffer", operations: "grow(1)", more: "toFixedLengthBuffer toResizableBuffer" },
    Table: { length: 1, readonly: "length", operations: "get(1) grow(1) set(1)" },
    Tag: { length: 1 },
  },
};

const CONSOLE = lengths(
  "assert(0) clear(0) count(0) countReset(0) debug(0) dir(0) dirxml(0) error(0) group(0) groupCollapsed(0) " +
    "groupEnd(0) info(0) log(0) table(0) time(0) timeEnd(0) timeLog(0) trace(0) warn(0)",
);

const checks = {};
export default checks;

function descriptor(object, name, wanted) {
  const found = Object.getOwnPropertyDescriptor(object, name);
  ok(found !== undefined, `${String(name)} is not there`);
  for (const key in wanted) equal(found[key], wanted[key], key);
  return found;
}

function checkFunction(holder, name, length, attributes) {
  const { value } = descriptor(holder, name, attributes);
  equal(typeof value, "function", "its type");
  equal(value.name, name, "its name");
  equal(value.length, length, "its length");
  return value;
}

/** What throws or rejects with a TypeError when it is called on an object of another kind. */
async function refusesOthers(call) {
  let result;
  try {
    result = call();
  } catch (error) {
    ok(error instanceof TypeError, `it threw ${error}`);
    return;
  }
  ok(result instanceof Promise, "it did not throw a TypeError");
  const outcome = await result.then(() => "was fulfilled", (error) => error);
  ok(outcome instanceof TypeError, `its promise ${outcome}`);
}

const METHOD = { writable: true, enumerable: true, configurable: true };

function checkMembers(label, of, shape) {
  const { prototype } = of;
  const readonly = words(shape.readonly ?? "");
  const writable = words(shape.writable ?? "");
  const operations = lengths(shape.operations ?? "");
  for (const name of [...readonly, ...writable]) {
    checks[`${label}.${name}`] = async () => {
      const { get, set } = descriptor(prototype, name, { enumerable: true, configurable: true });
      equal(typeof get, "function", "its getter");
      equal(get.name, `get ${name}`, "its getter's name");
      equal(get.length, 0, "its getter's length");
      equal(typeof set, writable.includes(name) ? "function" : "undefined", "its setter");
      if (set !== undefined) {
        equal(set.name, `set ${name}`, "its setter's name");
        equal(set.length, 1, "its setter's length");
        await refusesOthers(() => set.call({}, null));
      }
      await refusesOthers(() => get.call({}));
      await refusesOthers(() => get.call(prototype));
    };
  }
  for (const name in operations) {
    checks[`${label}.${name}()`] = async () => {
      const method = checkFunction(prototype, name, operations[name], METHOD);
      await refusesOthers(() => method.call({}, "", "", "", "", "", "", ""));
      if (!shape.global) await refusesOthers(() => method.call(undefined, "", "", "", "", "", "", ""));
    };
  }
  const statics = lengths(shape.statics ?? "");
  for (const name in statics) {
    checks[`static ${label}.${name}()`] = () => checkFunction(of, name, statics[name], METHOD);
  }
  for (const name of words(shape.staticReadonly ?? "")) {
    checks[`static ${label}.${name}`] = () => {
      const { get, set } = descriptor(of, name, { enumerable: true, configurable: true });
      equal(get.name, `get ${name}`, "its getter's name");
      equal(set, undefined, "its setter");
    };
  }
  (shape.constants ?? []).forEach((name, index) => {
    checks[`${label}.${name}`] = () => {
      const value = { value: shape.first + index, writable: false, enumerable: true, configurable: false };
      descriptor(of, name, value);
      descriptor(prototype, name, value);
    };
  });
  const more = words(shape.more ?? "");
  const members = [...readonly, ...writable, ...Object.keys(operations), ...(shape.constants ?? []), ...more];
  checks[`${label} has no other members`] = () => {
    same(Object.keys(prototype).filter((name) => !members.includes(name)), [], "members of the prototype");
    const ofClass = [
      ...Object.keys(statics),
      ...words(shape.staticReadonly ?? ""),
      ...words(shape.moreStatics ?? ""),
      ...(shape.constants ?? []),
    ];
    same(Object.keys(of).filter((name) => !ofClass.includes(name)), [], "members of the class");
  };
}

for (const [name, shape] of Object.entries(INTERFACES)) {
  const of = globalThis[name];
  if (of === undefined) {
    checks[name] = () => ok(false, "it is not there");
    continue;
  }
  checks[name] = () => {
    descriptor(globalThis, name, { writable: true, enumerable: false, configurable: true });
    equal(typeof of, "function", "its type");
    equal(of.name, name, "its name");
    equal(of.length, shape.length ?? 0, "its length");
    descriptor(of, "prototype", { writable: false, enumerable: false, configurable: false });
    throws(TypeError, () => of());
    if (shape.length === undefined) throws(TypeError, () => new of());
    else if (shape.length > 0) throws(TypeError, () => new of());
    const parent = globalThis[shape.parent];
    const isClass = parent !== undefined && shape.parent !== "Error";
    equal(Object.getPrototypeOf(of), isClass ? parent : Function.prototype, "what it inherits from");
    equal(Object.getPrototypeOf(of.prototype), (parent ?? Object).prototype, "what its prototype inherits from");
    descriptor(of.prototype, "constructor", { value: of, writable: true, enumerable: false, configurable: true });
    descriptor(of.prototype, Symbol.toStringTag, { value: name, writable: false, enumerable: false, configurable: true });
    equal(of.prototype[Symbol.unscopables], undefined, "Symbol.unscopables");
    if (shape.iterates) {
      const iterator = { value: of.prototype[shape.iterates], writable: true, enumerable: false, configurable: true };
      descriptor(of.prototype, Symbol.iterator, iterator);
    }
    if (shape.asyncIterates) {
      const iterator = { value: of.prototype[shape.asyncIterates], writable: true, enumerable: false, configurable: true };
      descriptor(of.prototype, Symbol.asyncIterator, iterator);
    }
  };
  checkMembers(name, of, shape);
}

for (const name in FUNCTIONS) {
  checks[`${name}()`] = async () => {
    const method = checkFunction(globalThis, name, FUNCTIONS[name], METHOD);
    if (FUNCTIONS[name] > 0) await refusesOthers(() => method());
  };
}
for (const name in OBJECTS) {
  checks[name] = () => {
    equal(Object.prototype.toString.call(globalThis[name]), `[object ${OBJECTS[name]}]`, "its class");
    ok(globalThis[name] instanceof globalThis[OBJECTS[name]], `it is no ${OBJECTS[name]}`);
    equal(globalThis[name], globalThis[name], "it at another time");
    equal(Object.keys(globalThis).includes(name), true, "whether it is enumerable");
  };
}
for (const name of HANDLERS) {
  checks[name] = () => {
    const { get, set } = descriptor(globalThis, name, { enumerable: true, configurable: true });
    equal(get.name, `get ${name}`, "its getter's name");
    equal(set.name, `set ${name}`, "its setter's name");
    equal(globalThis[name], null, "its first value");
  };
}

checks.self = () => {
  equal(self, globalThis, "it");
  ok(Object.keys(globalThis).includes("self"), "it is not enumerable");
};
checks["navigator.userAgent"] = () => {
  const { get } = descriptor(Navigator.prototype, "userAgent", { enumerable: true, configurable: true, set: undefined });
  equal(get.name, "get userAgent", "its getter's name");
  equal(typeof navigator.userAgent, "string", "its type");
  ok(navigator.userAgent.length > 0, "it is empty");
};
checks["Event.isTrusted"] = () => {
  const event = new Event("");
  const { get } = descriptor(event, "isTrusted", { enumerable: true, configurable: false, set: undefined });
  equal(get.name, "get isTrusted", "its getter's name");
  equal(get, Object.getOwnPropertyDescriptor(new CustomEvent(""), "isTrusted").get, "the getter of another event");
};
checks["performance.timeOrigin"] = () => {
  const off = Math.abs(performance.timeOrigin + performance.now() - Date.now());
  ok(off < 60_000, `its time and the clock's are ${off} milliseconds apart`);
};

checks.console = () => {
  descriptor(globalThis, "console", { writable: true, enumerable: false, configurable: true });
  equal(Object.prototype.toString.call(console), "[object console]", "its class");
  const prototype = Object.getPrototypeOf(console);
  same(Reflect.ownKeys(prototype), [], "members of its prototype");
  equal(Object.getPrototypeOf(prototype), Object.prototype, "what its prototype inherits from");
};
for (const name in CONSOLE) {
  checks[`console.${name}()`] = () => checkFunction(console, name, CONSOLE[name], METHOD);
}

checks.WebAssembly = () => {
  descriptor(globalThis, "WebAssembly", { writable: true, enumerable: false, configurable: true });
  equal(Object.prototype.toString.call(WebAssembly), "[object WebAssembly]", "its class");
};
for (const name in WEB_ASSEMBLY.functions) {
  checks[`WebAssembly.${name}()`] = () => checkFunction(WebAssembly, name, WEB_ASSEMBLY.functions[name], METHOD);
}
for (const [name, shape] of Object.entries(WEB_ASSEMBLY.interfaces)) {
  checkMembers(`WebAssembly.${name}`, WebAssembly[name], shape);
}
