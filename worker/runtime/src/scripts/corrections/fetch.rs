//! Corrections of fetch(), its classes and their bodies, where they depart from their standard or from Workers.

use super::correction::Correction;

pub(crate) const FETCH: &[Correction] = &[
    Correction {
        script: "ext:deno_fetch/26_fetch.js",
        why: "it took the global URL, in place of which an app may have something else, such as a variable of this name",
        passage: "const abortSignal = core.loadExtScript(\"ext:deno_web/03_abort_signal.js\");
",
        instead: "const abortSignal = core.loadExtScript(\"ext:deno_web/03_abort_signal.js\");
const { URL } = core.loadExtScript(\"ext:deno_web/00_url.js\");
",
    },
    Correction {
        script: "ext:deno_fetch/22_body.js",
        why: "with the streams: reading a body looked for `then` on its bytes, which Object.prototype may have",
        passage: "      ? await object[bodySymbol].consume()
",
        instead: "      ? (await object[bodySymbol].consumeUnseen()).body
",
    },
    Correction {
        script: "ext:deno_fetch/22_body.js",
        why: "the type of a body's blob was lower-cased whole: https://fetch.spec.whatwg.org/#dom-body-blob",
        passage: "      return new Blob([bytes], {
        type: mimeType !== null ? mimesniff.serializeMimeType(mimeType) : \"\",
      });
",
        instead: "      return mimesniff.typed(new Blob([bytes]), mimeType);
",
    },
    Correction {
        script: "ext:deno_fetch/20_headers.js",
        why: "iterating joined an empty value and the next one without a comma, unlike get(): \
            https://fetch.spec.whatwg.org/#concept-header-list-sort-and-combine",
        passage: "          entries[seenHeaderIndex][1] = entryValue.length > 0
            ? entryValue + \"\\x2C\\x20\" + value
            : value;
",
        instead: "          entries[seenHeaderIndex][1] = entryValue + \"\\x2C\\x20\" + value;
",
    },
    Correction {
        script: "ext:deno_fetch/26_fetch.js",
        why: "the source of a request's body was cancelled for another reason than the abort's: \
            https://fetch.spec.whatwg.org/#abort-fetch",
        passage: "    if (!request.body.streamOrStatic.locked) {
      request.body.cancel(error);
    }
",
        instead: "    if (!request.body.streamOrStatic.locked) {
      request.body.cancel(error);
    } else {
      const { readableStreamCancel } = core.loadExtScript(\"ext:deno_web/06_streams.js\");
      PromisePrototypeCatch(readableStreamCancel(request.body.streamOrStatic, error), () => {});
    }
",
    },
    Correction {
        script: "ext:deno_fetch/26_fetch.js",
        why: "a body that was here already lost its length once somebody had touched its stream, see `body_streams.js`",
        passage: "    const body = stream.body;

    if (TypedArrayPrototypeGetSymbolToStringTag(body)",
        instead: "    const body = req.body.takeSent();

    if (TypedArrayPrototypeGetSymbolToStringTag(body)",
    },
    Correction {
        script: "ext:deno_fetch/26_fetch.js",
        why: "the body of a request that was sent did not count as used, nor was it locked: \
            https://fetch.spec.whatwg.org/#incrementally-read-loop reads it through a reader",
        passage: "      const resourceBacking = getReadableStreamResourceBacking(stream);
      if (resourceBacking) {
        reqRid = resourceBacking.rid;
      } else {
        reqRid = resourceForReadableStream(stream, req.body.length);
      }
",
        instead: "      reqRid = req.body.openSent();
",
    },
    Correction {
        script: "ext:deno_fetch/26_fetch.js",
        why: "a redirect to nowhere is the response, whose body was lost: https://fetch.spec.whatwg.org/#http-redirect-fetch",
        passage: "      case \"follow\":
        core.close(resp.responseRid);
",
        instead: "      case \"follow\":
        if (
          !primordials.ArrayPrototypeSome(
            resp.headers,
            (entry) => byteLowerCase(entry[0]) === \"location\",
          )
        ) break;
        core.close(resp.responseRid);
",
    },
    Correction {
        script: "ext:deno_fetch/26_fetch.js",
        why: "a request to a binding has the header fields that the app has set and no more, as on Workers, see `bindings.js`",
        passage: "      if (!requestObject.headers.has(\"Accept\")) {
",
        instead: "      if (request.clientRid !== null) {
        // As the app has made it.
      } else if (!requestObject.headers.has(\"Accept\")) {
",
    },
    Correction {
        script: "ext:deno_fetch/26_fetch.js",
        why: "the second part of the one before",
        passage: "      if (!requestObject.headers.has(\"Accept-Language\")) {
",
        instead: "      if (request.clientRid === null && !requestObject.headers.has(\"Accept-Language\")) {
",
    },
    Correction {
        script: "ext:deno_fetch/26_fetch.js",
        why: "what is sent to a binding reaches no port",
        passage: "    url.port !== \"\" && BAD_PORTS[url.port] === true
",
        instead: "    url.port !== \"\" && BAD_PORTS[url.port] === true && req.clientRid === null
",
    },
    Correction {
        script: "ext:deno_fetch/23_request.js",
        why: "a request that came as GET with a body could not be sent on, which Workers do; to make one is an error as before",
        passage: "      ((init.body !== undefined && init.body !== null) ||
        inputBody !== null)
    ) {
",
        instead: "      ((init.body !== undefined && init.body !== null && !init.isOfRequest) ||
        inputBody !== null && input.method !== request.method)
    ) {
",
    },
    Correction {
        script: "ext:deno_fetch/26_fetch.js",
        why: "an abort did not reach a body that an op had taken, to pass it on: \
            https://fetch.spec.whatwg.org/#abort-fetch",
        passage: "    core.tryClose(responseBodyRid);
",
        instead: "    core.tryClose(responseBodyRid);
    core.ops.op_fetch_abort(responseBodyRid);
",
    },
    Correction {
        script: "ext:deno_fetch/26_fetch.js",
        why: "a server that has agreed to speak WebSocket has no body but the connection, as on Workers, where an abort ends it",
        passage: "  if (nullBodyStatus(response.status)) {
    core.close(resp.responseRid);
",
        instead: "  if (response.status === 101) {
    response.webSocket = core.loadExtScript(\"ext:nano_workers/websocket_pair.js\").fetched(resp.responseRid);
    terminator[abortSignal.add](() => core.tryClose(resp.responseRid));
  } else if (nullBodyStatus(response.status)) {
    core.close(resp.responseRid);
",
    },
    Correction {
        script: "ext:deno_fetch/26_fetch.js",
        why: "`encodeResponseBody` of Workers, see `request_init.js`",
        passage: "      response.body = new InnerBody(bodyStream);
",
        instead: "      if (req.isManual) {
        core.ops.op_body_keep_coding(resp.responseRid);
        response.isManual = true;
      }
      response.body = new InnerBody(bodyStream);
",
    },
    Correction {
        script: "ext:deno_fetch/26_fetch.js",
        why: "a Location beyond ASCII was taken for Latin-1 and encoded once more, where browsers keep its bytes: \
            https://github.com/whatwg/fetch/issues/883",
        passage: "  const locationURL = new URL(
    locationHeaders[0][1],
",
        instead: "  const characters = primordials.StringPrototypeSplit(locationHeaders[0][1], \"\");
  for (let i = 0; i < characters.length; i++) {
    const byte = primordials.StringPrototypeCharCodeAt(characters[i], 0);
    if (byte > 0x7f) {
      characters[i] = `%${primordials.StringPrototypeToUpperCase(primordials.NumberPrototypeToString(byte, 16))}`;
    }
  }
  const locationURL = new URL(
    primordials.ArrayPrototypeJoin(characters, \"\"),
",
    },
    Correction {
        script: "ext:deno_fetch/23_response.js",
        why: "a response with status 101 is for a WebSocket that it carries: \
            https://fetch.spec.whatwg.org/#initialize-a-response",
        passage: "  if ((init.status < 200 || init.status > 599) && init.status != 101) {
    throw new RangeError(
      `The status provided (${init.status}) is not equal to 101 and outside the range [200, 599]`,
",
        instead: "  if ((init.status < 200 || init.status > 599) && init.webSocket === undefined) {
    throw new RangeError(
      `The status provided (${init.status}) is outside the range [200, 599]`,
",
    },
    Correction {
        script: "ext:deno_fetch/23_request.js",
        why: "what Workers tell of a request beside its head, see `request_init.js`",
        passage: "  if (request.cacheMode !== undefined) cloned.cacheMode = request.cacheMode;
",
        instead: "  if (request.copyCf !== undefined) cloned.cf = request.copyCf();
  else if (request.cf !== undefined) cloned.cf = primordials.JSONParse(primordials.JSONStringify(request.cf));
  if (request.isManual) cloned.isManual = true;
  if (request.cacheMode !== undefined) cloned.cacheMode = request.cacheMode;
",
    },
    Correction {
        script: "ext:deno_fetch/23_request.js",
        why: "the second part of the one before",
        passage: "    // 25.
    if (init.method !== undefined) {
",
        instead: "    if (init.cf !== undefined) request.cf = init.cf;
    if (init.isManual !== undefined) request.isManual = init.isManual;
    // 25.
    if (init.method !== undefined) {
",
    },
    Correction {
        script: "ext:deno_fetch/23_response.js",
        why: "`encodeBody`, `cf` and `webSocket` of an init, which a Response as init passes on, as on Workers",
        passage: "      return { status: 200, statusText: \"\", headers: undefined };
    }
",
        instead: "      return { status: 200, statusText: \"\", headers: undefined };
    }
    // Names that are not the standard's. Only an app that wants to encode by itself, or to tell something, has them.
    const cf = init[_response] !== undefined ? init[_response].cf : init.cf;
    if (cf !== undefined && (typeof cf !== \"object\" || cf === null)) {
      throw new TypeError(`${prefix}: \'cf\' of \'ResponseInit\' (${context}) is not an object`);
    }
    const encodeBody = init[_response] !== undefined
      ? (init[_response].isManual ? \"manual\" : undefined)
      : init.encodeBody;
    if (encodeBody !== undefined && encodeBody !== \"automatic\" && encodeBody !== \"manual\") {
      throw new TypeError(
        `${prefix}: \'encodeBody\' of \'ResponseInit\' (${context}) is not one of \"automatic\" and \"manual\"`,
      );
    }
    const isManual = encodeBody === \"manual\";
    const webSocket = webSocketOf(init, prefix, context);
",
    },
    Correction {
        script: "ext:deno_fetch/23_response.js",
        why: "the second part of the one before",
        passage: "      return { status, statusText, headers: init.headers };
    }
    // Slow default path
    return webidlConvertersResponseInit(init, prefix, context, opts);
",
        instead: "      return { status, statusText, headers: init.headers, isManual, cf, webSocket };
    }
    // Slow default path
    return { ...webidlConvertersResponseInit(init, prefix, context, opts), isManual, cf, webSocket };
",
    },
    Correction {
        script: "ext:deno_fetch/23_response.js",
        why: "the third part of the one before",
        passage: "      init = webidlConvertersResponseInitFast(init, prefix, \"Argument 2\");
    }

    this[_brand] = _brand;
    initializeResponseBase(this, newInnerResponse(), \"response\");
",
        instead: "      init = webidlConvertersResponseInitFast(init, prefix, \"Argument 2\");
    }

    this[_brand] = _brand;
    initializeResponseBase(this, newInnerResponse(), \"response\");
    if (!defaultInit && init.isManual) this[_response].isManual = true;
    if (!defaultInit && init.webSocket !== undefined) takeWebSocket(this[_response], init);
    if (!defaultInit && init.cf !== undefined) {
      this[_response].cf = primordials.JSONParse(primordials.JSONStringify(init.cf));
    }
",
    },
    Correction {
        script: "ext:deno_fetch/23_response.js",
        why: "the fourth part of the one before",
        passage: "    if (tryInitializeStaticResponseFast(response, init, res)) {
",
        instead: "    if (init.isManual) response[_response].isManual = true;
    if (init.webSocket !== undefined) takeWebSocket(response[_response], init);
    if (init.cf !== undefined) {
      response[_response].cf = primordials.JSONParse(primordials.JSONStringify(init.cf));
    }
    if (tryInitializeStaticResponseFast(response, init, res)) {
",
    },
    Correction {
        script: "ext:deno_fetch/23_response.js",
        why: "the fifth part of the one before",
        passage: "function cloneInnerResponse(response) {
",
        instead: "function cloneInnerResponse(response) {
  if (response.webSocket !== undefined) throw new TypeError(\"Cannot clone a response to a WebSocket handshake.\");
",
    },
    Correction {
        script: "ext:deno_fetch/23_response.js",
        why: "the sixth part of the one before",
        passage: "function nullBodyStatus(status) {
",
        instead: "function webSocketOf(init, prefix, context) {
  const webSocket = init[_response] !== undefined ? init[_response].webSocket : init.webSocket;
  if (webSocket === undefined || webSocket === null) return undefined;
  const { isWebSocket } = core.loadExtScript(\"ext:nano_net/websocket.js\");
  if (!isWebSocket(webSocket)) {
    throw new TypeError(`${prefix}: 'webSocket' of 'ResponseInit' (${context}) is not a WebSocket`);
  }
  return webSocket;
}

function takeWebSocket(inner, init) {
  if (init.status !== 101) throw new RangeError(\"Responses with a WebSocket must have status code 101.\");
  inner.webSocket = init.webSocket;
}

function nullBodyStatus(status) {
",
    },
    Correction {
        script: "ext:deno_fetch/23_response.js",
        why: "the seventh part of the one before",
        passage: "    bodyDecoded: response.bodyDecoded,
",
        instead: "    bodyDecoded: response.bodyDecoded,
    isManual: response.isManual,
    cf: response.cf === undefined ? undefined : primordials.JSONParse(primordials.JSONStringify(response.cf)),
",
    },
    Correction {
        script: "ext:deno_fetch/23_response.js",
        why: "an empty body is none where a status has none, as on Workers: it is what the text of such a response is",
        passage: "    if (nullBodyStatus(response[_response].status)) {
      throw new TypeError(
",
        instead: "    if (nullBodyStatus(response[_response].status)) {
      const { body } = bodyWithType.body.streamOrStatic;
      if (body === \"\" || TypedArrayPrototypeGetSymbolToStringTag(body) === \"Uint8Array\" && body.byteLength === 0) {
        return;
      }
      throw new TypeError(
",
    },
];
