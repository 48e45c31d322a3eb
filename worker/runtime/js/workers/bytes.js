// The forms in which apps may pass bytes.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayBufferIsView,
    DataViewPrototypeGetBuffer,
    DataViewPrototypeGetByteLength,
    DataViewPrototypeGetByteOffset,
    TypedArrayPrototypeGetBuffer,
    TypedArrayPrototypeGetByteLength,
    TypedArrayPrototypeGetByteOffset,
    TypedArrayPrototypeGetSymbolToStringTag,
    TypeError,
    Uint8Array,
  } = primordials;

  /** Returns the bytes of an ArrayBuffer or of a view of one, without a copy. */
  function bytesOf(value, prefix) {
    if (core.isArrayBuffer(value)) return new Uint8Array(value);
    if (!ArrayBufferIsView(value)) throw new TypeError(`${prefix} is not an ArrayBuffer or a view of one`);
    const tag = TypedArrayPrototypeGetSymbolToStringTag(value);
    if (tag === "Uint8Array") return value;
    if (tag === undefined) {
      return new Uint8Array(
        DataViewPrototypeGetBuffer(value),
        DataViewPrototypeGetByteOffset(value),
        DataViewPrototypeGetByteLength(value),
      );
    }
    return new Uint8Array(
      TypedArrayPrototypeGetBuffer(value),
      TypedArrayPrototypeGetByteOffset(value),
      TypedArrayPrototypeGetByteLength(value),
    );
  }

  /** Works like bytesOf(), but also encodes text as UTF-8. Streams that are read outside of JavaScript may contain both. */
  function bytesOrText(value, prefix) {
    if (typeof value === "string") return core.encode(value);
    if (core.isArrayBuffer(value) || ArrayBufferIsView(value)) return bytesOf(value, prefix);
    const what = value === null ? "null" : typeof value;
    throw new TypeError(`${prefix} is neither bytes nor text, but ${what}: encode it, as with JSON.stringify`);
  }

  return { bytesOf, bytesOrText };
})();
