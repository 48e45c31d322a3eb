// What is slow in Web Cryptography takes its turn on the threads for it (ext/turns.rs).
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayBufferIsView,
    ArrayBufferPrototypeSlice,
    ArrayIsArray,
    ArrayPrototypeSlice,
    DataViewPrototypeGetBuffer,
    DataViewPrototypeGetByteLength,
    DataViewPrototypeGetByteOffset,
    ObjectDefineProperty,
    ObjectPrototypeIsPrototypeOf,
    ReflectApply,
    SafeArrayIterator,
    TypedArrayPrototypeGetSymbolToStringTag,
    TypedArrayPrototypeSlice,
    Uint8Array,
  } = primordials;
  const { op_void_async_deferred, op_turn_end, op_turn_enter, op_turn_leave, op_turn_take, op_turn_wait } = core.ops;
  const { CryptoKey, SubtleCrypto } = core.loadExtScript("ext:deno_crypto/00_crypto.js");

  /** The methods that do their work elsewhere. */
  const METHODS = [
    "decapsulateBits",
    "decrypt",
    "deriveBits",
    "deriveKey",
    "digest",
    "encapsulateBits",
    "encrypt",
    "exportKey",
    "generateKey",
    "sign",
    "verify",
    "wrapKey",
  ];
  /** What algorithms have besides their names. */
  const MEMBERS = [
    "additionalData",
    "context",
    "counter",
    "hash",
    "info",
    "iterations",
    "iv",
    "label",
    "length",
    "modulusLength",
    "name",
    "namedCurve",
    "public",
    "publicExponent",
    "salt",
    "saltLength",
    "tagLength",
  ];

  /** An argument as it is now, whatever the app does to it later. What is no argument is left for the method to refuse. */
  function asItIs(value) {
    if (typeof value !== "object" || value === null) return value;
    if (core.isArrayBuffer(value)) return ArrayBufferPrototypeSlice(value, 0);
    if (ArrayBufferIsView(value)) return copyOf(value);
    if (ArrayIsArray(value)) return ArrayPrototypeSlice(value);
    if (ObjectPrototypeIsPrototypeOf(CryptoKey.prototype, value)) return value;
    const copy = { __proto__: null };
    for (const name of new SafeArrayIterator(MEMBERS)) {
      const member = value[name];
      if (member !== undefined) copy[name] = asItIs(member);
    }
    return copy;
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
    const kept = [];
    for (let i = 0; i < args.length; i++) kept[i] = asItIs(args[i]);
    return now(original, subtle, kept, await op_turn_wait(request));
  }

  async function now(original, subtle, args, turn) {
    try {
      return await called(original, subtle, args, turn);
    } finally {
      op_turn_end(turn);
    }
  }

  function called(original, subtle, args, turn) {
    op_turn_enter(turn);
    try {
      return ReflectApply(original, subtle, args);
    } finally {
      op_turn_leave();
    }
  }

  // What drives all ops is started by the first that waits, which must not be one inside of a turn: that is another runtime.
  op_void_async_deferred();

  for (const method of new SafeArrayIterator(METHODS)) {
    const original = SubtleCrypto.prototype[method];
    const value = {
      async [method](...args) {
        const request = core.getAsyncContext()?.request ?? 0;
        const turn = op_turn_take(request);
        return await (turn === 0 ? later(original, this, args, request) : now(original, this, args, turn));
      },
    }[method];
    ObjectDefineProperty(value, "length", { __proto__: null, value: original.length, configurable: true });
    ObjectDefineProperty(SubtleCrypto.prototype, method, { __proto__: null, value });
  }
})();
