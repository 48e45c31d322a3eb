// The WebSocket of the WebSockets standard, on the ops of net/websocket.rs, and with the additions of Workers. Loaded when an app
// first uses it.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayBufferIsView,
    ArrayPrototypeJoin,
    ArrayPrototypeMap,
    ArrayPrototypePush,
    decodeURIComponent,
    ErrorPrototypeToString,
    ObjectDefineProperties,
    ObjectPrototypeIsPrototypeOf,
    PromisePrototypeThen,
    RegExpPrototypeExec,
    SafeArrayIterator,
    SafeSet,
    SetPrototypeGetSize,
    StringPrototypeEndsWith,
    StringPrototypeToLowerCase,
    Symbol,
    SymbolFor,
    SymbolIterator,
    TypedArrayPrototypeGetBuffer,
    TypedArrayPrototypeGetByteLength,
    TypeError,
  } = primordials;
  const {
    op_websocket_buffered,
    op_websocket_close,
    op_websocket_open,
    op_websocket_opening,
    op_websocket_receive,
    op_websocket_send_bytes,
    op_websocket_send_text,
  } = core.ops;
  const load = core.loadExtScript;
  const webidl = load("ext:deno_webidl/00_webidl.js");
  const { forgivingBase64Encode, HTTP_TOKEN_CODE_POINT_RE } = load("ext:deno_web/00_infra.js");
  const { URL } = load("ext:deno_web/00_url.js");
  const { createFilteredInspectProxy } = load("ext:deno_web/01_console.js");
  const { DOMException } = load("ext:deno_web/01_dom_exception.js");
  const { CloseEvent, defineEventHandler, dispatch, ErrorEvent, Event, EventTarget, MessageEvent, setIsTrusted } =
    load("ext:deno_web/02_event.js");
  const { Blob, BlobPrototype } = load("ext:deno_web/09_file.js");
  const { cannot } = load("ext:nano_platform/structured_clone.js");
  const { fillHeaders, headerListFromHeaders, headersFromHeaderList } = load("ext:deno_fetch/20_headers.js");

  const CONNECTING = 0;
  const OPEN = 1;
  const CLOSING = 2;
  const CLOSED = 3;
  /** The close code of a connection that ended without a closing handshake. */
  const ABNORMAL = 1006;

  const { converters } = webidl;
  converters.WebSocketInit = webidl.createDictionaryConverter("WebSocketInit", [
    { key: "headers", converter: converters.HeadersInit },
    { key: "protocols", converter: converters["sequence<DOMString>"] },
  ]);
  converters.WebSocketAcceptOptions = webidl.createDictionaryConverter("WebSocketAcceptOptions", [
    { key: "allowHalfOpen", converter: converters.boolean, defaultValue: false },
  ]);
  // Accepts, as other runtimes do, an object with header fields for the handshake.
  const protocolsOrInit = (value, prefix, context, options) => {
    if (value === undefined) return [];
    if (webidl.type(value) !== "Object") return [converters.DOMString(value, prefix, context, options)];
    if (value[SymbolIterator] !== undefined) {
      return converters["sequence<DOMString>"](value, prefix, context, options);
    }
    return converters.WebSocketInit(value, prefix, context, options);
  };
  const message = (value, prefix, context, options) => {
    if (ObjectPrototypeIsPrototypeOf(BlobPrototype, value)) return value;
    if (ArrayBufferIsView(value) || core.isAnyArrayBuffer(value)) return value;
    return converters.USVString(value, prefix, context, options);
  };

  function fire(target, event) {
    setIsTrusted(event, true);
    dispatch(target, event);
  }

  /** Parses the URL of a WebSocket, and separates the credentials that go into the handshake. */
  function parse(text) {
    let url;
    try {
      url = new URL(text);
    } catch {
      throw new DOMException(`${text} is not a URL`, "SyntaxError");
    }
    if (url.protocol === "http:") url.protocol = "ws:";
    if (url.protocol === "https:") url.protocol = "wss:";
    if (url.protocol !== "ws:" && url.protocol !== "wss:") {
      throw new DOMException(`a WebSocket has a ws: or wss: URL, not ${url.protocol}`, "SyntaxError");
    }
    if (url.hash !== "" || StringPrototypeEndsWith(url.href, "#")) {
      throw new DOMException("the URL of a WebSocket has no fragment", "SyntaxError");
    }
    let authorization;
    if (url.username !== "" || url.password !== "") {
      const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
      authorization = `Basic ${forgivingBase64Encode(core.encode(credentials))}`;
      url.username = "";
      url.password = "";
    }
    return { href: url.href, origin: `${url.protocol}//${url.host}`, authorization };
  }

  function checkProtocols(protocols) {
    const names = ArrayPrototypeMap(protocols, (protocol) => StringPrototypeToLowerCase(protocol));
    if (SetPrototypeGetSize(new SafeSet(names)) !== protocols.length) {
      throw new DOMException("a protocol is named twice", "SyntaxError");
    }
    for (const protocol of new SafeArrayIterator(protocols)) {
      if (RegExpPrototypeExec(HTTP_TOKEN_CODE_POINT_RE, protocol) === null) {
        throw new DOMException(`"${protocol}" is not the name of a protocol`, "SyntaxError");
      }
    }
  }

  /** The first argument of the constructor for an end of a WebSocketPair. */
  const pairKey = Symbol("end of a pair");

  /** Longest attachment, in bytes. */
  const LONGEST_ATTACHMENT = 16 * 1024;

  let endOf;
  let makeMessageEvent;

  class WebSocket extends EventTarget {
    /** What stands behind an end of a WebSocketPair, see workers/websocket_pair.js. Undefined for a client. */
    #end;
    #attachment;
    #url;
    #origin;
    #protocol = "";
    #binaryType = "blob";
    #readyState = CONNECTING;
    #opening;
    #rid;
    /** The number of bytes in messages that have not been passed to Rust. Some of them never will be. */
    #held = 0;
    /** Settles when the earlier messages have been passed to Rust. Null if none are waiting. */
    #before = null;

    constructor(url, protocols = undefined) {
      super();
      if (url === pairKey) {
        this[webidl.brand] = webidl.brand;
        this.#end = protocols;
        this.#url = null;
        return;
      }
      const prefix = "Failed to construct 'WebSocket'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      url = converters.USVString(url, prefix, "Argument 1");
      const init = protocolsOrInit(protocols, prefix, "Argument 2");
      this[webidl.brand] = webidl.brand;
      const { href, origin, authorization } = parse(url);
      protocols = init.length === undefined ? init.protocols ?? [] : init;
      checkProtocols(protocols);
      const headers = headersFromHeaderList([], "request");
      if (init.headers !== undefined) fillHeaders(headers, init.headers);
      const list = headerListFromHeaders(headers);
      if (authorization !== undefined) ArrayPrototypePush(list, ["authorization", authorization]);
      this.#url = href;
      this.#origin = origin;
      this.#opening = op_websocket_opening();
      PromisePrototypeThen(
        op_websocket_open(this.#opening, href, ArrayPrototypeJoin(protocols, ", "), list),
        (opened) => this.#opened(opened),
        (error) => this.#fail(error),
      );
    }

    get url() {
      webidl.assertBranded(this, WebSocketPrototype);
      return this.#url;
    }
    get readyState() {
      webidl.assertBranded(this, WebSocketPrototype);
      return this.#end === undefined ? this.#readyState : this.#end.readyState;
    }
    get bufferedAmount() {
      webidl.assertBranded(this, WebSocketPrototype);
      if (this.#end !== undefined) return this.#end.bufferedAmount;
      return this.#held + (this.#rid === undefined ? 0 : op_websocket_buffered(this.#rid));
    }
    get extensions() {
      webidl.assertBranded(this, WebSocketPrototype);
      return "";
    }
    get protocol() {
      webidl.assertBranded(this, WebSocketPrototype);
      return this.#protocol;
    }
    get binaryType() {
      webidl.assertBranded(this, WebSocketPrototype);
      return this.#binaryType;
    }
    set binaryType(value) {
      webidl.assertBranded(this, WebSocketPrototype);
      value = converters.DOMString(value, "Failed to set 'binaryType' on 'WebSocket'", "Value");
      if (value === "blob" || value === "arraybuffer") this.#binaryType = value;
    }

    send(data) {
      webidl.assertBranded(this, WebSocketPrototype);
      const prefix = "Failed to execute 'send' on 'WebSocket'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      if (this.#end !== undefined) {
        // As on Workers, whatever is no buffer is sent as its text.
        const isBuffer = ArrayBufferIsView(data) || core.isAnyArrayBuffer(data);
        return this.#end.send(isBuffer ? data : converters.USVString(data, prefix, "Argument 1"));
      }
      data = message(data, prefix, "Argument 1");
      if (this.#readyState === CONNECTING) {
        throw new DOMException("the WebSocket is not open yet", "InvalidStateError");
      }
      const isBlob = ObjectPrototypeIsPrototypeOf(BlobPrototype, data);
      if (this.#readyState !== OPEN) {
        this.#held += isBlob ? data.size : lengthOf(data);
      } else if (isBlob || this.#before !== null) {
        this.#hold(data, isBlob);
      } else {
        this.#hand(data);
      }
    }

    close(code = undefined, reason = undefined) {
      webidl.assertBranded(this, WebSocketPrototype);
      const prefix = "Failed to execute 'close' on 'WebSocket'";
      if (this.#end !== undefined) {
        code = code === undefined ? undefined : converters.long(code, prefix, "Argument 1");
        reason = reason === undefined ? undefined : converters.USVString(reason, prefix, "Argument 2");
        return this.#end.close(code, reason);
      }
      if (code !== undefined) {
        code = converters["unsigned short"](code, prefix, "Argument 1", { clamp: true });
        if (code !== 1000 && (code < 3000 || code > 4999)) {
          throw new DOMException(`the code must be 1000 or from 3000 to 4999, not ${code}`, "InvalidAccessError");
        }
      }
      if (reason !== undefined) {
        reason = converters.USVString(reason, prefix, "Argument 2");
        if (core.byteLength(reason) > 123) {
          throw new DOMException("the reason is longer than 123 bytes", "SyntaxError");
        }
      }
      if (this.#readyState === CONNECTING) {
        this.#readyState = CLOSING;
        core.tryClose(this.#opening);
      } else if (this.#readyState === OPEN) {
        this.#readyState = CLOSING;
        const withCode = code ?? (reason === undefined ? 0 : 1000);
        const close = () => op_websocket_close(this.#rid, withCode, reason ?? "");
        if (this.#before === null) close();
        else PromisePrototypeThen(this.#before, close);
      }
    }

    /** Has an end of a WebSocketPair take messages. */
    accept(options = undefined) {
      webidl.assertBranded(this, WebSocketPrototype);
      options = converters.WebSocketAcceptOptions(options, "Failed to execute 'accept' on 'WebSocket'", "Argument 1");
      if (this.#end === undefined) {
        throw new TypeError("Websockets obtained from the 'new WebSocket()' constructor cannot call accept");
      }
      this.#end.accept(options);
    }

    /** Keeps a clone of a value with the WebSocket. */
    serializeAttachment(value) {
      webidl.assertBranded(this, WebSocketPrototype);
      webidl.requiredArguments(arguments.length, 1, "Failed to execute 'serializeAttachment' on 'WebSocket'");
      const bytes = core.serialize(value, undefined, (message) => {
        throw cannot(message);
      });
      const length = TypedArrayPrototypeGetByteLength(bytes);
      if (length > LONGEST_ATTACHMENT) {
        throw new primordials.Error(
          `A WebSocket 'attachment' cannot be larger than ${LONGEST_ATTACHMENT} bytes.'attachment' was ${length} bytes.`,
        );
      }
      this.#attachment = bytes;
    }

    /** Returns a clone of that value, or null. */
    deserializeAttachment() {
      webidl.assertBranded(this, WebSocketPrototype);
      if (this.#attachment === undefined) return null;
      return core.deserialize(this.#attachment, { deserializers: core.getCloneableDeserializers() });
    }

    static {
      endOf = (value) => #end in value ? value.#end : undefined;
      makeMessageEvent = (socket, data) => {
        if (typeof data !== "string" && socket.#binaryType === "blob") data = new Blob([data]);
        return new MessageEvent("message", { data, origin: socket.#origin });
      };
    }

    #hand(data) {
      if (typeof data === "string") op_websocket_send_text(this.#rid, data);
      else op_websocket_send_bytes(this.#rid, data);
    }

    /** Queues a message behind a Blob that must be read first. Keeps a copy, since the app may change its buffer meanwhile. */
    #hold(data, isBlob) {
      const length = isBlob ? data.size : lengthOf(data);
      const ready = isBlob ? blobBytes(data) : typeof data === "string" ? data : copyOf(data);
      this.#held += length;
      const before = this.#before;
      const mine = this.#before = (async () => {
        try {
          await before;
          const bytes = await ready;
          if (this.#rid !== undefined) {
            this.#hand(bytes);
            this.#held -= length;
          }
        } catch (error) {
          this.#fail(error);
        }
        if (this.#before === mine) this.#before = null;
      })();
    }

    #opened({ rid, protocol }) {
      if (this.#readyState !== CONNECTING) {
        core.tryClose(rid);
        return this.#fail(new DOMException("the WebSocket was closed before it was open", "AbortError"));
      }
      this.#rid = rid;
      this.#protocol = protocol;
      this.#readyState = OPEN;
      fire(this, new Event("open"));
      this.#receive(rid);
    }

    async #receive(rid) {
      try {
        for (;;) {
          const { text, bytes, close } = await op_websocket_receive(rid);
          if (close !== null) {
            this.#readyState = CLOSING;
            return this.#closed(close[0], close[1], true);
          }
          if (this.#readyState === OPEN) this.#message(text ?? TypedArrayPrototypeGetBuffer(bytes));
        }
      } catch (error) {
        this.#fail(error);
      }
    }

    #message(data) {
      fire(this, makeMessageEvent(this, data));
    }

    #fail(error) {
      if (this.#readyState === CLOSED) return;
      this.#readyState = CLOSED;
      fire(this, new ErrorEvent("error", { error, message: ErrorPrototypeToString(error) }));
      this.#closed(ABNORMAL, "", false);
    }

    #closed(code, reason, wasClean) {
      this.#readyState = CLOSED;
      if (this.#rid !== undefined) {
        // Messages that were never sent stay counted.
        this.#held += op_websocket_buffered(this.#rid);
        core.tryClose(this.#rid);
        this.#rid = undefined;
      }
      fire(this, new CloseEvent("close", { code, reason, wasClean }));
    }

    [SymbolFor("Deno.privateCustomInspect")](inspect, options) {
      return inspect(
        createFilteredInspectProxy({
          object: this,
          evaluate: ObjectPrototypeIsPrototypeOf(WebSocketPrototype, this),
          keys: ["url", "readyState", "protocol", "extensions", "binaryType", "bufferedAmount"],
        }),
        options,
      );
    }
  }

  const lengthOf = (data) => typeof data === "string" ? core.byteLength(data) : data.byteLength;
  const copyOf = (data) => {
    const view = ArrayBufferIsView(data)
      ? new primordials.Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : new primordials.Uint8Array(data);
    return primordials.TypedArrayPrototypeSlice(view);
  };
  const readBlob = primordials.uncurryThis(BlobPrototype.arrayBuffer);
  const blobBytes = (blob) => readBlob(blob);

  for (const name of new SafeArrayIterator(["open", "error", "close", "message"])) {
    defineEventHandler(WebSocket.prototype, name);
  }
  webidl.configureInterface(WebSocket);
  const constant = (value) => ({ __proto__: null, value, enumerable: true });
  const constants = {
    __proto__: null,
    CONNECTING: constant(CONNECTING),
    OPEN: constant(OPEN),
    CLOSING: constant(CLOSING),
    CLOSED: constant(CLOSED),
    // Their names on Workers.
    READY_STATE_CONNECTING: constant(CONNECTING),
    READY_STATE_OPEN: constant(OPEN),
    READY_STATE_CLOSING: constant(CLOSING),
    READY_STATE_CLOSED: constant(CLOSED),
  };
  ObjectDefineProperties(WebSocket, constants);
  ObjectDefineProperties(WebSocket.prototype, constants);
  const WebSocketPrototype = WebSocket.prototype;

  const isWebSocket = (value) => ObjectPrototypeIsPrototypeOf(WebSocketPrototype, value);
  const makeWebSocket = (end) => new WebSocket(pairKey, end);

  return { endOf, isWebSocket, makeWebSocket, messageEvent: makeMessageEvent, WebSocket };
})();
