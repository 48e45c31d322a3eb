// Bodies of strings and buffers as the fetch standard has them: each has one byte stream that stays the same object, clones
// share no memory, and text is converted to UTF-8 and back. https://fetch.spec.whatwg.org/#concept-body
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

  // The string or bytes that a stream will give, for as long as nobody has read from it.
  const contents = new SafeWeakMap();

  function streamOf(body) {
    const stream = createReadableByteStream(
      nothing,
      (controller) => {
        // Enqueueing detaches the buffer, and a redirect may have to send the body again.
        const bytes = typeof body === "string" ? core.encode(body) : TypedArrayPrototypeSlice(body);
        if (TypedArrayPrototypeGetByteLength(bytes) > 0) readableByteStreamControllerEnqueue(controller, bytes);
        readableByteStreamControllerClose(controller);
        // A reader with a buffer of its own learns of the end through its pending request.
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

  /** Takes the string or bytes behind a stream that nobody has read from. After that, the stream counts as read. */
  function takeContents(stream) {
    const body = WeakMapPrototypeGet(contents, stream);
    if (body === undefined || !isUntouched(stream)) return undefined;
    readableStreamDisturb(stream);
    readableStreamClose(stream);
    return body;
  }

  const closed = ObjectGetOwnPropertyDescriptor(ReadableStreamDefaultReader.prototype, "closed").get;

  /** Returns the resource behind a stream, if nobody has read from it. */
  function untouched(stream) {
    return isUntouched(stream) ? getReadableStreamResourceBacking(stream) : null;
  }

  /**
   * Splits a body that nobody has read from into two branches, each of which can be sent on as it arrived.
   * This works if the body is in memory or came from outside the app. Returns null for any other body.
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
    // An abort of the fetch errors the stream that it created, so the branches are errored here.
    PromisePrototypeThen(FunctionPrototypeCall(closed, reader), undefined, (error) => {
      for (let i = 0; i < branches.length; i++) {
        if (branches[i][_state] === "readable") errorReadableStream(branches[i], error);
        core.tryClose(rids[i]);
      }
    });
    return branches;
  }

  /** Moves a stream that arrived and that nobody has read from into a new one. Returns undefined for any other stream. */
  function move(stream) {
    const rid = untouched(stream)?.rid;
    const moved = rid === undefined ? null : op_body_move(rid);
    if (moved === null) return undefined;
    acquireReadableStreamDefaultReader(stream);
    readableStreamDisturb(stream);
    return readableStreamForRid(moved);
  }

  /** Makes a body's stream a resource for an op. `causeOf` maps the error of that op to the error that the app threw. */
  function resourceOf(body, what) {
    const { stream } = body;
    if (isReadableStreamLocked(stream)) throw new TypeError(`${what} is locked`);
    const backing = untouched(stream);
    let cause;
    let rid;
    if (backing) {
      // The bytes come from Rust and go to Rust, so JavaScript never needs to see them.
      rid = backing.rid;
      acquireReadableStreamDefaultReader(stream);
      readableStreamDisturb(stream);
    } else {
      rid = resourceForReadableStream(stream, body.length ?? undefined, (error) => cause = error);
    }
    return { rid, causeOf: (error) => cause ?? getReadableStreamStoredError(stream) ?? error };
  }

  /** Takes the string or bytes of a body, which then counts as used. Returns undefined if the body is a stream. */
  function takeStatic(body) {
    const source = body.streamOrStatic;
    if (source.body === undefined) return takeContents(source);
    source.consumed = true;
    return source.body;
  }

  // Strings are not encoded yet. Encoding changes only those with a byte order mark or a lone surrogate.
  function asDecoded(body) {
    return typeof body === "string" &&
        (StringPrototypeCharCodeAt(body, 0) === BYTE_ORDER_MARK || !StringPrototypeIsWellFormed(body))
      ? core.encode(body)
      : body;
  }

  const { prototype } = InnerBody;
  /** Returns a body that a fetch can send at once, with its length. Returns undefined if the body is a stream. */
  prototype.takeSent = function () {
    const source = this.streamOrStatic;
    return isStream(source) ? takeContents(source) : source.body;
  };
  /** Opens the stream of any other body as a resource. */
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
  /** Works like consume(), but returns an object without a prototype: resolving a promise with it looks up no `then`. */
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
