// Bodies of strings and buffers as the fetch standard has them: byte streams that stay the same object, whose clones share
// no memory, and whose text has been through UTF-8. https://fetch.spec.whatwg.org/#concept-body
(function () {
  const { core, primordials } = __bootstrap;
  const {
    FunctionPrototypeCall,
    ObjectDefineProperty,
    ObjectGetOwnPropertyDescriptor,
    ObjectPrototypeIsPrototypeOf,
    PromisePrototypeThen,
    SafeWeakMap,
    StringPrototypeCharCodeAt,
    StringPrototypeIsWellFormed,
    TypeError,
    TypedArrayPrototypeGetByteLength,
    TypedArrayPrototypeSlice,
    WeakMapPrototypeGet,
    WeakMapPrototypeSet,
  } = primordials;
  const { op_body_fork, op_body_move } = core.ops;
  const { InnerBody } = core.loadExtScript("ext:deno_fetch/22_body.js");
  const {
    _state,
    acquireReadableStreamDefaultReader,
    createReadableByteStream,
    errorReadableStream,
    getReadableStreamResourceBacking,
    getReadableStreamStoredError,
    isReadableStreamDisturbed,
    isReadableStreamLocked,
    readableByteStreamControllerClose,
    readableByteStreamControllerEnqueue,
    readableStreamClose,
    readableStreamCollect,
    readableStreamDisturb,
    ReadableStreamDefaultReader,
    readableStreamForRid,
    ReadableStreamPrototype,
    readableStreamThrowIfErrored,
    resourceForReadableStream,
  } = core.loadExtScript("ext:deno_web/06_streams.js");

  const BYTE_ORDER_MARK = 0xfeff;

  const nothing = () => {};
  const resolved = async () => {};
  const isStream = (body) => ObjectPrototypeIsPrototypeOf(ReadableStreamPrototype, body);

  // What a stream will give, while nobody has read from it.
  const contents = new SafeWeakMap();

  function streamOf(body) {
    const stream = createReadableByteStream(
      nothing,
      (controller) => {
        // Enqueueing detaches the buffer, and a redirect may have to send the body again.
        const bytes = typeof body === "string" ? core.encode(body) : TypedArrayPrototypeSlice(body);
        if (TypedArrayPrototypeGetByteLength(bytes) > 0) readableByteStreamControllerEnqueue(controller, bytes);
        readableByteStreamControllerClose(controller);
        // A reader that came with its own buffer is told of the end through its request.
        controller.byobRequest?.respond(0);
        return resolved();
      },
      resolved,
    );
    WeakMapPrototypeSet(contents, stream, body);
    return stream;
  }

  const isUntouched = (stream) =>
    stream[_state] === "readable" && !isReadableStreamLocked(stream) && !isReadableStreamDisturbed(stream);

  /** The string or bytes behind a stream that nobody has read from. The stream counts as read from then on. */
  function takeContents(stream) {
    const body = WeakMapPrototypeGet(contents, stream);
    if (body === undefined || !isUntouched(stream)) return undefined;
    readableStreamDisturb(stream);
    readableStreamClose(stream);
    return body;
  }

  const closed = ObjectGetOwnPropertyDescriptor(ReadableStreamDefaultReader.prototype, "closed").get;

  /** What backs a stream that nobody has read from. */
  function untouched(stream) {
    return isUntouched(stream) ? getReadableStreamResourceBacking(stream) : null;
  }

  /**
   * The two branches of a body that nobody has read from and that is here already, or of one that came, each of which can
   * leave as it came; null if it is no such body.
   */
  function fork(stream) {
    const body = WeakMapPrototypeGet(contents, stream);
    if (body !== undefined && isUntouched(stream)) {
      acquireReadableStreamDefaultReader(stream);
      return [streamOf(body), streamOf(typeof body === "string" ? body : TypedArrayPrototypeSlice(body))];
    }
    const rid = untouched(stream)?.rid;
    const rids = rid === undefined ? null : op_body_fork(rid);
    if (rids === null) return null;
    const reader = acquireReadableStreamDefaultReader(stream);
    const branches = [readableStreamForRid(rids[0]), readableStreamForRid(rids[1])];
    // An abort is told to the stream that the fetch has made.
    PromisePrototypeThen(FunctionPrototypeCall(closed, reader), undefined, (error) => {
      for (let i = 0; i < branches.length; i++) {
        if (branches[i][_state] === "readable") errorReadableStream(branches[i], error);
        core.tryClose(rids[i]);
      }
    });
    return branches;
  }

  /** A stream in place of one that nobody has read from, which counts as read from then on; undefined if it did not come. */
  function move(stream) {
    const rid = untouched(stream)?.rid;
    const moved = rid === undefined ? null : op_body_move(rid);
    if (moved === null) return undefined;
    acquireReadableStreamDefaultReader(stream);
    readableStreamDisturb(stream);
    return readableStreamForRid(moved);
  }

  /** A body's stream as a resource, to be taken by an op, and the way from what the op fails with to what the app threw. */
  function resourceOf(body, what) {
    const { stream } = body;
    if (isReadableStreamLocked(stream)) throw new TypeError(`${what} is locked`);
    const backing = untouched(stream);
    let cause;
    let rid;
    if (backing) {
      // The bytes come from Rust and go to Rust: JavaScript need not see them.
      rid = backing.rid;
      acquireReadableStreamDefaultReader(stream);
      readableStreamDisturb(stream);
    } else {
      rid = resourceForReadableStream(stream, body.length ?? undefined, (error) => cause = error);
    }
    return { rid, causeOf: (error) => cause ?? getReadableStreamStoredError(stream) ?? error };
  }

  /** The string or bytes that a body consists of, which is used with that; undefined if it is a stream. */
  function takeStatic(body) {
    const source = body.streamOrStatic;
    if (source.body === undefined) return takeContents(source);
    source.consumed = true;
    return source.body;
  }

  // Strings have not been encoded yet; only these two kinds come out of that differently.
  function asDecoded(body) {
    return typeof body === "string" &&
        (StringPrototypeCharCodeAt(body, 0) === BYTE_ORDER_MARK || !StringPrototypeIsWellFormed(body))
      ? core.encode(body)
      : body;
  }

  const { prototype } = InnerBody;
  /** What a fetch sends at once, with its length; undefined if it is a stream. */
  prototype.takeSent = function () {
    const source = this.streamOrStatic;
    return isStream(source) ? takeContents(source) : source.body;
  };
  /** The stream that it sends otherwise, as a resource. */
  prototype.openSent = function () {
    return resourceOf(this, "the body of the request").rid;
  };
  const { clone, consume, createProxy } = prototype;
  const { get } = ObjectGetOwnPropertyDescriptor(prototype, "stream");
  ObjectDefineProperty(prototype, "stream", {
    __proto__: null,
    configurable: true,
    get() {
      const before = this.streamOrStatic;
      if (isStream(before)) return before;
      if (before.consumed) return FunctionPrototypeCall(get, this);
      return this.streamOrStatic = streamOf(before.body);
    },
  });
  prototype.consume = function () {
    const source = this.streamOrStatic;
    const body = isStream(source) ? takeContents(source) : undefined;
    return asDecoded(body ?? FunctionPrototypeCall(consume, this));
  };
  /** As consume(), in an object on which nothing is looked up when a promise is resolved with it. */
  prototype.consumeUnseen = function () {
    if (this.unusable()) throw new TypeError("the body has been read already");
    const source = this.streamOrStatic;
    if (!isStream(source)) {
      source.consumed = true;
      return { __proto__: null, body: asDecoded(source.body) };
    }
    const body = takeContents(source);
    if (body !== undefined) return { __proto__: null, body: asDecoded(body) };
    readableStreamThrowIfErrored(source);
    return readableStreamCollect(source);
  };
  prototype.clone = function () {
    const branches = isStream(this.streamOrStatic) ? fork(this.streamOrStatic) : null;
    if (branches !== null) {
      this.streamOrStatic = branches[0];
      const second = new InnerBody(branches[1]);
      second.source = this.source;
      second.length = this.length;
      return second;
    }
    const second = FunctionPrototypeCall(clone, this);
    const source = second.streamOrStatic;
    if (!isStream(source) && typeof source.body !== "string") source.body = TypedArrayPrototypeSlice(source.body);
    return second;
  };
  prototype.createProxy = function () {
    const source = this.streamOrStatic;
    const body = isStream(source) ? takeContents(source) ?? move(source) : undefined;
    if (body === undefined) return FunctionPrototypeCall(createProxy, this);
    const proxy = new InnerBody(isStream(body) ? body : { body, consumed: false });
    proxy.source = this.source;
    proxy.length = this.length;
    return proxy;
  };

  const descriptor = ObjectGetOwnPropertyDescriptor(ReadableStreamPrototype, "tee");
  const teeAny = descriptor.value;
  const { tee } = {
    tee() {
      const branches = isStream(this) ? fork(this) : null;
      return branches ?? FunctionPrototypeCall(teeAny, this);
    },
  };
  descriptor.value = tee;
  ObjectDefineProperty(ReadableStreamPrototype, "tee", descriptor);

  return { resourceOf, takeStatic };
})();
