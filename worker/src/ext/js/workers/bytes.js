// What apps may write where bytes are wanted.
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

  /** The bytes of an ArrayBuffer or of a view of one, not copied. */
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

  return { bytesOf };
})();
