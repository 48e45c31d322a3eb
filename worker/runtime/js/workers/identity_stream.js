// IdentityTransformStream and FixedLengthStream: a pipe in Rust with a writable and a readable end in JavaScript.
(function () {
  const { core, primordials } = __bootstrap;
  const { MathTrunc, Number, NumberIsSafeInteger, TypedArrayPrototypeGetByteLength, TypeError } = primordials;
  const { op_byte_pipe, op_byte_pipe_abort, op_byte_pipe_close, op_byte_pipe_reader, op_byte_pipe_write } = core.ops;
  const { describe } = core.loadExtScript("ext:nano_workers/respond.js");
  const { add } = core.loadExtScript("ext:deno_web/03_abort_signal.js");
  const { errorReadableStream, isPiped, readableStreamForRid, TransformStream, WritableStream } = core
    .loadExtScript("ext:deno_web/06_streams.js");
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
  const { bytesOrText } = core.loadExtScript("ext:nano_workers/bytes.js");

  const UNKNOWN = -1;

  /** Creates both ends of a pipe that is to carry `length` bytes. `strategy` applies to the writable end. */
  function makePipe(name, length, strategy) {
    const pipe = op_byte_pipe(length);
    let written = 0;
    let isOver = false;
    let failure;
    let writable;

    // A reader in JavaScript gets the error itself. A reader in Rust gets its text.
    function fail(error) {
      if (isOver) return;
      isOver = true;
      failure = { error };
      errorReadableStream(readable, error);
      op_byte_pipe_abort(pipe, describe(error));
    }
    function refuse(error) {
      fail(error);
      throw error;
    }
    const sink = {
      __proto__: null,
      start(controller) {
        writable = controller;
        // Without this, a pending write would delay the abort until somebody reads.
        const { signal } = controller;
        signal[add](() => fail(signal.reason));
      },
      async write(chunk) {
        let bytes;
        try {
          bytes = bytesOrText(chunk, `${name}: what was written`);
        } catch (error) {
          refuse(error);
        }
        const size = TypedArrayPrototypeGetByteLength(bytes);
        written += size;
        if (length !== UNKNOWN && written > length) {
          refuse(new TypeError(`${name}: more bytes were written than the ${length} that were promised`));
        }
        if (size > 0 && !await op_byte_pipe_write(pipe, bytes)) {
          throw failure === undefined ? cancelled() : failure.error;
        }
      },
      close() {
        if (length !== UNKNOWN && written < length) {
          refuse(new TypeError(`${name}: it was closed after ${written} of the ${length} bytes that were promised`));
        }
        isOver = true;
        op_byte_pipe_close(pipe);
      },
      abort: fail,
    };
    const cancelled = () => new TypeError(`${name}: the readable side was cancelled`);
    const readable = readableStreamForRid(op_byte_pipe_reader(pipe), true, undefined, undefined, () => {
      if (!isOver) writable.error(cancelled());
    });
    // As on Workers, there always is room for a writer of an app. A pipe waits.
    const roomy = { __proto__: null, highWaterMark: 1, size: () => isPiped(stream) ? 1 : 0 };
    const stream = new WritableStream(sink, strategy ?? roomy);
    return { readable, writable: stream };
  }

  /** Returns the queuing strategy of the writable side: how many bytes may wait there, if the app sets a limit. */
  function strategyOf(strategy, prefix, context) {
    const { highWaterMark } = webidl.converters.QueuingStrategy(strategy, prefix, context);
    return highWaterMark > 0 ? { __proto__: null, highWaterMark, size: (chunk) => chunk?.byteLength ?? 1 } : undefined;
  }

  let setPipe;

  /** Passes bytes on unchanged. A write resolves when its bytes have been read. */
  class IdentityTransformStream extends TransformStream {
    #pipe;

    constructor(strategy = undefined) {
      super(webidl.brand);
      if (strategy === webidl.brand) return;
      const name = "IdentityTransformStream";
      this.#pipe = makePipe(name, UNKNOWN, strategyOf(strategy, `Failed to construct '${name}'`, "Argument 1"));
    }
    static {
      setPipe = (stream, pipe) => stream.#pipe = pipe;
    }
    get readable() {
      webidl.assertBranded(this, IdentityTransformStreamPrototype);
      return this.#pipe.readable;
    }
    get writable() {
      webidl.assertBranded(this, IdentityTransformStreamPrototype);
      return this.#pipe.writable;
    }
  }
  webidl.configureInterface(IdentityTransformStream);
  const IdentityTransformStreamPrototype = IdentityTransformStream.prototype;

  /** Passes on a known number of bytes, so that a request or response with this body has a content-length. */
  class FixedLengthStream extends IdentityTransformStream {
    constructor(expectedLength, strategy = undefined) {
      super(webidl.brand);
      const name = "FixedLengthStream";
      const prefix = `Failed to construct '${name}'`;
      webidl.requiredArguments(arguments.length, 1, prefix);
      const length = MathTrunc(Number(expectedLength));
      if (!NumberIsSafeInteger(length) || length < 0) {
        throw new TypeError(`${prefix}: Argument 1 is not a number of bytes`);
      }
      setPipe(this, makePipe(name, length, strategyOf(strategy, prefix, "Argument 2")));
    }
  }
  webidl.configureInterface(FixedLengthStream);

  return { FixedLengthStream, IdentityTransformStream };
})();
