// The request as the app sees it: every property crosses from Rust only when it is touched.
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

  /** Stands where deno_fetch keeps its own record of a request. `id` names the request in every op. */
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
    /** For a clone, whose own it will be; undefined where there is nothing to be had any more. */
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
    // Request.json() of a small body: from bytes to string without a Uint8Array between.
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
      // A body that has already arrived whole needs no stream.
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
        // What is left of the body went with the answer: only who reads it needs to know.
        return new InnerBody(new ReadableStream({ __proto__: null, start: (controller) => controller.error(error) }));
      }
      return new InnerBody(readableStreamForRid(rid));
    }
  }

  return { InnerRequest };
})();
