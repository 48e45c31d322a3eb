// From the app's Response to frames: strings, buffers and streams each take their own path.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ErrorPrototype,
    ObjectDefineProperty,
    ObjectGetOwnPropertyDescriptor,
    ObjectHasOwn,
    ObjectKeys,
    ObjectPrototypeIsPrototypeOf,
    PromisePrototypeThen,
    TypedArrayPrototypeGetByteLength,
    TypeError,
  } = primordials;
  const {
    op_describe_error,
    op_fail,
    op_respond,
    op_respond_bytes,
    op_respond_bytes_with_headers,
    op_respond_stream,
    op_respond_text,
    op_respond_text_with_headers,
  } = core.ops;
  const {
    ResponsePrototype,
    SERVE_FAST_HEADER_DEFAULT_TEXT,
    responseBodyUsed,
    responseIsError,
    serveFastBodyKey,
    serveFastConsumedKey,
    serveFastContentTypeKey,
    serveFastHeaderKindKey,
    serveFastStatusKey,
    toInnerResponse,
    wireHeaderList,
  } = core.loadExtScript("ext:deno_fetch/23_response.js");
  const {
    getReadableStreamResourceBacking,
    getReadableStreamStoredError,
    isReadableStreamDisturbed,
    resourceForReadableStream,
  } = core.loadExtScript("ext:deno_web/06_streams.js");
  const { takeContents } = core.loadExtScript("ext:nano_worker/body_streams.js");
  const { inspect } = core.loadExtScript("ext:deno_web/01_console.js");

  const COPY_BELOW = 4096;

  // Values of StreamErrorKind in the protocol.
  const HANDLER_FAILED = 0;
  const NOT_A_RESPONSE = 1;
  const BODY_FAILED = 4;

  // Properties of errors that a report shows in its own way.
  const SHOWN = { __proto__: null, cause: true, errors: true, message: true, name: true, stack: true };

  function describe(error) {
    try {
      if (!ObjectPrototypeIsPrototypeOf(ErrorPrototype, error)) return inspect(error);
      return op_describe_error(error, properties(error));
    } catch {
      return "an error that cannot be printed";
    }
  }

  /** What else an error carries, such as `code`, as text. Getters are not called. */
  function properties(error) {
    const own = {};
    const keys = ObjectKeys(error);
    for (let i = 0; i < keys.length; i++) {
      const property = ObjectGetOwnPropertyDescriptor(error, keys[i]);
      if (!(keys[i] in SHOWN) && ObjectHasOwn(property, "value")) ObjectDefineProperty(own, keys[i], property);
    }
    return ObjectKeys(own).length === 0 ? "" : inspect(own, { depth: 1 });
  }

  /** The handler threw or rejected. */
  function fail(id, error) {
    op_fail(id, HANDLER_FAILED, `Uncaught ${describe(error)}`);
  }

  function refuse(id, why) {
    op_fail(id, NOT_A_RESPONSE, `Uncaught TypeError: ${why}`);
  }

  function respond(id, response) {
    if (!ObjectPrototypeIsPrototypeOf(ResponsePrototype, response)) {
      return refuse(id, `the fetch handler must return a Response, not ${describe(response)}`);
    }
    try {
      if (responseIsError(response)) return refuse(id, "the fetch handler returned Response.error()");
      if (responseBodyUsed(response)) {
        return refuse(id, "the body of the returned Response has been used already");
      }
      if (!respondStatic(id, response)) respondInner(id, toInnerResponse(response));
    } catch (error) {
      fail(id, error);
    }
  }

  // deno_fetch marks responses whose headers nobody has touched; their head needs no list.
  function respondStatic(id, response) {
    const status = response[serveFastStatusKey];
    const body = response[serveFastBodyKey];
    if (status === 0 || body === null) return false;
    // Long bytes leave from where they are; for short ones a copy costs less.
    if (typeof body !== "string" && TypedArrayPrototypeGetByteLength(body) > COPY_BELOW) return false;
    response[serveFastConsumedKey] = true;
    const contentType = response[serveFastHeaderKindKey] === SERVE_FAST_HEADER_DEFAULT_TEXT
      ? "text/plain;charset=UTF-8"
      : response[serveFastContentTypeKey] ?? "";
    if (typeof body === "string") {
      op_respond_text(id, status, contentType, body);
    } else {
      op_respond_bytes(id, status, contentType, body);
    }
    return true;
  }

  function respondInner(id, inner) {
    const headers = wireHeaderList(inner);
    const source = inner.body?.streamOrStatic;
    if (source === undefined) return op_respond(id, inner.status, headers);
    let body = source.body;
    if (body === undefined) {
      body = takeContents(source);
      if (body === undefined) return respondStream(id, inner, headers);
    } else {
      source.consumed = true;
    }
    if (typeof body === "string") {
      op_respond_text_with_headers(id, inner.status, headers, body);
    } else {
      op_respond_bytes_with_headers(id, inner.status, headers, body);
    }
  }

  function respondStream(id, inner, headers) {
    const stream = inner.body.stream;
    const backing = getReadableStreamResourceBacking(stream);
    let cause;
    let rid;
    if (backing && !stream.locked && !isReadableStreamDisturbed(stream)) {
      // The bytes come from Rust and go to Rust: JavaScript need not see them.
      rid = backing.rid;
      stream.getReader();
    } else {
      if (stream.locked) throw new TypeError("the stream of the returned Response is locked");
      rid = resourceForReadableStream(stream, inner.body.length ?? undefined, (error) => cause = error);
    }
    PromisePrototypeThen(op_respond_stream(id, inner.status, headers, rid), undefined, (error) => {
      cause ??= getReadableStreamStoredError(stream) ?? error;
      op_fail(id, BODY_FAILED, `Uncaught (in the response body) ${describe(cause)}`);
    });
  }

  return { describe, fail, respond };
})();
