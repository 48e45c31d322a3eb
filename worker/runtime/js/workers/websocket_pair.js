// WebSocketPair: two WebSockets that talk to each other, until one of them is the `webSocket` of an answer. Then the other one
// talks to the client. What a `fetch` has opened is a pair as well, of which the app has one end and the other one talks to the
// server.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayBufferIsView,
    ArrayPrototypePush,
    ArrayPrototypeShift,
    Error,
    MapPrototypeDelete,
    MapPrototypeGet,
    MapPrototypeSet,
    ObjectDefineProperty,
    PromisePrototypeThen,
    PromiseResolve,
    SafeFinalizationRegistry,
    SafeMap,
    SymbolIterator,
    TypedArrayPrototypeGetBuffer,
    TypedArrayPrototypeSlice,
    TypeError,
    Uint8Array,
  } = primordials;
  const {
    op_socket_accept,
    op_socket_close,
    op_socket_open,
    op_socket_send_bytes,
    op_socket_send_text,
    op_socket_unsent,
    op_websocket_buffered,
    op_websocket_close,
    op_websocket_receive,
    op_websocket_send_bytes,
    op_websocket_send_text,
  } = core.ops;
  const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
  const { CloseEvent, dispatchWatched, ErrorEvent, reportException, setIsTrusted } = core.loadExtScript(
    "ext:deno_web/02_event.js",
  );
  const { endOf, makeWebSocket, messageEvent } = core.loadExtScript("ext:nano_net/websocket.js");
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");

  const OPEN = 1;
  const CLOSING = 2;
  const CLOSED = 3;
  const NO_CODE = 1005;
  const ABNORMAL = 1006;
  const INTERNAL_ERROR = 1011;
  const LONGEST_REASON = 123;

  /** By the id of the request that it began with: the end that talks to a client. */
  const ofClients = new SafeMap();

  /** Ends WebSockets that an app has fetched and forgotten. */
  const forgotten = new SafeFinalizationRegistry((rid) => core.tryClose(rid));

  function copyOf(data) {
    const view = ArrayBufferIsView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
    return TypedArrayPrototypeGetBuffer(TypedArrayPrototypeSlice(view));
  }

  /** One end of a pair: what stands behind its WebSocket. */
  class PairEnd {
    #socket;
    /** The other end. Undefined once a client has taken its place. */
    #peer;
    /** The id of the client's WebSocket; zero for none. */
    #id = 0;
    /** The resource of the server's WebSocket, if what comes is passed on there. */
    #server;
    #isAccepted = false;
    #isReleased = false;
    #isHalfOpen = false;
    #hasClosed = false;
    #isClosed = false;
    /** Whether the other side is lost, so that nothing more can be sent. */
    #isLost = false;
    /** Why it can be used no more, as a member of an object. */
    #failure;
    /** What has come and was not passed on. */
    #queue = [];
    #isDelivering = false;
    /** The async context in which the app hears of messages. */
    #context;

    static pair() {
      const ends = [new PairEnd(), new PairEnd()];
      for (let i = 0; i < 2; i++) {
        ends[i].#peer = ends[1 - i];
        ends[i].#socket = makeWebSocket(ends[i]);
      }
      return [ends[0].#socket, ends[1].#socket];
    }

    /** Returns the WebSocket for an app that has fetched it. `rid` is that of the server. */
    static fetched(rid) {
      const ends = [new PairEnd(), new PairEnd()];
      const own = ends[0], far = ends[1];
      own.#peer = far;
      far.#peer = own;
      own.#socket = makeWebSocket(own);
      far.#server = rid;
      far.#isAccepted = true;
      forgotten.register(far, rid);
      return own.#socket;
    }

    get readyState() {
      if ((this.#hasClosed && this.#isClosed) || this.#failure !== undefined) return CLOSED;
      return this.#hasClosed || this.#isClosed ? CLOSING : OPEN;
    }

    get bufferedAmount() {
      if (this.#id !== 0) return op_socket_unsent(this.#id);
      const server = this.#peer?.#server;
      return server === undefined ? 0 : op_websocket_buffered(server);
    }

    accept(options) {
      if (this.#isReleased) throw new TypeError("Can't accept() WebSocket that was already used in a response.");
      if (this.#isAccepted) return;
      this.#isAccepted = true;
      this.#isHalfOpen = options.allowHalfOpen;
      this.#context = core.getAsyncContext();
      if (this.#id !== 0) op_socket_accept(this.#id);
      this.#deliver();
      this.#peer?.#read();
    }

    send(data) {
      if (this.#hasClosed) throw new TypeError("Can't call WebSocket send() after close().");
      if (this.#isLost || this.#isReleased) return;
      this.#mustBeAccepted();
      this.#pass(typeof data === "string" || this.#id !== 0 ? data : copyOf(data));
    }

    close(code, reason) {
      if (this.#failure !== undefined && !this.#hasClosed) throw this.#failure.error;
      if (this.#hasClosed || this.#isLost || this.#isReleased) return;
      this.#mustBeAccepted();
      if (code !== undefined) {
        if (code < 1000 || code > 4999 || code === 1004 || code === NO_CODE || code === ABNORMAL || code === 1015) {
          throw new DOMException(`Invalid WebSocket close code: ${code}.`, "InvalidAccessError");
        }
      } else if (reason !== undefined) {
        throw new DOMException("If you specify a WebSocket close reason, you must also specify a code.", "InvalidAccessError");
      }
      if (reason !== undefined && core.byteLength(reason) > LONGEST_REASON) {
        throw new DOMException(
          `WebSocket close reason must not be longer than ${LONGEST_REASON} bytes when UTF-8 encoded.`,
          "SyntaxError",
        );
      }
      this.#end(code ?? NO_CODE, reason ?? "");
    }

    /** Has the answer to a request open the WebSocket of its client, whose other end is the peer of this one. */
    couple(id, headers) {
      if (this.#isReleased) throw new TypeError("Can't return WebSocket that was already used in a response.");
      if (this.#isAccepted) throw new TypeError("Can't return WebSocket in a Response after calling accept().");
      const end = this.#peer;
      if (end === undefined) throw new TypeError("Can't return WebSocket whose other end was already used in a response.");
      if (!op_socket_open(id, headers)) {
        throw new TypeError(
          'Worker tried to return a WebSocket in a response to a request which did not contain the header "Upgrade: websocket".',
        );
      }
      this.#isReleased = true;
      end.#peer = undefined;
      end.#id = id;
      MapPrototypeSet(ofClients, id, end);
      // What was sent before there was a client.
      while (this.#queue.length > 0) {
        const { data, close } = ArrayPrototypeShift(this.#queue);
        if (close === undefined) end.#pass(data);
        else op_socket_close(id, close.code, close.reason);
      }
      if (end.#isAccepted) op_socket_accept(id);
      end.#read();
    }

    /** Takes what the client has said. Called from Rust, see `event_of` in engine.rs. */
    static receive({ 0: id, 1: what, 2: text }) {
      const end = MapPrototypeGet(ofClients, id);
      if (end === undefined) return;
      if (!end.#isAccepted) {
        end.#isLost = true;
        return end.#forget();
      }
      if (what === null) end.#arrives({ isLost: true });
      else if (what === undefined) end.#arrives({ failure: text });
      else if (typeof what === "number") end.#arrives({ close: { code: what, reason: text } });
      else end.#arrives({ data: what });
    }

    #mustBeAccepted() {
      if (this.#isAccepted) return;
      throw new TypeError(
        "You must call one of accept() or state.acceptWebSocket() on this WebSocket before sending messages.",
      );
    }

    #pass(data) {
      if (this.#id === 0) this.#peer.#comes({ data });
      else if (typeof data === "string") op_socket_send_text(this.#id, data);
      else op_socket_send_bytes(this.#id, data);
    }

    #end(code, reason) {
      this.#hasClosed = true;
      this.#tell(code, reason);
    }

    #tell(code, reason) {
      if (this.#id === 0) this.#peer.#comes({ close: { code, reason } });
      else op_socket_close(this.#id, code, reason);
    }

    /** Takes what the other end has sent. As on Workers, the app hears of it later. */
    #comes(what) {
      ArrayPrototypePush(this.#queue, what);
      if (this.#isAccepted) this.#deliver();
    }

    #deliver() {
      if (this.#isDelivering) return;
      this.#isDelivering = true;
      PromisePrototypeThen(PromiseResolve(), () => {
        this.#isDelivering = false;
        while (this.#queue.length > 0) this.#arrives(ArrayPrototypeShift(this.#queue));
      });
    }

    /** Takes what the server has sent, if there is one. Until the app takes messages, it has to wait. */
    async #read() {
      const rid = this.#server;
      if (rid === undefined) return;
      try {
        for (;;) {
          const { text, bytes, close } = await op_websocket_receive(rid);
          if (close === null) {
            if (!this.#hasClosed) this.#pass(text ?? TypedArrayPrototypeGetBuffer(bytes));
            continue;
          }
          if (!this.#hasClosed) this.#end(close[0], close[1]);
          // Otherwise the server ends the connection when it is answered.
          if (this.#isClosed) break;
        }
      } catch {
        if (!this.#hasClosed) {
          this.#hasClosed = true;
          if (this.#id === 0) this.#peer.#comes({ isLost: true });
          else op_socket_close(this.#id, INTERNAL_ERROR, "");
        }
      }
      core.tryClose(rid);
    }

    /** Passes on to the server. */
    #serve({ data, close }) {
      if (this.#isClosed) return;
      if (typeof data === "string") return op_websocket_send_text(this.#server, data);
      if (data !== undefined) return op_websocket_send_bytes(this.#server, data);
      this.#isClosed = true;
      this.#forget();
      // Of a client that was lost, the server hears as little as of one of its own.
      if (close === undefined) core.tryClose(this.#server);
      else op_websocket_close(this.#server, close.code === NO_CODE ? 0 : close.code, close.reason);
    }

    #arrives(what) {
      if (this.#server !== undefined) return this.#serve(what);
      if (this.#isClosed || this.#failure !== undefined) return;
      const before = core.getAsyncContext();
      core.setAsyncContext(this.#context);
      try {
        if (what.data !== undefined) this.#fire(messageEvent(this.#socket, what.data));
        else if (what.close !== undefined) this.#closes(what.close);
        else if (what.isLost) this.#loses();
        else this.#fails(new Error(what.failure));
      } finally {
        core.setAsyncContext(before);
      }
    }

    #closes({ code, reason }) {
      this.#isClosed = true;
      if (!this.#isHalfOpen && !this.#hasClosed) this.#end(code, reason);
      this.#forget();
      this.#fire(new CloseEvent("close", { code, reason, wasClean: true }));
    }

    #loses() {
      const reason = "WebSocket disconnected without sending Close frame.";
      this.#isLost = true;
      this.#forget();
      this.#fire(new CloseEvent("close", { code: ABNORMAL, reason, wasClean: false }));
      this.#isClosed = true;
    }

    /** The WebSocket can be used no more: the client has broken a rule, or a listener has thrown. */
    #fails(error) {
      this.#failure = { error };
      this.#isLost = true;
      this.#forget();
      this.#fire(new ErrorEvent("error", { error, message: `Uncaught ${error}` }));
    }

    #forget() {
      if (this.#id !== 0) MapPrototypeDelete(ofClients, this.#id);
    }

    #fire(event) {
      setIsTrusted(event, true);
      const thrown = dispatchWatched(this.#socket, event);
      if (thrown === undefined) return;
      reportException(thrown.error);
      if (this.#failure !== undefined || this.#isLost) return;
      if (!this.#hasClosed) this.#tell(INTERNAL_ERROR, "");
      this.#fails(thrown.error);
    }
  }

  class WebSocketPair {
    constructor() {
      const sockets = PairEnd.pair();
      for (let i = 0; i < 2; i++) {
        ObjectDefineProperty(this, i, { __proto__: null, configurable: true, enumerable: true, value: sockets[i], writable: false });
      }
    }
    *[SymbolIterator]() {
      yield this[0];
      yield this[1];
    }
  }
  webidl.configureInterface(WebSocketPair);

  /** Answers a request with the WebSocket that a Response carries. */
  function couple(id, webSocket, headers) {
    const end = endOf(webSocket);
    if (end === undefined) {
      throw new TypeError("Can't return WebSocket in a Response if it was created with `new WebSocket()`");
    }
    end.couple(id, headers);
  }

  return { couple, fetched: PairEnd.fetched, receive: PairEnd.receive, WebSocketPair };
})();
