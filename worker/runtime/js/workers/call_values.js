// Arguments and results of calls between apps: what of a value crosses, by the rules of Workers, and how it is written. V8 writes
// values; what it would not write as it should is replaced by an empty object, which a table beside the value says more about.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    AggregateError,
    AggregateErrorPrototype,
    ArrayBufferIsView,
    ArrayBufferPrototypeGetResizable,
    ArrayIsArray,
    ArrayPrototypePop,
    ArrayPrototypePush,
    DataViewPrototypeGetBuffer,
    Error,
    MapPrototypeClear,
    MapPrototypeForEach,
    MapPrototypeGet,
    MapPrototypeSet,
    ObjectDefineProperty,
    ObjectGetPrototypeOf,
    ObjectHasOwn,
    ObjectKeys,
    ObjectPrototype,
    ObjectPrototypeIsPrototypeOf,
    RangeError,
    ReferenceError,
    SafeArrayIterator,
    SafeMap,
    SafeSet,
    SetPrototypeAdd,
    SetPrototypeClear,
    SetPrototypeForEach,
    SetPrototypeHas,
    SymbolPrototypeToString,
    SyntaxError,
    TypedArrayPrototypeGetBuffer,
    TypedArrayPrototypeGetSymbolToStringTag,
    TypeError,
    Uint8Array,
    Uint8ArrayPrototype,
    URIError,
  } = primordials;
  const { cannot } = core.loadExtScript("ext:nano_platform/structured_clone.js");
  const { RpcTarget } = core.loadExtScript("ext:nano_workers/entrypoints.js");
  const { isService } = core.loadExtScript("ext:nano_workers/reach.js");
  const { told } = core.loadExtScript("ext:nano_workers/respond.js");
  const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
  const { Headers, headerListFromHeaders } = core.loadExtScript("ext:deno_fetch/20_headers.js");

  // The kinds of entries in a table.
  const ERROR = 0;
  const DOM_EXCEPTION = 1;
  const HEADERS = 2;
  const STUB = 3;
  // Above, there are those of call_bodies.js: requests, responses, streams, services and blobs.
  const BODIES = 4;
  const loadBodies = () => core.loadExtScript("ext:nano_workers/call_bodies.js");

  /** Most fields of headers: each is compared with those before it. */
  const MOST_FIELDS = 256;

  const refuse = (message) => {
    throw cannot(message);
  };

  /** Returns the fields of headers as they are sent. */
  function fieldsOf(headers) {
    const fields = headerListFromHeaders(headers);
    if (fields.length > MOST_FIELDS) refuse(`Headers with more than ${MOST_FIELDS} fields could not be cloned.`);
    return [...new SafeArrayIterator(fields)];
  }

  function nameOf(value) {
    try {
      return `${ObjectGetPrototypeOf(value)?.constructor?.name || "Object"}`;
    } catch {
      return "Object";
    }
  }

  const refuseType = (value) => refuse(`Could not serialize object of type "${nameOf(value)}". This type does not support serialization.`);

  /** What V8 refuses, in its words. */
  function refuseWell(value) {
    if (core.isPromise(value) || core.isWeakMap(value) || core.isWeakSet(value) || core.isSharedArrayBuffer(value)) {
      refuse(`#<${nameOf(value)}> could not be cloned.`);
    }
    if (core.isGeneratorObject(value)) refuse("[object Generator] could not be cloned.");
    refuseType(value);
  }

  /** Returns a buffer, if it has one size: others take address space, which the app that is called has not offered. */
  function fixed(buffer) {
    if (ArrayBufferPrototypeGetResizable(buffer)) refuse("A resizable ArrayBuffer could not be cloned.");
    return buffer;
  }

  /** Copies a value for V8 to write. */
  class Packing {
    /** What stands for an object that was met before. */
    seen = new SafeMap();
    table = [];
    /** Whether instances of classes become plain objects, as they do in errors. */
    #isLoose;
    /** Takes what stays in this app, and is called from the other one. Without it, nothing can. */
    #exporter;

    constructor(exporter, isLoose) {
      this.#exporter = exporter;
      this.#isLoose = isLoose;
    }
    copy(value) {
      switch (typeof value) {
        case "symbol":
          return refuse(`${SymbolPrototypeToString(value)} could not be cloned.`);
        case "function":
          return MapPrototypeGet(this.seen, value) ?? this.#stub(value);
        case "object":
          return value === null ? null : MapPrototypeGet(this.seen, value) ?? this.#object(value);
        default:
          return value;
      }
    }
    #object(value) {
      if (core.isProxy(value)) refuseType(value);
      if (ArrayIsArray(value)) return this.#array(value);
      if (core.isMap(value)) return this.#map(value);
      if (core.isSet(value)) return this.#set(value);
      if (ObjectPrototypeIsPrototypeOf(DOMException.prototype, value)) return this.#domException(value);
      if (core.isNativeError(value)) return this.#error(value);
      if (core.isArrayBuffer(value)) return fixed(value);
      if (core.isDate(value) || core.isRegExp(value) || core.isBoxedPrimitive(value)) return value;
      if (ArrayBufferIsView(value)) return this.#view(value);
      if (ObjectPrototypeIsPrototypeOf(Headers.prototype, value)) {
        return this.#entry(value, {}, HEADERS, fieldsOf(value));
      }
      if (ObjectPrototypeIsPrototypeOf(RpcTarget.prototype, value)) return this.#stub(value);
      if (this.#exporter !== undefined && ObjectGetPrototypeOf(value) !== ObjectPrototype) {
        const about = loadBodies().about(value, this, this.#exporter);
        if (about !== undefined) return this.#entry(value, {}, ...new SafeArrayIterator(about));
      }
      if (ObjectGetPrototypeOf(value) !== ObjectPrototype && !this.#isLoose) refuseWell(value);
      if (core.isArgumentsObject(value)) refuse("#<Object> could not be cloned.");
      return this.#members(value, {});
    }
    #members(value, copy) {
      MapPrototypeSet(this.seen, value, copy);
      const keys = ObjectKeys(value);
      for (let i = 0; i < keys.length; i++) set(copy, keys[i], this.copy(value[keys[i]]));
      return copy;
    }
    #array(value) {
      const copy = [];
      copy.length = value.length;
      return this.#members(value, copy);
    }
    #map(value) {
      const copy = new SafeMap();
      MapPrototypeSet(this.seen, value, copy);
      const entries = [];
      MapPrototypeForEach(value, (item, key) => ArrayPrototypePush(entries, [key, item]));
      for (let i = 0; i < entries.length; i++) MapPrototypeSet(copy, this.copy(entries[i][0]), this.copy(entries[i][1]));
      return copy;
    }
    #set(value) {
      const copy = new SafeSet();
      MapPrototypeSet(this.seen, value, copy);
      const items = [];
      SetPrototypeForEach(value, (item) => ArrayPrototypePush(items, item));
      for (let i = 0; i < items.length; i++) SetPrototypeAdd(copy, this.copy(items[i]));
      return copy;
    }
    #view(value) {
      const isTyped = TypedArrayPrototypeGetSymbolToStringTag(value) !== undefined;
      const buffer = isTyped ? TypedArrayPrototypeGetBuffer(value) : DataViewPrototypeGetBuffer(value);
      if (core.isSharedArrayBuffer(buffer)) refuseWell(buffer);
      fixed(buffer);
      // A Buffer of Node may be a piece of a large one that others have pieces of.
      const isPiece = isTyped && ObjectPrototypeIsPrototypeOf(Uint8ArrayPrototype, value) &&
        ObjectGetPrototypeOf(value) !== Uint8ArrayPrototype;
      if (!isPiece) return value;
      const copy = new Uint8Array(value);
      MapPrototypeSet(this.seen, value, copy);
      return copy;
    }
    /** Replaces an object by an empty one. */
    #entry(value, placeholder, kind, ...about) {
      MapPrototypeSet(this.seen, value, placeholder);
      ArrayPrototypePush(this.table, [placeholder, kind, ...new SafeArrayIterator(about)]);
      return placeholder;
    }
    #error(value) {
      const { 0: known, 1: name, 2: message } = told(value);
      const kind = ObjectPrototypeIsPrototypeOf(AggregateErrorPrototype, value) ? "AggregateError" : known;
      const members = {};
      const placeholder = this.#entry(value, {}, ERROR, kind, name, message, members);
      const keys = ObjectKeys(value);
      const add = (key) => set(members, key, this.copy(value[key]));
      if (ObjectHasOwn(value, "cause")) add("cause");
      if (kind === "AggregateError" && ObjectHasOwn(value, "errors")) add("errors");
      for (let i = 0; i < keys.length; i++) {
        const key = keys[i];
        if (key !== "stack" && key !== "message" && !ObjectHasOwn(members, key)) add(key);
      }
      return placeholder;
    }
    #stub(value) {
      if (isService(value)) return this.#entry(value, {}, ...new SafeArrayIterator(loadBodies().about(value, this, this.#exporter)));
      const id = this.#exporter?.take(value);
      if (id === undefined) refuseType(value);
      return this.#entry(value, {}, STUB, id);
    }
    #domException(value) {
      return this.#entry(value, {}, DOM_EXCEPTION, `${value.message}`, `${value.name}`);
    }
  }

  const set = (object, key, value) =>
    ObjectDefineProperty(object, key, { __proto__: null, value, configurable: true, enumerable: true, writable: true });

  const CONSTRUCTORS = { __proto__: null, Error, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

  const unreadable = () => new TypeError("the other app has sent a value that cannot be read");

  /** Returns a text. Anything else would be made one, which takes for ever if it is lists that are in each other many times. */
  function text(value) {
    if (typeof value !== "string") throw unreadable();
    return value;
  }

  function headersOf(fields) {
    if (!ArrayIsArray(fields) || fields.length > MOST_FIELDS) throw unreadable();
    const headers = new Headers();
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i];
      if (!ArrayIsArray(field)) throw unreadable();
      headers.append(text(field[0]), text(field[1]));
    }
    return headers;
  }

  function make(entry, importer, unpacking) {
    switch (entry[1]) {
      case ERROR: {
        const kind = text(entry[2]);
        const name = text(entry[3]);
        const message = text(entry[4]);
        const error = kind === "AggregateError"
          ? new AggregateError([], message)
          : new (CONSTRUCTORS[kind] ?? Error)(message);
        if (error.name !== name) ObjectDefineProperty(error, "name", { __proto__: null, value: name, configurable: true, writable: true });
        return error;
      }
      case DOM_EXCEPTION:
        return new DOMException(text(entry[2]), text(entry[3]));
      case HEADERS:
        return headersOf(unpacking.take(entry[2]));
      case STUB:
        if (importer === undefined) throw unreadable();
        return importer.stub(importer.hook(entry[2]));
      default:
        if (importer === undefined || typeof entry[1] !== "number" || entry[1] < BODIES) throw unreadable();
        return loadBodies().make(entry, importer, unpacking);
    }
  }

  /** Puts what the table says in the place of empty objects. */
  class Unpacking {
    real = new SafeMap();
    seen = new SafeMap();
    #taken = new SafeSet();

    constructor(table, importer) {
      for (let i = 0; i < table.length; i++) MapPrototypeSet(this.real, table[i][0], make(table[i], importer, this));
      for (let i = 0; i < table.length; i++) {
        if (table[i][1] !== ERROR) continue;
        const error = MapPrototypeGet(this.real, table[i][0]);
        const members = this.take(table[i][5]);
        const keys = ObjectKeys(members);
        for (let k = 0; k < keys.length; k++) set(error, keys[k], this.fix(members[keys[k]]));
      }
    }
    /** Returns a part of an entry, which no other has: a few bytes would tell of the same part again and again. */
    take(part) {
      if (typeof part !== "object" || part === null || SetPrototypeHas(this.#taken, part)) throw unreadable();
      SetPrototypeAdd(this.#taken, part);
      return part;
    }
    /** Returns the value with everything in its place. Objects stay the same. */
    fix(value) {
      if (typeof value !== "object" || value === null) return value;
      const real = MapPrototypeGet(this.real, value);
      if (real !== undefined) return real;
      if (MapPrototypeGet(this.seen, value)) return value;
      MapPrototypeSet(this.seen, value, true);
      if (core.isMap(value)) {
        const entries = [];
        MapPrototypeForEach(value, (item, key) => ArrayPrototypePush(entries, [key, item]));
        MapPrototypeClear(value);
        for (let i = 0; i < entries.length; i++) MapPrototypeSet(value, this.fix(entries[i][0]), this.fix(entries[i][1]));
      } else if (core.isSet(value)) {
        const items = [];
        SetPrototypeForEach(value, (item) => ArrayPrototypePush(items, item));
        SetPrototypeClear(value);
        for (let i = 0; i < items.length; i++) SetPrototypeAdd(value, this.fix(items[i]));
      } else if (ArrayIsArray(value) || ObjectGetPrototypeOf(value) === ObjectPrototype) {
        const keys = ObjectKeys(value);
        for (let i = 0; i < keys.length; i++) {
          const before = value[keys[i]];
          const after = this.fix(before);
          if (after !== before) value[keys[i]] = after;
        }
      }
      return value;
    }
  }

  /** Copies a value for a message. `exporter.take` returns the number of what stays in this app. */
  function prepare(value, exporter, isLoose = false) {
    const packing = new Packing(exporter, isLoose);
    const copy = packing.copy(value);
    return { copy, table: packing.table };
  }

  /** Returns a message: a list, whose last two elements are the value and its table. */
  const write = (parts, { copy, table }) => core.serialize([...new SafeArrayIterator(parts), copy, table], undefined, refuse);

  const pack = (parts, value, exporter, isLoose) => write(parts, prepare(value, exporter, isLoose));

  /** Returns the parts of a message, of which the last one is the value. `importer` has what has a number in the other app. */
  function unpack(bytes, importer) {
    const parts = core.deserialize(bytes);
    if (!ArrayIsArray(parts) || parts.length < 2) throw unreadable();
    const table = ArrayPrototypePop(parts);
    if (!ArrayIsArray(table)) throw unreadable();
    if (table.length > 0) parts[parts.length - 1] = new Unpacking(table, importer).fix(parts[parts.length - 1]);
    return parts;
  }

  /** Returns a message with an error, without what of it cannot be sent. */
  function packError(parts, error) {
    const isObject = typeof error === "object" && error !== null;
    try {
      return pack(parts, isObject ? error : new Error(`${error}`), undefined, true);
    } catch {
      const { 0: known, 1: name, 2: message } = told(error);
      const bare = new (CONSTRUCTORS[known])(message);
      if (bare.name !== name) bare.name = name;
      return pack(parts, bare);
    }
  }

  return { fieldsOf, headersOf, pack, packError, prepare, text, unpack, unreadable, write };
})();
