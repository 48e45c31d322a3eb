// The sockets of cloudflare:sockets, on the ops of net/tcp.rs. Loaded when an app first uses them.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypeIncludes,
    Number,
    NumberIsInteger,
    Promise,
    PromisePrototypeThen,
    PromiseResolve,
    RegExpPrototypeTest,
    SafeWeakRef,
    String,
    TypeError,
    TypedArrayPrototypeGetByteLength,
    WeakRefPrototypeDeref,
  } = primordials;
  const {
    op_tcp_close,
    op_tcp_connect,
    op_tcp_new,
    op_tcp_read_to_end,
    op_tcp_reader,
    op_tcp_shutdown,
    op_tcp_start_tls,
    op_tcp_write,
  } = core.ops;
  const load = core.loadExtScript;
  const webidl = load("ext:deno_webidl/00_webidl.js");
  const { URL } = load("ext:deno_web/00_url.js");
  const {
    _state,
    acquireReadableStreamDefaultReader,
    errorReadableStream,
    isReadableStreamLocked,
    readableStreamForRid,
    WritableStream,
    writableStreamClose,
  } = load("ext:deno_web/06_streams.js");
  const { bytesOrText } = load("ext:nano_workers/bytes.js");

  const nothing = () => {};

  /** A promise of which nobody has to know that it was rejected. */
  function settled() {
    let resolve, reject;
    const promise = new Promise((one, other) => {
      resolve = one;
      reject = other;
    });
    PromisePrototypeThen(promise, undefined, nothing);
    return { promise, resolve, reject };
  }

  let failureOf;
  let openSocket;

  class Socket {
    #tcp;
    #host;
    #secureTransport;
    #allowHalfOpen;
    #readable;
    #writable;
    #controller;
    #opened = settled();
    #closed = settled();
    #isUpgraded = false;
    #isUpgrading = false;
    /** Whether it was closed, or has ended by itself. */
    #isOver = false;
    #isOpen = false;
    /** The write that is under way. */
    #writing = PromiseResolve();
    /** Settles when all that was written before close() or startTls() is sent, with what the stream fails with then. */
    #flushed;
    #flushError;
    /** The codes of what has failed, as those of Node. */
    #failures = { __proto__: null };

    constructor(key = undefined) {
      if (key !== webidl.brand) webidl.illegalConstructor();
      this[webidl.brand] = webidl.brand;
    }

    get readable() {
      webidl.assertBranded(this, SocketPrototype);
      return this.#readable;
    }
    get writable() {
      webidl.assertBranded(this, SocketPrototype);
      return this.#writable;
    }
    get closed() {
      webidl.assertBranded(this, SocketPrototype);
      return this.#closed.promise;
    }
    get opened() {
      webidl.assertBranded(this, SocketPrototype);
      return this.#opened.promise;
    }
    get upgraded() {
      webidl.assertBranded(this, SocketPrototype);
      return this.#isUpgraded;
    }
    get secureTransport() {
      webidl.assertBranded(this, SocketPrototype);
      return this.#secureTransport;
    }

    /** Closes the connection once what was written is sent. */
    async close() {
      webidl.assertBranded(this, SocketPrototype);
      if (this.#isUpgrading) return;
      const error = new TypeError("This socket has been closed.");
      // A connection that nobody has any more is not waited for.
      if (this.#isOpen) await PromisePrototypeThen(this.#flush(error), nothing, nothing);
      if (this.#isOver) return;
      this.#opened.reject(error);
      this.#stop(error);
      this.#finish();
    }

    /** Uses the connection with TLS from now on. Returns the socket for that; this one is over. */
    startTls(options = undefined) {
      webidl.assertBranded(this, SocketPrototype);
      if (this.#secureTransport === "on") throw new TypeError("Cannot startTls on a TLS socket.");
      if (this.#secureTransport !== "starttls") {
        throw new TypeError("The `secureTransport` socket option must be set to 'starttls' for startTls to be used.");
      }
      if (this.#isUpgrading) {
        throw new TypeError("startTls has already been called on this socket, or the socket was transferred over RPC.");
      }
      const name = options?.expectedServerHostname;
      this.#isUpgrading = true;
      if (!isReadableStreamLocked(this.#readable)) acquireReadableStreamDefaultReader(this.#readable);
      return openSocket(
        this.#host,
        { secureTransport: "on", allowHalfOpen: this.#allowHalfOpen, highWaterMark: undefined },
        (tcp) => this.#moveTo(tcp, name === undefined ? this.#host : `${name}`),
      );
    }

    async #moveTo(tcp, name) {
      let opened;
      try {
        opened = await this.#opened.promise;
        await this.#flush(new TypeError("This socket has been upgraded: use the one that startTls() returned."));
      } catch (error) {
        op_tcp_close(tcp);
        throw error;
      }
      this.#isUpgraded = true;
      await op_tcp_start_tls(this.#tcp, tcp, name);
      return opened.remoteAddress;
    }

    /** Waits until all that was written is sent. The stream takes nothing more, and then fails with this error. */
    #flush(error) {
      return this.#flushed ??= this.#flushWith(error);
    }

    async #flushWith(error) {
      this.#flushError = error;
      try {
        await writableStreamClose(this.#writable);
      } catch (failure) {
        if (failure === error) return;
        // The app is closing it itself, or it has failed.
        await this.#writing;
      }
    }

    /** Begins to open the connection. `connect` does that, and resolves to the address of the other side. */
    #open(host, { secureTransport, allowHalfOpen, highWaterMark }, connect) {
      const tcp = this.#tcp = op_tcp_new(host);
      this.#host = host;
      this.#secureTransport = secureTransport;
      this.#allowHalfOpen = allowHalfOpen;
      this.#readable = readableStreamForRid(op_tcp_reader(tcp), true, undefined, (controller, error) => {
        this.#failures.read = error.code;
        controller.error(error);
      });
      const strategy = highWaterMark === undefined
        ? undefined
        : { highWaterMark, size: (chunk) => chunk?.byteLength ?? 1 };
      this.#writable = new WritableStream({
        __proto__: null,
        start: (controller) => {
          this.#controller = controller;
        },
        write: (chunk) => this.#writing = this.#write(chunk),
        close: () => {
          if (this.#flushError !== undefined) throw this.#flushError;
          return op_tcp_shutdown(tcp);
        },
      }, strategy);
      PromisePrototypeThen(connect(tcp), (address) => this.#connected(address), (error) => this.#fail(error));
    }

    async #write(chunk) {
      const bytes = bytesOrText(chunk, "what was written to a socket");
      if (TypedArrayPrototypeGetByteLength(bytes) === 0) return;
      try {
        await op_tcp_write(this.#tcp, bytes);
      } catch (error) {
        this.#failures.write = error.code;
        throw error;
      }
    }

    #connected(remoteAddress) {
      if (this.#isOver) return;
      this.#isOpen = true;
      this.#opened.resolve({ remoteAddress, localAddress: undefined });
      // What waits for the end does not keep a socket that nobody has.
      const self = new SafeWeakRef(this);
      PromisePrototypeThen(
        op_tcp_read_to_end(this.#tcp),
        (hasFailed) => WeakRefPrototypeDeref(self)?.#ended(hasFailed),
        (error) => WeakRefPrototypeDeref(self)?.#lost(error),
      );
    }

    /** The connection could not be opened. */
    #fail(error) {
      if (this.#isOver) return;
      this.#isOver = true;
      this.#failures.connect = error.code;
      // In this order, as on Workers.
      this.#closed.reject(error);
      this.#opened.reject(error);
      this.#stop(error);
    }

    /** Nothing more can be read. */
    async #ended(hasFailed) {
      if (!hasFailed) {
        if (this.#allowHalfOpen) return;
        // close() goes on once all is sent.
        if (this.#flushed !== undefined && !this.#isUpgrading) return;
        if (this.#writable[_state] === "writable") {
          try {
            await writableStreamClose(this.#writable);
          } catch {
            // The app is closing it, or the other side takes nothing more.
          }
        }
      }
      if (!this.#isOver) this.#finish();
    }

    /** The connection ended before, with the request or because it was closed or upgraded. */
    #lost(error) {
      if (this.#isUpgrading) {
        this.#isOver = true;
        this.#closed.resolve();
        this.#controller.error(error);
      } else if (!this.#isOver) {
        this.#isOver = true;
        this.#closed.reject(error);
        this.#stop(error);
      }
    }

    #stop(error) {
      errorReadableStream(this.#readable, error);
      this.#controller.error(error);
    }

    #finish() {
      this.#isOver = true;
      this.#closed.resolve();
      op_tcp_close(this.#tcp);
    }

    static {
      failureOf = (socket, kind) => socket.#failures[kind];
      openSocket = (host, options, connect) => {
        const socket = new Socket(webidl.brand);
        socket.#open(host, options, connect);
        return socket;
      };
    }
  }
  webidl.configureInterface(Socket);
  const SocketPrototype = Socket.prototype;

  /** Returns the host and the port of an address as Workers take it: text, or an object. */
  function parse(address) {
    if (address === undefined || address === null) throw new TypeError("connect() needs an address: \"host:port\", or an object");
    if (typeof address === "object") {
      const { hostname = "localhost" } = address;
      const port = Number(address.port);
      if (!NumberIsInteger(port)) throw new TypeError("The value cannot be converted because it is not an integer.");
      if (port < 0) {
        throw new TypeError("The value cannot be converted because it is negative and this API expects a positive number.");
      }
      if (port > 65535) throw new TypeError("Value out of range. Must be less than or equal to 65535.");
      return check(`${hostname}`, port, `${hostname}:${port}`);
    }
    const text = `${address}`;
    let url;
    try {
      url = new URL(`fake://${text}`);
    } catch {
      throw new TypeError("Specified address could not be parsed.");
    }
    if (url.hostname === "") throw new TypeError("Specified address is missing hostname.");
    if (url.port === "") throw new TypeError("Specified address is missing port.");
    return check(url.hostname, Number(url.port), text);
  }

  function check(host, port, text) {
    if (text.length > 255 || !RegExpPrototypeTest(/^[-._[\]:a-zA-Z0-9]+$/, text)) {
      throw new TypeError("Specified address is empty string, contains unsupported characters or is too long.");
    }
    return { host, port };
  }

  const TRANSPORTS = ["off", "on", "starttls"];

  function optionsOf(options) {
    if (options === undefined) options = {};
    if (options === null || (typeof options !== "object" && typeof options !== "function")) {
      throw new TypeError("Failed to execute 'connect' on 'SocketsModule': parameter 2 is not of type 'SocketOptions'.");
    }
    const secureTransport = options.secureTransport === undefined ? "off" : String(options.secureTransport);
    if (!ArrayPrototypeIncludes(TRANSPORTS, secureTransport)) {
      throw new TypeError(`Unsupported value in secureTransport socket option: ${secureTransport}`);
    }
    let highWaterMark;
    if (options.highWaterMark !== undefined) {
      highWaterMark = Number(options.highWaterMark);
      if (!NumberIsInteger(highWaterMark)) {
        throw new TypeError("The value cannot be converted because it is not an integer.");
      }
      if (highWaterMark < 0) {
        throw new TypeError("The value cannot be converted because it is negative and this API expects a positive bigint.");
      }
    }
    return { secureTransport, allowHalfOpen: !!options.allowHalfOpen, highWaterMark };
  }

  /** Opens a TCP connection to "host:port", or to `{ hostname, port }`. */
  function connect(address, options = undefined) {
    const { host, port } = parse(address);
    options = optionsOf(options);
    const isTls = options.secureTransport === "on";
    return openSocket(host, options, (tcp) => op_tcp_connect(tcp, host, port, isTls));
  }

  return { connect, failureOf, Socket };
})();
