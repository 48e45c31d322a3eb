// Replaces deno_web's 00_url.js: URL, by the parser in platform/url.rs, which follows the URL standard to the letter.
// https://url.spec.whatwg.org/#url-class
(function () {
  const { core, primordials } = __bootstrap;
  const { op_url_change, op_url_read, op_url_read_relative, op_url_text } = core.ops;
  const {
    ObjectDefineProperty,
    ObjectPrototypeIsPrototypeOf,
    StringPrototypeSlice,
    Symbol,
    SymbolFor,
    TypeError,
    Uint32Array,
  } = primordials;
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
  const params = core.loadExtScript("ext:nano_platform/url_search_params.js");
  const { newParams, setParams, URLSearchParams } = params;
  const { USVString } = webidl.converters;

  // Values of platform/url.rs: the results of ops, and the parts of a URL that can be changed.
  const CHANGED = 1;
  const INVALID = 2;
  const PROTOCOL = 0;
  const USERNAME = 1;
  const PASSWORD = 2;
  const HOST = 3;
  const HOSTNAME = 4;
  const PORT = 5;
  const PATHNAME = 6;
  const SEARCH = 7;
  const HASH = 8;

  // Positions in the text: end of the colon, start and end of the user name, end of the password, start of the host, end of
  // the host name, end of the port, start of the path, start of the query, start of the fragment.
  const offsets = new Uint32Array(10);
  const unparsed = Symbol("unparsed");
  let parse, setQuery;

  class URL {
    #href;
    #at;
    #searchParams = null;

    constructor(url, base = undefined) {
      if (url === unparsed) return;
      const prefix = "Failed to construct 'URL'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      url = USVString(url, prefix, "Argument 1");
      if (base !== undefined) base = USVString(base, prefix, "Argument 2");
      if (!this.#read(url, base)) {
        throw new TypeError(`Invalid URL: '${url}'${base === undefined ? "" : ` with base '${base}'`}`);
      }
    }

    /** Parses a URL into this object. Returns false if it is not valid. */
    #read(url, base) {
      return this.#take(url, base === undefined ? op_url_read(url, offsets) : op_url_read_relative(url, base, offsets));
    }
    #take(text, outcome) {
      if (outcome === INVALID) return false;
      this.#href = outcome === CHANGED ? op_url_text() : text;
      this.#at = [
        offsets[0],
        offsets[1],
        offsets[2],
        offsets[3],
        offsets[4],
        offsets[5],
        offsets[6],
        offsets[7],
        offsets[8],
        offsets[9],
      ];
      return true;
    }
    #slice(from, to) {
      return StringPrototypeSlice(this.#href, from, to);
    }
    #change(part, name, value) {
      // Throws if `this` is not a URL, before the value is converted.
      const href = this.#href;
      value = USVString(value, `Failed to set '${name}' on 'URL'`, "Argument 1");
      this.#take(href, op_url_change(href, part, value, offsets));
    }
    #updateParams() {
      if (this.#searchParams !== null) setParams(this.#searchParams, this.search);
    }

    static parse(url, base = undefined) {
      const prefix = "Failed to execute 'parse' on 'URL'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      url = USVString(url, prefix, "Argument 1");
      if (base !== undefined) base = USVString(base, prefix, "Argument 2");
      const parsed = new URL(unparsed);
      return parsed.#read(url, base) ? parsed : null;
    }
    static canParse(url, base = undefined) {
      const prefix = "Failed to execute 'canParse' on 'URL'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      url = USVString(url, prefix, "Argument 1");
      if (base !== undefined) base = USVString(base, prefix, "Argument 2");
      return new URL(unparsed).#read(url, base);
    }

    get href() {
      return this.#href;
    }
    set href(value) {
      this.#href;
      value = USVString(value, "Failed to set 'href' on 'URL'", "Argument 1");
      if (!this.#read(value)) throw new TypeError(`Invalid URL: '${value}'`);
      this.#updateParams();
    }
    toString() {
      return this.#href;
    }
    get origin() {
      const at = this.#at;
      const scheme = this.#slice(0, at[0] - 1);
      switch (scheme) {
        case "http":
        case "https":
        case "ws":
        case "wss":
        case "ftp":
          return `${scheme}://${this.#slice(at[4], at[6])}`;
        case "blob": {
          const inner = new URL(unparsed);
          if (!inner.#read(this.#slice(at[7], at[8]))) return "null";
          const protocol = inner.#slice(0, inner.#at[0]);
          return protocol === "http:" || protocol === "https:" ? inner.origin : "null";
        }
        default:
          return "null";
      }
    }
    get protocol() {
      return this.#slice(0, this.#at[0]);
    }
    set protocol(value) {
      this.#change(PROTOCOL, "protocol", value);
    }
    get username() {
      return this.#slice(this.#at[1], this.#at[2]);
    }
    set username(value) {
      this.#change(USERNAME, "username", value);
    }
    get password() {
      return this.#slice(this.#at[2] + 1, this.#at[3]);
    }
    set password(value) {
      this.#change(PASSWORD, "password", value);
    }
    get host() {
      return this.#slice(this.#at[4], this.#at[6]);
    }
    set host(value) {
      this.#change(HOST, "host", value);
    }
    get hostname() {
      return this.#slice(this.#at[4], this.#at[5]);
    }
    set hostname(value) {
      this.#change(HOSTNAME, "hostname", value);
    }
    get port() {
      return this.#slice(this.#at[5] + 1, this.#at[6]);
    }
    set port(value) {
      this.#change(PORT, "port", value);
    }
    get pathname() {
      return this.#slice(this.#at[7], this.#at[8]);
    }
    set pathname(value) {
      this.#change(PATHNAME, "pathname", value);
    }
    get search() {
      const at = this.#at;
      // A lone question mark counts as an empty query.
      return at[9] - at[8] > 1 ? this.#slice(at[8], at[9]) : "";
    }
    set search(value) {
      this.#change(SEARCH, "search", value);
      this.#updateParams();
    }
    get searchParams() {
      return this.#searchParams ??= newParams(this, this.search);
    }
    get hash() {
      const start = this.#at[9];
      return this.#href.length - start > 1 ? this.#slice(start) : "";
    }
    set hash(value) {
      this.#change(HASH, "hash", value);
    }
    toJSON() {
      return this.#href;
    }

    static {
      setQuery = (url, query) => {
        const href = url.#href;
        url.#take(href, op_url_change(href, SEARCH, query, offsets));
      };
      /** Returns the parts of a URL as URLPattern matches them, or null if it is not valid. */
      parse = (text, base) => {
        const url = new URL(unparsed);
        if (!url.#read(text, base)) return null;
        const at = url.#at;
        return [
          url.#slice(0, at[0] - 1),
          url.#slice(at[1], at[2]),
          url.#slice(at[2] + 1, at[3]),
          url.#slice(at[4], at[5]),
          url.#slice(at[5] + 1, at[6]),
          url.#slice(at[7], at[8]),
          url.#slice(at[8] + 1, at[9]),
          url.#slice(at[9] + 1),
        ];
      };
    }
  }
  webidl.configureInterface(URL);
  const URLPrototype = URL.prototype;
  params.setOnChange(setQuery);

  const KEYS = [
    "href",
    "origin",
    "protocol",
    "username",
    "password",
    "host",
    "hostname",
    "port",
    "pathname",
    "hash",
    "search",
  ];
  ObjectDefineProperty(URLPrototype, SymbolFor("Deno.privateCustomInspect"), {
    __proto__: null,
    configurable: true,
    writable: true,
    value(inspect, options) {
      const { createFilteredInspectProxy } = core.loadExtScript("ext:deno_web/01_console.js");
      const evaluate = ObjectPrototypeIsPrototypeOf(URLPrototype, this);
      return inspect(createFilteredInspectProxy({ object: this, evaluate, keys: KEYS }), options);
    },
  });

  return {
    parseComponents: parse,
    parseUrlEncoded: params.parseUrlEncoded,
    URL,
    URLPrototype,
    URLSearchParams,
    URLSearchParamsPrototype: URLSearchParams.prototype,
  };
})();
