// HTMLRewriter: changes a page as it streams through. html_rewriter.rs describes how it uses lol_html.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypeFilter,
    ArrayPrototypeMap,
    ArrayPrototypePush,
    ArrayPrototypeSlice,
    MapPrototypeDelete,
    MapPrototypeGet,
    MapPrototypeSet,
    PromisePrototypeThen,
    ReflectApply,
    SafeMap,
    SafePromiseAll,
    StringPrototypeToLowerCase,
    TypedArrayPrototypeGetByteLength,
    TypeError,
  } = primordials;
  const {
    op_html_rewriter,
    op_html_rewriter_end,
    op_html_rewriter_step,
    op_html_rewriter_take,
    op_html_rewriter_write,
    op_html_selector,
  } = core.ops;
  const { getHeader } = core.loadExtScript("ext:deno_fetch/20_headers.js");
  const { InnerBody } = core.loadExtScript("ext:deno_fetch/22_body.js");
  const { fromInnerResponse, newInnerResponse, toInnerResponse } = core
    .loadExtScript("ext:deno_fetch/23_response.js");
  const { parseMimeType } = core.loadExtScript("ext:deno_web/01_mimesniff.js");
  const { acquireReadableStreamDefaultReader, createReadableByteStream } = core
    .loadExtScript("ext:deno_web/06_streams.js");
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
  const { bytesOf } = core.loadExtScript("ext:nano_workers/bytes.js");
  const { close, Comment, Doctype, DocumentEnd, Element, EndTag, open, Text } = core
    .loadExtScript("ext:nano_workers/html_tokens.js");

  /** Bits for the kinds of handlers, with the same values as in html_rewriter/visit.rs. */
  const ELEMENT_HANDLERS = { __proto__: null, element: 1, comments: 2, text: 4 };
  const DOCUMENT_HANDLERS = { __proto__: null, doctype: 8, comments: 2, text: 4, end: 16 };

  /** Reads the functions of an app's handlers once. `what` gets the bits of those that exist. */
  function readHandlers(handlers, kinds, prefix, context) {
    handlers = webidl.converters.object(handlers, prefix, context);
    const read = { __proto__: null, self: handlers, what: 0 };
    for (const name in kinds) {
      const handler = handlers[name];
      if (handler === undefined) continue;
      if (typeof handler !== "function") throw new TypeError(`${prefix}: '${name}' of ${context} is not a function`);
      read[name] = handler;
      read.what |= kinds[name];
    }
    return read;
  }

  const isPromise = (value) => typeof value === "object" && value !== null && typeof value.then === "function";

  // Indexed by the kind of event, as numbered in html_rewriter/scanner.rs.
  const INTERFACES = [Element, EndTag, Text, Comment, Doctype, DocumentEnd];
  const HANDLERS = ["element", undefined, "text", "comments", "doctype", "end"];
  const ELEMENT = 0;
  const END_TAG = 1;

  /** For each kind of event, converts its data into the part that handlers can read. */
  const PARTS = [
    (data) => ({
      name: data[0],
      attributes: data[1],
      namespace: data[2],
      canHaveContent: data[3],
      removed: data[4],
      endHandlers: [],
    }),
    (name) => ({ name, removed: false }),
    (data) => ({ text: data[0], isLast: data[1], removed: false }),
    (data) => ({ text: data[0], removed: false }),
    (data) => ({ name: data[0], publicId: data[1], systemId: data[2] }),
    () => ({}),
  ];

  /** One document that is being rewritten. */
  class Document {
    #handlers;
    #rewriter;
    #reader;
    /** Whether there is input that has not been parsed. */
    #hasInput = false;
    #isEnded = false;
    #isCancelled = false;
    #hasEmitted = false;
    /** The part of the document that the last event was about. */
    #part;
    /** Handlers of end tags, by the number of the element. */
    #endHandlers = new SafeMap();

    constructor(handlers, stream, charset) {
      this.#handlers = handlers;
      this.#rewriter = op_html_rewriter(charset, ArrayPrototypeMap(handlers, (of) => [of.selector, of.what]));
      this.#reader = acquireReadableStreamDefaultReader(stream);
    }

    /** Returns the stream of rewritten bytes. As on Workers, the document is parsed up to the first output that nobody reads. */
    output() {
      const pull = (controller) => this.#pull(controller);
      const cancel = (reason) => {
        this.#isCancelled = true;
        return this.#reader.cancel(reason);
      };
      return createReadableByteStream(() => {}, pull, cancel, 1);
    }

    /** Reads and parses until there is output or the document ends. */
    async #pull(controller) {
      try {
        this.#hasEmitted = false;
        while (!this.#hasEmitted && !this.#isCancelled) {
          if (!this.#hasInput) {
            if (this.#isEnded) {
              controller.close();
              controller.byobRequest?.respond(0);
              return;
            }
            await this.#read();
          }
          await this.#parse(controller);
          this.#emit(controller);
        }
      } catch (error) {
        PromisePrototypeThen(this.#reader.cancel(error), undefined, () => {});
        throw error;
      }
    }

    async #read() {
      const { done, value } = await this.#reader.read();
      if (done) op_html_rewriter_end(this.#rewriter);
      else op_html_rewriter_write(this.#rewriter, bytesOf(value, "HTMLRewriter: a chunk of the response's body"));
      this.#isEnded = done;
      this.#hasInput = true;
    }

    /** Parses until no input is left or enough output has collected. */
    async #parse(controller) {
      let changes = [];
      while (!this.#isCancelled) {
        const events = op_html_rewriter_step(this.#rewriter, changes);
        this.#hasInput = events !== null;
        if (events === null || events.length === 0) return;
        changes = [];
        for (let i = 0; i < events.length; i++) ArrayPrototypePush(changes, await this.#run(events[i], controller));
      }
    }

    #emit(controller) {
      const output = op_html_rewriter_take(this.#rewriter);
      if (TypedArrayPrototypeGetByteLength(output) === 0 || this.#isCancelled) return;
      controller.enqueue(output);
      this.#hasEmitted = true;
    }

    /** Runs the handlers of one event and returns their changes. While one is awaited, earlier output is sent. */
    async #run({ 0: kind, 1: index, 2: data, 3: element }, controller) {
      let functions;
      let self;
      if (kind === END_TAG) {
        functions = MapPrototypeGet(this.#endHandlers, index);
        MapPrototypeDelete(this.#endHandlers, index);
      } else {
        self = this.#handlers[index].self;
        functions = [this.#handlers[index][HANDLERS[kind]]];
      }
      // An event without data is about the same part as the one before, for another handler.
      if (data !== null) this.#part = PARTS[kind](data);
      const part = this.#part;
      part.changes = [];
      part.reads = [];
      for (let i = 0; i < functions.length; i++) {
        const token = open(INTERFACES[kind], part);
        try {
          const result = ReflectApply(functions[i], self, [token]);
          if (isPromise(result)) {
            this.#emit(controller);
            await result;
          }
        } finally {
          close(token);
        }
      }
      if (part.reads.length > 0) {
        this.#emit(controller);
        await SafePromiseAll(part.reads);
      }
      if (kind === ELEMENT && part.endHandlers.length > 0) {
        MapPrototypeSet(this.#endHandlers, element, part.endHandlers);
      }
      return part.changes;
    }
  }

  class HTMLRewriter {
    #handlers = [];

    constructor() {
      this[webidl.brand] = webidl.brand;
    }

    on(selector, handlers) {
      const prefix = "Failed to execute 'on' on 'HTMLRewriter'";
      webidl.assertBranded(this, HTMLRewriterPrototype);
      webidl.requiredArguments(arguments.length, 2, prefix);
      selector = webidl.converters.DOMString(selector, prefix, "Argument 1");
      const read = readHandlers(handlers, ELEMENT_HANDLERS, prefix, "Argument 2");
      op_html_selector(selector);
      read.selector = selector;
      ArrayPrototypePush(this.#handlers, read);
      return this;
    }

    onDocument(handlers) {
      const prefix = "Failed to execute 'onDocument' on 'HTMLRewriter'";
      webidl.assertBranded(this, HTMLRewriterPrototype);
      webidl.requiredArguments(arguments.length, 1, prefix);
      const read = readHandlers(handlers, DOCUMENT_HANDLERS, prefix, "Argument 1");
      read.selector = null;
      ArrayPrototypePush(this.#handlers, read);
      return this;
    }

    transform(response) {
      const prefix = "Failed to execute 'transform' on 'HTMLRewriter'";
      webidl.assertBranded(this, HTMLRewriterPrototype);
      webidl.requiredArguments(arguments.length, 1, prefix);
      response = webidl.converters.Response(response, prefix, "Argument 1");
      const from = toInnerResponse(response);
      if (from.body === null) return response;
      if (from.body.unusable()) throw new TypeError(`${prefix}: the body of the response was used already`);
      const headers = from.headerList;
      const type = parseMimeType(getHeader(headers, "content-type") ?? "");
      const charset = (type && MapPrototypeGet(type.parameters, "charset")) ?? "utf-8";
      const document = new Document(ArrayPrototypeSlice(this.#handlers), from.body.stream, charset);
      const to = newInnerResponse(from.status, from.statusMessage);
      to.headerList = ArrayPrototypeFilter(
        headers,
        (field) => StringPrototypeToLowerCase(field[0]) !== "content-length",
      );
      to.isManual = from.isManual;
      to.cf = from.cf;
      to.body = new InnerBody(document.output());
      return fromInnerResponse(to, "response");
    }
  }
  webidl.configureInterface(HTMLRewriter);
  const HTMLRewriterPrototype = HTMLRewriter.prototype;

  return { HTMLRewriter };
})();
