// The request as the app sees it. Each property is fetched from Rust when it is first read.
(function () {
  const { core, primordials } = __bootstrap;
  const { JSONParse, JSONStringify, PromisePrototypeThen, SafeArrayIterator, TypedArrayPrototypeGetByteLength } = primordials;
  const {
    op_request_body,
    op_request_body_take,
    op_request_body_take_text,
    op_request_cancelled,
    op_request_cf,
    op_request_has_body,
    op_request_header,
    op_request_headers,
    op_request_method,
    op_request_url,
  } = core.ops;
  const { InnerBody } = core.loadExtScript("ext:deno_fetch/22_body.js");
  const { ReadableStream, readableStreamForRid } = core.loadExtScript("ext:deno_web/06_streams.js");

  /** Takes the place of deno_fetch's own record of a request. `id` identifies the request in every op. */
  class InnerRequest {
    redirectMode = "manual";
    redirectCount = 0;
    clientRid = null;
    blobUrlEntry = null;
    #id;
    #method;
    #url;
    #headerList;
    #body;
    #cf;

    constructor(id) {
      this.#id = id;
    }
    get method() {
      return this.#method ??= op_request_method(this.#id);
    }
    url() {
      return this.#url ??= op_request_url(this.#id);
    }
    currentUrl() {
      return this.url();
    }
    get urlList() {
      return [() => this.url()];
    }
    get urlListProcessed() {
      return [this.url()];
    }
    get headerList() {
      return this.#headerList ??= op_request_headers(this.#id);
    }
    set headerList(list) {
      this.#headerList = list;
    }
    header(name) {
      return op_request_header(this.#id, name);
    }
    get cf() {
      return this.#cf ??= this.#readCf();
    }
    /** Copies `cf` for a clone of the request. Returns undefined if the request has ended and it was never read. */
    copyCf() {
      try {
        return this.#cf === undefined ? this.#readCf() : JSONParse(JSONStringify(this.#cf));
      } catch {
        return undefined;
      }
    }
    get body() {
      if (this.#body === undefined) {
        this.#body = this.#hasBody() ? this.#openBody() : null;
      }
      return this.#body;
    }
    set body(body) {
      this.#body = body;
    }
    // For Request.json() of a small body: converts bytes to a string without a Uint8Array between them.
    consumeTextBody() {
      if (this.#body !== undefined || !this.#hasBody()) return null;
      const text = op_request_body_take_text(this.#id);
      if (text === null) return null;
      this.#body = new InnerBody({ body: text, consumed: true });
      return text;
    }
    onCancel(callback) {
      PromisePrototypeThen(op_request_cancelled(this.#id), (cancelled) => cancelled && callback());
    }
    #readCf() {
      const cf = {};
      for (const { 0: name, 1: value } of new SafeArrayIterator(op_request_cf(this.#id))) cf[name] = value;
      return cf;
    }
    #hasBody() {
      const { method } = this;
      return op_request_has_body(this.#id, method === "GET" || method === "HEAD");
    }
    #openBody() {
      // A body that has arrived completely needs no stream.
      const bytes = op_request_body_take(this.#id);
      if (bytes !== null) {
        const body = new InnerBody({ body: bytes, consumed: false });
        body.length = TypedArrayPrototypeGetByteLength(bytes);
        return body;
      }
      let rid;
      try {
        rid = op_request_body(this.#id);
      } catch (error) {
        // The rest of the body was dropped with the answer. Only a reader of the body gets the error.
        return new InnerBody(new ReadableStream({ __proto__: null, start: (controller) => controller.error(error) }));
      }
      return new InnerBody(readableStreamForRid(rid));
    }
  }

  return { InnerRequest };
})();
