// The EventSource of the HTML standard, built on fetch. Loaded when an app first uses it.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypePush,
    Error,
    Number,
    ObjectDefineProperties,
    ObjectPrototypeIsPrototypeOf,
    PromisePrototypeThen,
    RegExpPrototypeExec,
    SafeArrayIterator,
    SafeRegExp,
    String,
    StringPrototypeIncludes,
    StringPrototypeIndexOf,
    StringPrototypeSlice,
    StringPrototypeStartsWith,
    SymbolFor,
    TypeError,
  } = primordials;
  const { op_utf8_to_byte_string } = core.ops;
  const load = core.loadExtScript;
  const webidl = load("ext:deno_webidl/00_webidl.js");
  const { URL } = load("ext:deno_web/00_url.js");
  const { createFilteredInspectProxy } = load("ext:deno_web/01_console.js");
  const { DOMException } = load("ext:deno_web/01_dom_exception.js");
  const { extractMimeType } = load("ext:deno_web/01_mimesniff.js");
  const { defineEventHandler, dispatch, ErrorEvent, Event, EventTarget, MessageEvent, setIsTrusted } = load(
    "ext:deno_web/02_event.js",
  );
  const { clearTimeout, setTimeout } = load("ext:deno_web/02_timers.js");
  const { AbortController } = load("ext:deno_web/03_abort_signal.js");
  const { acquireReadableStreamDefaultReader, isReadableStreamLocked } = load("ext:deno_web/06_streams.js");
  const { TextDecoder } = load("ext:deno_web/08_text_encoding.js");
  const { bytesOrText } = load("ext:nano_workers/bytes.js");
  const { fillHeaders, getDecodeSplitHeader, headerListFromHeaders, headersFromHeaderList } = load(
    "ext:deno_fetch/20_headers.js",
  );
  const { newInnerRequest } = load("ext:deno_fetch/23_request.js");
  const { mainFetch } = load("ext:deno_fetch/26_fetch.js");

  const CONNECTING = 0;
  const OPEN = 1;
  const CLOSED = 2;
  /** The pause in milliseconds before a reconnection, unless the server sets another. */
  const RECONNECTION_TIME = 3000;
  const DIGITS = new SafeRegExp(/^[0-9]+$/);
  const LINE_END = new SafeRegExp(/\r\n|\n|\r/g);

  const { converters } = webidl;
  converters.EventSourceInit = webidl.createDictionaryConverter("EventSourceInit", [
    { key: "withCredentials", converter: converters.boolean, defaultValue: false },
    // Not in the standard, but other runtimes accept it as well.
    { key: "headers", converter: converters.HeadersInit },
  ]);

  /** Returns the message of an error, which may be any value. */
  function messageOf(error) {
    try {
      return String(error?.message ?? error);
    } catch {
      return "";
    }
  }

  function fire(target, event) {
    setIsTrusted(event, true);
    dispatch(target, event);
  }

  /** Splits text that arrives in pieces into lines, which end in a line feed, a carriage return, or both. */
  class Lines {
    #rest = "";
    #afterReturn = false;

    /** Returns the lines that `text` completes. */
    take(text) {
      const lines = [];
      if (text === "") return lines;
      // Skips the line feed of a CR LF whose carriage return ended the piece before.
      if (this.#afterReturn && text[0] === "\n") text = StringPrototypeSlice(text, 1);
      this.#afterReturn = text !== "" ? text[text.length - 1] === "\r" : false;
      let begin = 0;
      LINE_END.lastIndex = 0;
      for (let end; (end = RegExpPrototypeExec(LINE_END, text)) !== null;) {
        ArrayPrototypePush(lines, this.#rest + StringPrototypeSlice(text, begin, end.index));
        this.#rest = "";
        begin = LINE_END.lastIndex;
      }
      this.#rest += StringPrototypeSlice(text, begin);
      return lines;
    }
  }

  class EventSource extends EventTarget {
    #url;
    #withCredentials;
    #headers;
    #readyState = CONNECTING;
    #reconnectionTime = RECONNECTION_TIME;
    #lastEventId = "";
    #timer;
    #abort = new AbortController();
    /** The reader of the stream passed to `EventSource.from()`. */
    #reader;

    constructor(url, init = undefined) {
      super();
      if (url === webidl.brand) {
        this[webidl.brand] = webidl.brand;
        this.#url = "";
        this.#withCredentials = false;
        this.#readyState = OPEN;
        return;
      }
      const prefix = "Failed to construct 'EventSource'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      url = converters.USVString(url, prefix, "Argument 1");
      init = converters.EventSourceInit(init, prefix, "Argument 2");
      this[webidl.brand] = webidl.brand;
      try {
        this.#url = new URL(url).href;
      } catch {
        throw new DOMException(`${url} is not a URL`, "SyntaxError");
      }
      this.#withCredentials = init.withCredentials;
      this.#headers = init.headers;
      this.#connect();
    }

    /** Reads events from a stream, as on Workers. Without a connection to reopen, the end of the stream is final. */
    static from(stream) {
      const prefix = "Failed to execute 'from' on 'EventSource'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      stream = converters.ReadableStream(stream, prefix, "Argument 1");
      if (isReadableStreamLocked(stream)) throw new TypeError(`${prefix}: the stream is locked`);
      const source = new EventSource(webidl.brand);
      source.#reader = acquireReadableStreamDefaultReader(stream);
      source.#follow();
      return source;
    }

    get url() {
      webidl.assertBranded(this, EventSourcePrototype);
      return this.#url;
    }
    get withCredentials() {
      webidl.assertBranded(this, EventSourcePrototype);
      return this.#withCredentials;
    }
    get readyState() {
      webidl.assertBranded(this, EventSourcePrototype);
      return this.#readyState;
    }
    close() {
      webidl.assertBranded(this, EventSourcePrototype);
      this.#readyState = CLOSED;
      clearTimeout(this.#timer);
      this.#abort.abort();
      // Tells the source of the stream that it can stop.
      if (this.#reader !== undefined) PromisePrototypeThen(this.#reader.cancel(), undefined, () => {});
    }

    async #follow() {
      let error;
      try {
        await this.#read(this.#reader, "");
        error = new Error("the stream has ended");
      } catch (reason) {
        error = reason;
      }
      if (this.#readyState === CLOSED) return;
      this.#readyState = CLOSED;
      fire(this, new ErrorEvent("error", { error, message: messageOf(error) }));
    }

    #request() {
      const list = [["accept", "text/event-stream"], ["cache-control", "no-cache"]];
      if (this.#lastEventId !== "") {
        ArrayPrototypePush(list, ["last-event-id", op_utf8_to_byte_string(this.#lastEventId)]);
      }
      const headers = headersFromHeaderList(list, "request");
      if (this.#headers !== undefined) fillHeaders(headers, this.#headers);
      return newInnerRequest("GET", this.#url, () => headerListFromHeaders(headers), null, false);
    }

    async #connect() {
      try {
        const response = await mainFetch(this.#request(), true, this.#abort.signal);
        if (this.#readyState === CLOSED) return;
        if (response.type === "error") return this.#fail(response.error);
        const type = extractMimeType(getDecodeSplitHeader(response.headerList, "content-type"));
        if (response.status !== 200) return this.#fail(`the server answered ${response.status}`);
        if (type?.type !== "text" || type.subtype !== "event-stream") {
          return this.#fail("the server's answer is not text/event-stream");
        }
        this.#readyState = OPEN;
        fire(this, new Event("open"));
        const reader = acquireReadableStreamDefaultReader(response.body.stream);
        await this.#read(reader, new URL(response.url()).origin);
      } catch (error) {
        // Refused by the app's outbound rules: another attempt would fail the same way.
        if (error?.code === "EACCES") return this.#fail(error.message);
      }
      this.#reconnect();
    }

    async #read(reader, origin) {
      const decoder = new TextDecoder();
      const lines = new Lines();
      let data = [];
      let type = "";
      let id = this.#lastEventId;
      for (;;) {
        const { done, value } = await reader.read();
        // An incomplete event at the end of the stream is dropped.
        if (done || this.#readyState === CLOSED) return;
        const bytes = bytesOrText(value, "a chunk of the stream");
        for (const line of new SafeArrayIterator(lines.take(decoder.decode(bytes, { stream: true })))) {
          if (line === "") {
            this.#lastEventId = id;
            const event = { data: primordials.ArrayPrototypeJoin(data, "\n"), origin, lastEventId: id };
            if (data.length > 0 && this.#readyState !== CLOSED) {
              fire(this, new MessageEvent(type === "" ? "message" : type, event));
            }
            data = [];
            type = "";
            continue;
          }
          const colon = StringPrototypeIndexOf(line, ":");
          const field = colon === -1 ? line : StringPrototypeSlice(line, 0, colon);
          let value = colon === -1 ? "" : StringPrototypeSlice(line, colon + 1);
          if (StringPrototypeStartsWith(value, " ")) value = StringPrototypeSlice(value, 1);
          if (field === "data") ArrayPrototypePush(data, value);
          else if (field === "event") type = value;
          else if (field === "id" && !StringPrototypeIncludes(value, "\0")) id = value;
          else if (field === "retry" && RegExpPrototypeExec(DIGITS, value) !== null) {
            this.#reconnectionTime = Number(value);
          }
        }
      }
    }

    #reconnect() {
      if (this.#readyState === CLOSED) return;
      this.#readyState = CONNECTING;
      fire(this, new Event("error"));
      if (this.#readyState === CLOSED) return;
      this.#timer = setTimeout(() => this.#connect(), this.#reconnectionTime);
    }

    #fail(message) {
      if (this.#readyState === CLOSED) return;
      this.#readyState = CLOSED;
      this.#abort.abort();
      fire(this, new ErrorEvent("error", { message }));
    }

    [SymbolFor("Deno.privateCustomInspect")](inspect, options) {
      return inspect(
        createFilteredInspectProxy({
          object: this,
          evaluate: ObjectPrototypeIsPrototypeOf(EventSourcePrototype, this),
          keys: ["url", "readyState", "withCredentials"],
        }),
        options,
      );
    }
  }

  for (const name of new SafeArrayIterator(["open", "message", "error"])) {
    defineEventHandler(EventSource.prototype, name);
  }
  webidl.configureInterface(EventSource);
  const constant = (value) => ({ __proto__: null, value, enumerable: true });
  const constants = {
    __proto__: null,
    CONNECTING: constant(CONNECTING),
    OPEN: constant(OPEN),
    CLOSED: constant(CLOSED),
  };
  ObjectDefineProperties(EventSource, constants);
  ObjectDefineProperties(EventSource.prototype, constants);
  const EventSourcePrototype = EventSource.prototype;

  return { EventSource };
})();
