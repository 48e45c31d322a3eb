// Bodies of strings and buffers as the fetch standard has them: byte streams that stay the same object, whose clones share
// no memory, and whose text has been through UTF-8. https://fetch.spec.whatwg.org/#concept-body
(function () {
  const { core, primordials } = __bootstrap;
  const {
    FunctionPrototypeCall,
    ObjectDefineProperty,
    ObjectGetOwnPropertyDescriptor,
    ObjectPrototypeIsPrototypeOf,
    SafeWeakMap,
    StringPrototypeCharCodeAt,
    StringPrototypeIsWellFormed,
    TypeError,
    TypedArrayPrototypeGetByteLength,
    TypedArrayPrototypeSlice,
    WeakMapPrototypeGet,
    WeakMapPrototypeSet,
  } = primordials;
  const { InnerBody } = core.loadExtScript("ext:deno_fetch/22_body.js");
  const {
    _state,
    createReadableByteStream,
    isReadableStreamDisturbed,
    isReadableStreamLocked,
    readableByteStreamControllerClose,
    readableByteStreamControllerEnqueue,
    readableStreamClose,
    readableStreamCollect,
    readableStreamDisturb,
    ReadableStreamPrototype,
    readableStreamThrowIfErrored,
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

  /** The string or bytes behind a stream that nobody has read from. The stream counts as read from then on. */
  function takeContents(stream) {
    const body = WeakMapPrototypeGet(contents, stream);
    if (
      body === undefined || stream[_state] !== "readable" || isReadableStreamLocked(stream) ||
      isReadableStreamDisturbed(stream)
    ) {
      return undefined;
    }
    readableStreamDisturb(stream);
    readableStreamClose(stream);
    return body;
  }

  // Strings have not been encoded yet; only these two kinds come out of that differently.
  function asDecoded(body) {
    return typeof body === "string" &&
        (StringPrototypeCharCodeAt(body, 0) === BYTE_ORDER_MARK || !StringPrototypeIsWellFormed(body))
      ? core.encode(body)
      : body;
  }

  const { prototype } = InnerBody;
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
    const second = FunctionPrototypeCall(clone, this);
    const source = second.streamOrStatic;
    if (!isStream(source) && typeof source.body !== "string") source.body = TypedArrayPrototypeSlice(source.body);
    return second;
  };
  prototype.createProxy = function () {
    const source = this.streamOrStatic;
    const body = isStream(source) ? takeContents(source) : undefined;
    if (body === undefined) return FunctionPrototypeCall(createProxy, this);
    const proxy = new InnerBody({ body, consumed: false });
    proxy.source = this.source;
    proxy.length = this.length;
    return proxy;
  };
  return { takeContents };
})();
