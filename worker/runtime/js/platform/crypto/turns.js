// What is slow in Web Cryptography takes its turn on the threads for it (ext/turns.rs). Arguments are read before that: a turn is
// inside of another runtime, where nothing that an app's getter calls would work.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayBufferIsView,
    ArrayBufferPrototypeSlice,
    ArrayPrototypePush,
    DataViewPrototypeGetBuffer,
    DataViewPrototypeGetByteLength,
    DataViewPrototypeGetByteOffset,
    ObjectDefineProperty,
    ObjectGetPrototypeOf,
    ObjectKeys,
    ObjectPrototypeIsPrototypeOf,
    SafeArrayIterator,
    SymbolIterator,
    TypedArrayPrototypeGetSymbolToStringTag,
    TypedArrayPrototypeSlice,
    Uint8Array,
  } = primordials;
  const { op_void_async_deferred, op_turn_call, op_turn_end, op_turn_take, op_turn_wait } = core.ops;
  const { CryptoKey, SubtleCrypto } = core.loadExtScript("ext:deno_crypto/00_crypto.js");
  const { converters } = core.loadExtScript("ext:deno_webidl/00_webidl.js");

  // Each of these makes of an argument what runs no code of the app's when it is looked at. What is no such argument is left
  // for the method to refuse.

  const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";
  const REFUSED = { __proto__: null };
  const text = (value) => isObject(value) ? `${value}` : value;
  const number = (value) => isObject(value) ? +value : value;
  const flag = (value) => !!value;
  // What a key says of itself, the app cannot change.
  const key = (value) => isObject(value) && !ObjectPrototypeIsPrototypeOf(CryptoKey.prototype, value) ? REFUSED : value;
  const bytes = (value) => !isObject(value) || ArrayBufferIsView(value) || core.isAnyArrayBuffer(value) ? value : REFUSED;

  function usages(value) {
    const list = isObject(value) ? converters["sequence<DOMString>"](value, "Failed to read key usages", "Argument") : [];
    ObjectDefineProperty(list, SymbolIterator, { __proto__: null, value: () => new SafeArrayIterator(list) });
    return isObject(value) ? list : undefined;
  }

  function algorithm(value) {
    if (!isObject(value)) return value;
    const copy = { __proto__: null };
    for (const name of new SafeArrayIterator(NAMES)) {
      const member = value[name];
      if (member !== undefined) copy[name] = MEMBERS[name](member);
    }
    return copy;
  }

  /** What algorithms have, in the order in which it is read. */
  const MEMBERS = {
    __proto__: null,
    name: text,
    additionalData: bytes,
    associatedData: bytes,
    context: bytes,
    counter: bytes,
    customization: bytes,
    domainSeparation: number,
    functionName: bytes,
    hash: algorithm,
    info: bytes,
    iterations: number,
    iv: bytes,
    label: bytes,
    length: number,
    memory: number,
    modulusLength: number,
    namedCurve: text,
    nonce: bytes,
    outputLength: number,
    parallelism: number,
    passes: number,
    public: key,
    publicExponent: bytes,
    salt: bytes,
    saltLength: number,
    secretValue: bytes,
    tagLength: number,
  };
  const NAMES = ObjectKeys(MEMBERS);

  /** The methods that do their work elsewhere, and what they are called with. */
  const METHODS = {
    __proto__: null,
    decapsulateBits: [algorithm, key, bytes],
    decrypt: [algorithm, key, bytes],
    deriveBits: [algorithm, key, number],
    deriveKey: [algorithm, key, algorithm, flag, usages],
    digest: [algorithm, bytes],
    encapsulateBits: [algorithm, key],
    encrypt: [algorithm, key, bytes],
    exportKey: [text, key],
    generateKey: [algorithm, flag, usages],
    sign: [algorithm, key, bytes],
    verify: [algorithm, key, bytes, bytes],
    wrapKey: [text, key, key, algorithm],
  };

  /** What was read, whatever the app does to its bytes later. */
  function kept(value) {
    if (core.isArrayBuffer(value)) return ArrayBufferPrototypeSlice(value, 0);
    if (ArrayBufferIsView(value)) return copyOf(value);
    if (value === null || typeof value !== "object" || ObjectGetPrototypeOf(value) !== null) return value;
    for (const name in value) value[name] = kept(value[name]);
    return value;
  }

  function copyOf(view) {
    if (TypedArrayPrototypeGetSymbolToStringTag(view) !== undefined) return TypedArrayPrototypeSlice(view);
    const buffer = DataViewPrototypeGetBuffer(view);
    if (!core.isArrayBuffer(buffer)) return view;
    return TypedArrayPrototypeSlice(
      new Uint8Array(buffer, DataViewPrototypeGetByteOffset(view), DataViewPrototypeGetByteLength(view)),
    );
  }

  async function later(original, subtle, args, request) {
    for (let i = 0; i < args.length; i++) args[i] = kept(args[i]);
    return now(original, subtle, args, await op_turn_wait(request));
  }

  async function now(original, subtle, args, turn) {
    try {
      return await op_turn_call(turn, original, subtle, args);
    } finally {
      op_turn_end(turn);
    }
  }

  // What drives all ops is started by the first that waits, which must not be one inside of a turn: that is another runtime.
  op_void_async_deferred();

  for (const method in METHODS) {
    const original = SubtleCrypto.prototype[method];
    const value = {
      async [method](...given) {
        const request = core.getAsyncContext()?.request ?? 0;
        const args = [];
        for (let i = 0; i < given.length; i++) ArrayPrototypePush(args, METHODS[method][i]?.(given[i]));
        const turn = op_turn_take(request);
        return await (turn === 0 ? later(original, this, args, request) : now(original, this, args, turn));
      },
    }[method];
    ObjectDefineProperty(value, "length", { __proto__: null, value: original.length, configurable: true });
    ObjectDefineProperty(SubtleCrypto.prototype, method, { __proto__: null, value });
  }
})();
