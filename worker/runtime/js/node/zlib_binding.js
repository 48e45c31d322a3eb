// Replaces the native half of zlib: it compresses and decompresses. The library builds streams on it.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    DataViewPrototypeGetBuffer,
    DataViewPrototypeGetByteLength,
    DataViewPrototypeGetByteOffset,
    Error,
    ObjectEntries,
    SafeArrayIterator,
    TypedArrayPrototypeGetBuffer,
    TypedArrayPrototypeGetByteLength,
    TypedArrayPrototypeGetByteOffset,
    Uint32Array,
    Uint8Array,
  } = primordials;
  const {
    op_brotli_close,
    op_brotli_error,
    op_brotli_open,
    op_brotli_step,
    op_native_memory,
    op_zlib_close,
    op_zlib_crc32,
    op_zlib_crc32_string,
    op_zlib_error,
    op_zlib_level,
    op_zlib_members,
    op_zlib_open,
    op_zlib_reset,
    op_zlib_step,
    op_zstd_close,
    op_zstd_error,
    op_zstd_open,
    op_zstd_step,
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
      op_native_memory();
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

  // Numbers of the library, and codes of op_brotli_step().
  const FINISH = 2;
  const NEEDS_INPUT = 1;
  const COMPLETE = 2;
  const BUFFER_ERROR = -5;

  class Brotli {
    #isEncoder;
    #params;
    #stream;

    constructor(isEncoder) {
      this.#isEncoder = isEncoder;
    }
    init(params) {
      // The library uses one array for all streams.
      this.#params = new Uint32Array(params);
      this.reset();
      return true;
    }
    reset() {
      this.close();
      op_native_memory();
      this.#stream = op_brotli_open(this.#isEncoder, this.#params);
    }
    write(operation, input, inputOffset, inputLength, output, outputOffset, outputLength, left) {
      const to = part(output, outputOffset, outputLength);
      let from = part(input, inputOffset, inputLength);
      if (overlap(from, to)) from = new Uint8Array(from);
      const code = op_brotli_step(this.#stream, operation, from, to, left);
      if (code < 0) {
        this.#fail(this.#isEncoder ? "Compression failed" : "Decompression failed", code, op_brotli_error(this.#stream));
      } else if (code === NEEDS_INPUT && operation === FINISH) {
        this.#fail("unexpected end of file", BUFFER_ERROR, "Z_BUF_ERROR");
      }
    }
    #fail(message, number, code) {
      // The library closes the stream only when the code that runs has returned, which may have many such streams.
      op_brotli_close(this.#stream);
      this.onerror(message, number, code);
    }
    writeSync(...step) {
      this.write(...step);
    }
    params() {}
    close() {
      if (this.#stream !== undefined) op_brotli_close(this.#stream);
      this.#stream = undefined;
    }
  }
  class BrotliDecoder extends Brotli {
    constructor() {
      super(false);
    }
  }
  class BrotliEncoder extends Brotli {
    constructor() {
      super(true);
    }
  }

  /** The numbers of the errors of Zstandard. */
  const ZSTD_ERRORS = {
    ZSTD_error_no_error: 0, ZSTD_error_GENERIC: 1, ZSTD_error_prefix_unknown: 10, ZSTD_error_version_unsupported: 12,
    ZSTD_error_frameParameter_unsupported: 14, ZSTD_error_frameParameter_windowTooLarge: 16, ZSTD_error_corruption_detected: 20,
    ZSTD_error_checksum_wrong: 22, ZSTD_error_literals_headerWrong: 24, ZSTD_error_dictionary_corrupted: 30,
    ZSTD_error_dictionary_wrong: 32, ZSTD_error_dictionaryCreation_failed: 34, ZSTD_error_parameter_unsupported: 40,
    ZSTD_error_parameter_combination_unsupported: 41, ZSTD_error_parameter_outOfBound: 42, ZSTD_error_tableLog_tooLarge: 44,
    ZSTD_error_maxSymbolValue_tooLarge: 46, ZSTD_error_maxSymbolValue_tooSmall: 48, ZSTD_error_stabilityCondition_notRespected: 50,
    ZSTD_error_stage_wrong: 60, ZSTD_error_init_missing: 62, ZSTD_error_memory_allocation: 64, ZSTD_error_workSpace_tooSmall: 66,
    ZSTD_error_dstSize_tooSmall: 70, ZSTD_error_srcSize_wrong: 72, ZSTD_error_dstBuffer_null: 74,
    ZSTD_error_noForwardProgress_destFull: 80, ZSTD_error_noForwardProgress_inputEmpty: 82,
  };
  function nameOfError(number) {
    for (const entry of new SafeArrayIterator(ObjectEntries(ZSTD_ERRORS))) if (entry[1] === number) return entry[0];
    return "ZSTD_error_GENERIC";
  }

  class Zstd {
    #isEncoder;
    #params;
    #size;
    #stream;
    #hasBegun = false;

    constructor(isEncoder) {
      this.#isEncoder = isEncoder;
    }
    init(params, _callback, size) {
      // The library uses one array for all streams.
      this.#params = new Uint32Array(params);
      this.#size = size ?? -1;
      this.#open();
      return this.#stream !== undefined;
    }
    #open() {
      this.close();
      op_native_memory();
      this.#hasBegun = false;
      this.#stream = op_zstd_open(this.#isEncoder, this.#params, this.#size) ?? undefined;
    }
    reset() {
      this.#open();
    }
    write(operation, input, inputOffset, inputLength, output, outputOffset, outputLength, left) {
      const to = part(output, outputOffset, outputLength);
      let from = part(input, inputOffset, inputLength);
      if (overlap(from, to)) from = new Uint8Array(from);
      if (inputLength > 0) this.#hasBegun = true;
      const code = op_zstd_step(this.#stream, operation, from, to, left);
      if (code === COMPLETE) this.#hasBegun = false;
      if (code < 0) this.#fail(op_zstd_error(code), code, nameOfError(-code));
      else if (code === NEEDS_INPUT && operation === FINISH && !this.#isEncoder && this.#hasBegun) {
        this.#fail("unexpected end of file", BUFFER_ERROR, "Z_BUF_ERROR");
      }
    }
    #fail(message, number, code) {
      op_zstd_close(this.#stream);
      this.onerror(message, number, code);
    }
    writeSync(...step) {
      this.write(...step);
    }
    params() {}
    close() {
      if (this.#stream !== undefined) op_zstd_close(this.#stream);
      this.#stream = undefined;
    }
  }
  class ZstdCompress extends Zstd {
    constructor() {
      super(true);
    }
  }
  class ZstdDecompress extends Zstd {
    constructor() {
      super(false);
    }
  }

  function crc32(data, value) {
    return (typeof data === "string"
      ? op_zlib_crc32_string(data, value)
      : op_zlib_crc32(core.isDataView(data) ? part(data, 0, DataViewPrototypeGetByteLength(data)) : data, value)) >>> 0;
  }

  return { BrotliDecoder, BrotliEncoder, ZSTD_ERRORS, Zlib, ZstdCompress, ZstdDecompress, crc32 };
})();
