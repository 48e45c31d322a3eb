// The files of a Workers Site, as a KV namespace that cannot be written to. It checks what it is asked as workerd does; the supervisor
// has the files.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayIsArray,
    Error,
    FunctionPrototypeCall,
    JSONParse,
    Map,
    MapPrototypeSet,
    Number,
    String,
    StringPrototypeToLowerCase,
    TypeError,
    TypedArrayPrototypeGetByteLength,
    encodeURIComponent,
  } = primordials;
  const { fetchFrom } = core.loadExtScript("ext:nano_workers/bindings.js");
  const { markNotSerializable } = core.loadExtScript("ext:deno_web/13_message_port.js");
  const { TextDecoder } = core.loadExtScript("ext:deno_web/08_text_encoding.js");
  const { ReadableStream } = core.loadExtScript("ext:deno_web/06_streams.js");
  const { Request } = core.loadExtScript("ext:deno_fetch/23_request.js");
  const { Response } = core.loadExtScript("ext:deno_fetch/23_response.js");
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");

  const { arrayBuffer } = Response.prototype;
  const { decode } = TextDecoder.prototype;

  const NOT_FOUND = 404;
  const LONGEST_KEY = 512;
  const MOST_KEYS = 100;
  const MOST_LISTED = 1000;
  const TYPES = { __proto__: null, arrayBuffer: true, json: true, stream: true, text: true };

  const failed = (method, status, why) => new Error(`KV ${method} failed: ${status} ${why}`);

  /** Throws if a key is none that a namespace may have. */
  function checkKey(method, key) {
    if (key === "") throw new TypeError("Key name cannot be empty.");
    if (key === "." || key === "..") throw new TypeError(`"${key}" is not allowed as a key name.`);
    checkLength(method, key);
  }

  function checkLength(method, key) {
    const length = TypedArrayPrototypeGetByteLength(core.encode(key));
    if (length > LONGEST_KEY) {
      throw failed(method, 414, `UTF-8 encoded length of ${length} exceeds key length limit of ${LONGEST_KEY}.`);
    }
  }

  /** Returns what a value is to be, from the second argument of `get`. */
  function typeOf(options) {
    if (options === undefined || options === null) return "text";
    const type = typeof options === "object" || typeof options === "function" ? options.type : options;
    return type === undefined ? "text" : String(type);
  }

  /** Answers by the files of the binding with this number. */
  const ask = (number, target) => fetchFrom(number, new Request(`http://kv/${target}`));

  /** Encodes a text for a URL. No file is named by a surrogate without its other half, which encodeURIComponent does not take. */
  const encoded = (text) => encodeURIComponent(core.decode(core.encode(text)));

  const bytesOf = (response) => FunctionPrototypeCall(arrayBuffer, response);

  async function textOf(response) {
    // As in workerd, a byte order mark is part of the text.
    const decoder = new TextDecoder("utf-8", { __proto__: null, ignoreBOM: true });
    return FunctionPrototypeCall(decode, decoder, await bytesOf(response));
  }

  /** Returns the value of a key, or null. */
  async function valueOf(number, key, type) {
    const response = await ask(number, `get?key=${encoded(key)}`);
    if (response.status === NOT_FOUND) return null;
    switch (type) {
      case "arrayBuffer":
        return bytesOf(response);
      case "json":
        return JSONParse(await textOf(response));
      case "stream":
        return response.body ?? new ReadableStream({ __proto__: null, type: "bytes", start: (stream) => stream.close() });
      default:
        return textOf(response);
    }
  }

  /** Does what `get` and `getWithMetadata` have in common. `wrap` makes of a value what is returned. */
  async function get(number, name, args, wrap) {
    if (args.length === 0) {
      const types = name === "get" ? "string or Array" : "Array or string";
      throw new TypeError(`Failed to execute '${name}' on 'KvNamespace': parameter 1 is not of type '${types}'.`);
    }
    const { 0: keys, 1: options } = args;
    const type = typeOf(options);
    if (!ArrayIsArray(keys)) {
      const key = String(keys);
      checkKey("GET", key);
      if (!TYPES[type]) {
        throw new TypeError(
          'Unknown response type. Possible types are "text", "arrayBuffer", "json", and "stream".',
        );
      }
      return wrap(await valueOf(number, key, type));
    }
    if (keys.length > MOST_KEYS) {
      throw failed("GET_BULK", 400, `You can request a maximum of ${MOST_KEYS} keys`);
    }
    if (keys.length === 0) throw failed("GET_BULK", 400, "You must request a minimum of 1 key");
    if (type !== "text" && type !== "json") {
      throw failed("GET_BULK", 400, `"${type}" is not a valid type. Use "json" or "text"`);
    }
    const values = new Map();
    for (let i = 0; i < keys.length; i++) {
      const key = String(keys[i]);
      checkKey("GET_BULK", key);
      const value = await valueOf(number, key, type);
      MapPrototypeSet(values, key, value === null ? null : wrap(value));
    }
    return values;
  }

  /** Returns keys, which come in pages that may be shorter than asked for. */
  async function list(number, prefix, cursor, limit) {
    const keys = [];
    for (;;) {
      let query = `limit=${limit - keys.length}&prefix=${encoded(prefix)}`;
      if (cursor !== "") query += `&cursor=${encoded(cursor)}`;
      const page = JSONParse(await textOf(await ask(number, `list?${query}`)));
      for (let i = 0; i < page.keys.length; i++) keys[keys.length] = page.keys[i];
      if (page.list_complete || keys.length >= limit) return { ...page, keys, cacheStatus: null };
      cursor = page.cursor;
    }
  }

  /** Refuses to write. */
  function refuse(method, key) {
    checkKey(method, key);
    throw failed(method, 405, `Cannot ${StringPrototypeToLowerCase(method)}() with Workers Sites namespace`);
  }

  class KvNamespace {
    /** The number of the binding. */
    #number;

    constructor(brand = undefined, number = undefined) {
      if (brand !== webidl.brand) webidl.illegalConstructor();
      this.#number = number;
    }
    async get(...args) {
      return await get(this.#number, "get", args, (value) => value);
    }
    async getWithMetadata(...args) {
      const isBulk = ArrayIsArray(args[0]);
      return await get(this.#number, "getWithMetadata", args, (value) => {
        return isBulk ? { value, metadata: null } : { value, metadata: null, cacheStatus: null };
      });
    }
    async list(...args) {
      const options = args[0] ?? {};
      if (typeof options !== "object" && typeof options !== "function") {
        throw new TypeError(
          "Failed to execute 'list' on 'KvNamespace': parameter 1 is not of type 'ListOptions'.",
        );
      }
      const { limit, prefix, cursor } = options;
      const most = limit === undefined || limit === null ? 0 : Number(limit);
      if (most > MOST_LISTED) {
        const why = `Invalid key_count_limit of ${most}. Please specify an integer less than ${MOST_LISTED}.`;
        throw failed("GET", 400, why);
      }
      const prefixText = prefix === undefined || prefix === null ? "" : String(prefix);
      checkLength("GET", prefixText);
      const cursorText = cursor === undefined || cursor === null ? "" : String(cursor);
      // Without a limit that counts, there are as many as possible.
      return await list(this.#number, prefixText, cursorText, most >= 1 ? most | 0 : MOST_LISTED);
    }
    async put(...args) {
      if (args.length < 2) {
        const { length } = args;
        const type = length === 0 ? "string" : "string or Object";
        throw new TypeError(
          `Failed to execute 'put' on 'KvNamespace': parameter ${length + 1} is not of type '${type}'.`,
        );
      }
      refuse("PUT", String(args[0]));
    }
    async delete(...args) {
      if (args.length === 0) {
        throw new TypeError("Failed to execute 'delete' on 'KvNamespace': parameter 1 is not of type 'string'.");
      }
      refuse("DELETE", String(args[0]));
    }
  }
  webidl.configureInterface(KvNamespace);
  markNotSerializable(KvNamespace.prototype);

  return { kvNamespace: (number) => new KvNamespace(webidl.brand, number) };
})();
