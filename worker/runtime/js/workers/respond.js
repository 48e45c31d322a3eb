// Sends the app's Response: strings, buffers and streams are each handled by their own op.
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
    RangeErrorPrototype,
    ReferenceErrorPrototype,
    StringPrototypeSlice,
    StringPrototypeToLowerCase,
    SyntaxErrorPrototype,
    TypedArrayPrototypeGetByteLength,
    TypeErrorPrototype,
    URIErrorPrototype,
  } = primordials;
  const {
    op_describe_error,
    op_fail_body,
    op_fail_handler,
    op_fail_response,
    op_respond,
    op_respond_bytes,
    op_respond_bytes_with_headers,
    op_respond_encoded,
    op_respond_stream,
    op_respond_text,
    op_respond_text_with_headers,
  } = core.ops;
  const {
    ResponsePrototype,
    SERVE_FAST_HEADER_DEFAULT_TEXT,
    getInnerResponse,
    responseBodyUsed,
    responseIsError,
    serveFastBodyKey,
    serveFastConsumedKey,
    serveFastContentTypeKey,
    serveFastHeaderKindKey,
    serveFastStatusKey,
    toInnerResponse,
  } = core.loadExtScript("ext:deno_fetch/23_response.js");
  const { resourceOf, takeStatic } = core.loadExtScript("ext:nano_net/body_streams.js");
  const { inspect } = core.loadExtScript("ext:deno_web/01_console.js");

  const COPY_BELOW = 4096;

  // Properties of errors that a report formats by itself.
  const SHOWN = { __proto__: null, cause: true, errors: true, message: true, name: true, stack: true };

  function describe(error) {
    try {
      if (!ObjectPrototypeIsPrototypeOf(ErrorPrototype, error)) return inspect(error);
      return op_describe_error(error, properties(error));
    } catch {
      return "an error that cannot be printed";
    }
  }

  /** Formats the other properties of an error, such as `code`. Calls no getters. */
  function properties(error) {
    const own = {};
    const keys = ObjectKeys(error);
    for (let i = 0; i < keys.length; i++) {
      const property = ObjectGetOwnPropertyDescriptor(error, keys[i]);
      if (!(keys[i] in SHOWN) && ObjectHasOwn(property, "value")) ObjectDefineProperty(own, keys[i], property);
    }
    return ObjectKeys(own).length === 0 ? "" : inspect(own, { depth: 1 });
  }

  /** Most characters of the message of an error that another app is told. */
  const TOLD = 8192;

  /** Classes of errors that every app has, and the prototype of each. */
  const CLASSES = [
    ["RangeError", RangeErrorPrototype],
    ["ReferenceError", ReferenceErrorPrototype],
    ["SyntaxError", SyntaxErrorPrototype],
    ["TypeError", TypeErrorPrototype],
    ["URIError", URIErrorPrototype],
  ];

  /** Returns what an app that has made the request is told: class, name and message of the error. */
  function told(error) {
    try {
      if (!ObjectPrototypeIsPrototypeOf(ErrorPrototype, error)) return ["Error", "Error", `${error}`];
      let known = "Error";
      for (let i = 0; i < CLASSES.length; i++) {
        if (ObjectPrototypeIsPrototypeOf(CLASSES[i][1], error)) known = CLASSES[i][0];
      }
      return [known, StringPrototypeSlice(`${error.name}`, 0, TOLD), StringPrototypeSlice(`${error.message}`, 0, TOLD)];
    } catch {
      return ["Error", "Error", "an error that cannot be printed"];
    }
  }

  /** Reports that the handler threw or rejected. */
  function fail(id, error) {
    const { 0: known, 1: name, 2: message } = told(error);
    op_fail_handler(id, `Uncaught ${describe(error)}`, known, name, message);
  }

  function refuse(id, why) {
    op_fail_response(id, why);
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

  // deno_fetch marks responses whose headers were never touched. Their head can be built without a header list.
  function respondStatic(id, response) {
    const status = response[serveFastStatusKey];
    const body = response[serveFastBodyKey];
    if (status === 0 || body === null || getInnerResponse(response).statusMessage !== "") return false;
    // A long buffer is sent without a copy. For a short one, copying is cheaper.
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

  const CONTENT_ENCODING = "content-encoding";

  /** Returns whether the body may have to be encoded before it is sent. */
  function isEncoded({ headerList, isManual }) {
    if (isManual) return false;
    for (let i = 0; i < headerList.length; i++) {
      const name = headerList[i][0];
      if (name.length === CONTENT_ENCODING.length && StringPrototypeToLowerCase(name) === CONTENT_ENCODING) return true;
    }
    return false;
  }

  function respondInner(id, inner) {
    const { headerList: headers, status, statusMessage: reason } = inner;
    if (inner.webSocket !== undefined) {
      return core.loadExtScript("ext:nano_workers/websocket_pair.js").couple(id, inner.webSocket, headers);
    }
    if (inner.body === null) return op_respond(id, status, reason, headers);
    let body = takeStatic(inner.body);
    if (body === undefined) return respondStream(id, inner);
    if (isEncoded(inner)) {
      body = typeof body === "string" ? core.encode(body) : body;
      finish(id, op_respond_encoded(id, status, reason, headers, body), (error) => error);
    } else if (typeof body === "string") {
      op_respond_text_with_headers(id, status, reason, headers, body);
    } else {
      op_respond_bytes_with_headers(id, status, reason, headers, body);
    }
  }

  function respondStream(id, inner) {
    const { headerList: headers, status, statusMessage: reason } = inner;
    const { rid, causeOf } = resourceOf(inner.body, "the stream of the returned Response");
    finish(id, op_respond_stream(id, status, reason, headers, rid, !inner.isManual), causeOf);
  }

  function finish(id, sent, causeOf) {
    PromisePrototypeThen(sent, undefined, (error) => {
      const cause = causeOf(error);
      const { 0: known, 1: name, 2: message } = told(cause);
      op_fail_body(id, `Uncaught (in the response body) ${describe(cause)}`, known, name, message);
    });
  }

  return { describe, fail, respond, told };
})();
