// Replaces the native half of zlib: it compresses and decompresses. The library builds streams on it.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    DataViewPrototypeGetBuffer,
    DataViewPrototypeGetByteLength,
    DataViewPrototypeGetByteOffset,
    Error,
    TypedArrayPrototypeGetBuffer,
    TypedArrayPrototypeGetByteLength,
    TypedArrayPrototypeGetByteOffset,
    Uint8Array,
  } = primordials;
  const {
    op_zlib_close,
    op_zlib_crc32,
    op_zlib_crc32_string,
    op_zlib_error,
    op_zlib_level,
    op_zlib_members,
    op_zlib_open,
    op_zlib_reset,
    op_zlib_step,
  } = core.ops;

  /** Returns a part of a view as bytes. */
  function part(view, offset, length) {
    const isData = core.isDataView(view);
    const buffer = isData ? DataViewPrototypeGetBuffer(view) : TypedArrayPrototypeGetBuffer(view);
    const start = isData ? DataViewPrototypeGetByteOffset(view) : TypedArrayPrototypeGetByteOffset(view);
    const size = isData ? DataViewPrototypeGetByteLength(view) : TypedArrayPrototypeGetByteLength(view);
    if (!(offset >= 0 && length >= 0 && offset + length <= size)) throw new Error("the range is outside of the buffer");
    return new Uint8Array(buffer, start + offset, length);
  }

  function overlap(a, b) {
    const [start, other] = [TypedArrayPrototypeGetByteOffset(a), TypedArrayPrototypeGetByteOffset(b)];
    return TypedArrayPrototypeGetBuffer(a) === TypedArrayPrototypeGetBuffer(b) &&
      start < other + TypedArrayPrototypeGetByteLength(b) && other < start + TypedArrayPrototypeGetByteLength(a);
  }

  class Zlib {
    #mode;
    #stream;

    constructor(mode) {
      this.#mode = mode;
    }
    init(windowBits, level, _memoryLevel, _strategy, _callback, dictionary) {
      this.#stream = op_zlib_open(this.#mode, windowBits, level, dictionary ?? null);
    }
    // The library treats a step that does not call back as complete.
    write(flush, input, inputOffset, inputLength, output, outputOffset, outputLength, left) {
      const to = part(output, outputOffset, outputLength);
      let from = part(input, inputOffset, inputLength);
      // A step must not read the memory that it writes to.
      if (overlap(from, to)) from = new Uint8Array(from);
      const code = op_zlib_step(this.#stream, flush, from, to, left);
      if (code < 0 || code === 2) this.onerror(op_zlib_error(this.#stream), code);
    }
    writeSync(...step) {
      this.write(...step);
    }
    reset() {
      op_zlib_reset(this.#stream);
    }
    params(level, _strategy) {
      op_zlib_level(this.#stream, level);
    }
    setRejectGarbageAfterEnd(reject) {
      op_zlib_members(this.#stream, !reject);
    }
    close() {
      if (this.#stream !== undefined) op_zlib_close(this.#stream);
      this.#stream = undefined;
    }
  }

  function crc32(data, value) {
    return (typeof data === "string"
      ? op_zlib_crc32_string(data, value)
      : op_zlib_crc32(core.isDataView(data) ? part(data, 0, DataViewPrototypeGetByteLength(data)) : data, value)) >>> 0;
  }

  return { Zlib, crc32 };
})();
