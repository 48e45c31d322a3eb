// Requests, responses, streams, blobs and services as arguments and results of calls between apps. A stream stays in its app: the other one
// reads it or writes to it, a piece with each call, as it does with what is called.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayBufferIsView,
    ArrayIsArray,
    DataViewPrototypeGetBuffer,
    DataViewPrototypeGetByteLength,
    DataViewPrototypeGetByteOffset,
    Error,
    MapPrototypeGet,
    ObjectPrototypeIsPrototypeOf,
    PromisePrototypeThen,
    SymbolDispose,
    TypedArrayPrototypeGetBuffer,
    TypedArrayPrototypeGetByteLength,
    TypedArrayPrototypeGetByteOffset,
    TypedArrayPrototypeGetSymbolToStringTag,
    TypedArrayPrototypeSlice,
    TypedArrayPrototypeSubarray,
    TypeError,
    Uint8Array,
  } = primordials;
  const { op_blob_bytes } = core.ops;
  const { AbortSignal } = core.loadExtScript("ext:deno_web/03_abort_signal.js");
  const { Blob, File, getParts } = core.loadExtScript("ext:deno_web/09_file.js");
  const { cannot } = core.loadExtScript("ext:nano_platform/structured_clone.js");
  const { fieldsOf, headersOf, text, unreadable } = core.loadExtScript("ext:nano_workers/call_values.js");
  const { takeStatic } = core.loadExtScript("ext:nano_net/body_streams.js");
  const { DigestStream } = core.loadExtScript("ext:nano_workers/crypto.js");
  const { isService } = core.loadExtScript("ext:nano_workers/reach.js");
  const { Request, toInnerRequest } = core.loadExtScript("ext:deno_fetch/23_request.js");
  const { Response, responseIsError, toInnerResponse } = core.loadExtScript("ext:deno_fetch/23_response.js");
  const { ReadableStream, WritableStream } = core.loadExtScript("ext:deno_web/06_streams.js");

  // The kinds of entries in a table, besides those of call_values.js.
  const READABLE = 4;
  const WRITABLE = 5;
  const REQUEST = 6;
  const RESPONSE = 7;
  const SERVICE = 8;
  const BLOB = 9;

  /** Longest piece of a stream, in bytes. */
  const MOST_PIECE = 256 * 1024;
  /** Longest body that goes along with its request or response, in bytes. */
  const MOST_ALONG = 64 * 1024;

  const nothing = () => {};
  const isA = (constructor, value) => ObjectPrototypeIsPrototypeOf(constructor.prototype, value);
  const refuse = (message) => {
    throw cannot(message);
  };

  /** Returns bytes as an array of its own. */
  function bytesOf(value, what) {
    if (core.isArrayBuffer(value)) return new Uint8Array(value);
    if (!ArrayBufferIsView(value)) throw new TypeError(`${what}, not ${typeof value}: only streams of bytes can be sent to another app`);
    const isTyped = TypedArrayPrototypeGetSymbolToStringTag(value) !== undefined;
    return isTyped
      ? new Uint8Array(TypedArrayPrototypeGetBuffer(value), TypedArrayPrototypeGetByteOffset(value), TypedArrayPrototypeGetByteLength(value))
      : new Uint8Array(DataViewPrototypeGetBuffer(value), DataViewPrototypeGetByteOffset(value), DataViewPrototypeGetByteLength(value));
  }

  const EMPTY = new Uint8Array(0);

  /** What the other app calls of a stream that it reads. */
  function sourceOf(stream) {
    if (stream.locked) throw new TypeError("The ReadableStream has been locked to a reader.");
    const reader = stream.getReader();
    let rest = EMPTY;
    let isOver = false;
    return {
      /** Returns the next piece; null at the end. */
      async read() {
        while (TypedArrayPrototypeGetByteLength(rest) === 0) {
          const { value, done } = await reader.read();
          if (done) {
            isOver = true;
            return null;
          }
          try {
            rest = bytesOf(value, "The ReadableStream must give bytes");
          } catch (error) {
            isOver = true;
            PromisePrototypeThen(reader.cancel(error), nothing, nothing);
            throw error;
          }
        }
        // V8 writes all of the buffer that a piece is of.
        const piece = TypedArrayPrototypeSlice(rest, 0, MOST_PIECE);
        rest = TypedArrayPrototypeSubarray(rest, MOST_PIECE);
        return piece;
      },
      cancel(reason) {
        isOver = true;
        return reader.cancel(reason);
      },
      [SymbolDispose]() {
        if (!isOver) PromisePrototypeThen(reader.cancel(new Error("the other app reads no more")), nothing, nothing);
      },
    };
  }

  /** Reads a stream of the other app. */
  function readableOf(hook) {
    return new ReadableStream({
      __proto__: null,
      type: "bytes",
      async pull(controller) {
        let piece;
        try {
          piece = await hook.reach(["read"], []).promise;
          if (piece !== null) piece = bytesOf(piece, "The ReadableStream must give bytes");
        } catch (error) {
          hook.dispose();
          throw error;
        }
        if (piece !== null) return controller.enqueue(piece);
        hook.dispose();
        controller.close();
        // A reader with a buffer of its own learns of the end through its pending request.
        controller.byobRequest?.respond(0);
      },
      async cancel(reason) {
        try {
          await hook.reach(["cancel"], [textOf(reason)]).promise;
        } finally {
          hook.dispose();
        }
      },
    });
  }

  /** A reason as it can be sent. */
  const textOf = (reason) => (core.isNativeError(reason) ? reason : reason === undefined ? undefined : `${reason}`);

  /** What the other app calls of a stream that it writes to. */
  function sinkOf(stream) {
    if (stream.locked) throw new TypeError("The WritableStream has been locked to a writer.");
    const writer = stream.getWriter();
    // What fails is told to whoever writes.
    PromisePrototypeThen(writer.closed, nothing, nothing);
    PromisePrototypeThen(writer.ready, nothing, nothing);
    let isOver = false;
    return {
      write: (piece) => writer.write(bytesOf(piece, "What is written must be bytes")),
      close() {
        isOver = true;
        return writer.close();
      },
      abort(reason) {
        isOver = true;
        return writer.abort(reason);
      },
      [SymbolDispose]() {
        if (!isOver) PromisePrototypeThen(writer.abort(new Error("the other app writes no more")), nothing, nothing);
      },
    };
  }

  /** Writes to a stream of the other app. */
  function writableOf(hook) {
    const last = async (name, args) => {
      try {
        await hook.reach([name], args).promise;
      } finally {
        hook.dispose();
      }
    };
    return new WritableStream({
      __proto__: null,
      async write(chunk) {
        const bytes = bytesOf(chunk, "What is written must be bytes");
        const { length } = bytes;
        for (let from = 0; from < length; from += MOST_PIECE) {
          await hook.reach(["write"], [TypedArrayPrototypeSlice(bytes, from, from + MOST_PIECE)]).promise;
        }
      },
      close: () => last("close", []),
      abort: (reason) => last("abort", [textOf(reason)]),
    });
  }

  /** Returns a body as it is sent: bytes, a stream that was copied, or null. */
  function bodyOf(value, inner, packing) {
    if (value.bodyUsed || value.body?.locked) throw new TypeError("The ReadableStream has been locked to a reader.");
    if (inner.body === null) return null;
    const whole = takeStatic(inner.body);
    if (whole === undefined) return packing.copy(value.body);
    const bytes = typeof whole === "string" ? core.encode(whole) : whole;
    if (TypedArrayPrototypeGetByteLength(bytes) <= MOST_ALONG) return TypedArrayPrototypeSlice(bytes);
    return packing.copy(new Response(bytes).body);
  }

  /** Returns what a table says of a value: its kind, and more; none of other values. */
  function about(value, packing, exporter) {
    if (isService(value)) return [SERVICE, exporter.take(value)];
    if (isA(ReadableStream, value)) return [READABLE, exporter.take(sourceOf(value))];
    if (isA(WritableStream, value) && !isA(DigestStream, value)) return [WRITABLE, exporter.take(sinkOf(value))];
    if (isA(Request, value)) {
      const inner = toInnerRequest(value);
      const { method, url, redirect } = value;
      return [REQUEST, [method, url, redirect, fieldsOf(value.headers)], bodyOf(value, inner, packing)];
    }
    if (isA(Response, value)) {
      const inner = toInnerResponse(value);
      if (inner.webSocket !== undefined) refuse('Could not serialize object of type "WebSocket". This type does not support serialization.');
      if (responseIsError(value)) refuse("A Response of an error could not be cloned.");
      const { status, statusText } = value;
      return [RESPONSE, [status, statusText, fieldsOf(value.headers)], bodyOf(value, inner, packing)];
    }
    if (isA(Blob, value) && !isA(File, value)) return [BLOB, value.type, op_blob_bytes(getParts(value))];
    if (isA(AbortSignal, value)) refuse("AbortSignal serialization is not enabled.");
    return undefined;
  }

  /** Returns a body that has come with its request or response: bytes, or a stream that an entry before it has become. */
  function givenBody(body, unpacking) {
    if (body === null) return null;
    if (ArrayBufferIsView(body)) {
      const bytes = bytesOf(body);
      unpacking.take(TypedArrayPrototypeGetBuffer(bytes));
      return bytes;
    }
    const stream = MapPrototypeGet(unpacking.real, body);
    if (!isA(ReadableStream, stream)) throw unreadable();
    return stream;
  }

  /** Makes what an entry of a table says. */
  function make({ 1: kind, 2: what, 3: body }, importer, unpacking) {
    switch (kind) {
      case READABLE:
        return readableOf(importer.hook(what));
      case WRITABLE:
        return writableOf(importer.hook(what));
      case SERVICE: {
        const hook = importer.hook(what);
        const { fetcherOf } = core.loadExtScript("ext:nano_workers/fetcher.js");
        return fetcherOf({
          fetch: (request) => hook.reach(["fetch"], [request]).promise,
          reach: (path, args) => hook.reach(path, args),
        });
      }
      case BLOB: {
        const type = text(what);
        if (!ArrayBufferIsView(body)) throw unreadable();
        const bytes = bytesOf(body);
        unpacking.take(TypedArrayPrototypeGetBuffer(bytes));
        return new Blob([bytes], { __proto__: null, type });
      }
      case REQUEST:
      case RESPONSE: {
        if (!ArrayIsArray(what)) throw unreadable();
        const given = givenBody(body, unpacking);
        const { 0: first, 1: second, 2: third, 3: fourth } = what;
        if (kind === RESPONSE) {
          if (typeof first !== "number") throw unreadable();
          return new Response(given, { __proto__: null, status: first, statusText: text(second), headers: headersOf(unpacking.take(third)) });
        }
        const headers = headersOf(unpacking.take(fourth));
        const init = { __proto__: null, method: text(first), redirect: text(third), headers, body: given };
        if (given !== null && !ArrayBufferIsView(given)) init.duplex = "half";
        return new Request(text(second), init);
      }
      default:
        throw unreadable();
    }
  }

  return { about, make };
})();
