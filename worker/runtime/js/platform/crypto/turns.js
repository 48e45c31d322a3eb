// Slow calls of Web Cryptography wait for a turn on the threads for them (requests/turns.rs). Arguments are read before that: a
// turn runs inside of another runtime, in which code of the app, such as a getter, would not work.
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

  // Each of these converts an argument into a value that runs no code of the app when it is read. A value of another type is
  // passed on, so that the method refuses it.

  const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";
  const REFUSED = { __proto__: null };
  const text = (value) => isObject(value) ? `${value}` : value;
  const number = (value) => isObject(value) ? +value : value;
  const flag = (value) => !!value;
  // The app cannot change the attributes of a key.
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

  /** The members of algorithms, in the order in which they are read. */
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

  /** The methods that run on other threads, with the conversion of each argument. */
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

  /** Copies the arguments that were read, so that the app cannot change their bytes later. */
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

  // The first op that waits starts the driver of all ops. It must not be one inside of a turn, which is another runtime.
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
