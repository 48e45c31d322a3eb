// What stands in `env` for bindings that need no service: rate limits, datasets, secrets that are asked for, databases, the version, and the
// files of a Workers Site.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayBufferIsView,
    ArrayIsArray,
    ArrayPrototypeJoin,
    ArrayPrototypeMap,
    Error,
    JSONStringify,
    Number,
    ObjectEntries,
    ObjectKeys,
    SafeArrayIterator,
    String,
    StringPrototypeSlice,
    TypeError,
    Uint8Array,
    decodeURIComponent,
  } = primordials;
  const { isAnyArrayBuffer } = core;
  const { op_digest, op_digest_finish, op_digest_update } = core.ops;
  const { fetchFrom } = core.loadExtScript("ext:nano_workers/bindings.js");
  const { log } = core.loadExtScript("ext:nano_workers/globals.js");
  const { forgivingBase64Encode } = core.loadExtScript("ext:deno_web/00_infra.js");
  const { Request } = core.loadExtScript("ext:deno_fetch/23_request.js");
  const { URL } = core.loadExtScript("ext:deno_web/00_url.js");
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");

  const INFO = 1;
  const TOO_MANY = 429;

  /** Checks the options of `limit` as wrangler's simulation does, and returns the key. */
  function keyOf(options) {
    if (typeof options !== "object" || options === null) throw new Error("invalid rate limit options");
    const others = [];
    for (const name of new SafeArrayIterator(ObjectKeys(options))) {
      if (name !== "key") others[others.length] = name;
    }
    if (others.length > 0) throw new Error(`bad rate limit options: [${ArrayPrototypeJoin(others, ",")}]`);
    const { key = "" } = options;
    if (typeof key !== "string") throw new Error(`invalid key: ${key}`);
    return key;
  }

  /** Returns what stands for a key of any length and of any characters in a URL. */
  function digestOf(key) {
    const hasher = op_digest("SHA-256");
    op_digest_update(hasher, core.encode(key));
    return forgivingBase64Encode(new Uint8Array(op_digest_finish(hasher)));
  }

  class RateLimit {
    /** The number of the binding. */
    #number;

    constructor(brand = undefined, number = undefined) {
      if (brand !== webidl.brand) webidl.illegalConstructor();
      this.#number = number;
    }
    async limit(options) {
      const { status } = await fetchFrom(this.#number, new Request(`http://limit/${digestOf(keyOf(options))}`));
      return { success: status !== TOO_MANY };
    }
  }

  /** Converts one of the values of a data point. */
  function toBlob(value) {
    if (value === null || value === undefined) return null;
    if (isAnyArrayBuffer(value)) return forgivingBase64Encode(new Uint8Array(value));
    if (ArrayBufferIsView(value)) {
      return forgivingBase64Encode(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    }
    return String(value);
  }
  const FIELDS = { __proto__: null, indexes: toBlob, blobs: toBlob, doubles: Number };

  class AnalyticsEngine {
    #name;

    constructor(brand = undefined, name = undefined) {
      if (brand !== webidl.brand) webidl.illegalConstructor();
      this.#name = name;
    }
    writeDataPoint(event = undefined) {
      const point = { dataset: this.#name };
      const failed = "Failed to execute 'writeDataPoint' on 'AnalyticsEngine'";
      if (event !== undefined && event !== null && typeof event !== "object") {
        throw new TypeError(`${failed}: parameter 1 is not of type 'AnalyticsEngineEvent'.`);
      }
      for (const { 0: field, 1: convert } of new SafeArrayIterator(ObjectEntries(FIELDS))) {
        const values = event?.[field];
        if (values === undefined || values === null) continue;
        if (!ArrayIsArray(values)) {
          const what = `Incorrect type for the '${field}' field on 'AnalyticsEngineEvent'`;
          throw new TypeError(`${what}: the provided value is not of type 'Array'.`);
        }
        point[field] = ArrayPrototypeMap(values, (value) => convert(value));
      }
      log(`data point ${JSONStringify(point)}\n`, INFO);
    }
  }

  let giveSecret;

  class SecretsStoreSecret {
    #name;
    #value;

    constructor(brand = undefined, name = undefined) {
      if (brand !== webidl.brand) webidl.illegalConstructor();
      this.#name = name;
    }
    async get() {
      if (this.#value === undefined) throw new Error(`Secret "${this.#name}" not found`);
      return this.#value;
    }
    static {
      giveSecret = (secret, value) => {
        if (!(#value in secret)) return false;
        secret.#value = typeof value === "string" ? value : JSONStringify(value);
        return true;
      };
    }
  }

  const PORTS = { __proto__: null, "mysql:": 3306, "postgres:": 5432, "postgresql:": 5432 };
  let giveConnection;

  class Hyperdrive {
    #name;
    #connection;
    #url;

    constructor(brand = undefined, name = undefined) {
      if (brand !== webidl.brand) webidl.illegalConstructor();
      this.#name = name;
    }
    get connectionString() {
      if (this.#connection === undefined) {
        throw new Error(
          `env.${this.#name} has no connection string: set the variable or secret ${this.#name} of the app to one, such as ` +
            "postgres://user:password@host:5432/database, or localConnectionString in the wrangler file",
        );
      }
      return this.#connection;
    }
    /** The parts, which are looked for when one is first asked for. */
    #parts() {
      if (this.#url === undefined) {
        const connection = this.connectionString;
        try {
          this.#url = new URL(connection);
        } catch {
          throw new Error(`env.${this.#name}: its connection string is no URL, such as postgres://user:password@host:5432/database`);
        }
      }
      return this.#url;
    }
    get host() {
      return this.#parts().hostname;
    }
    get port() {
      const { port, protocol } = this.#parts();
      return port === "" ? PORTS[protocol] : Number(port);
    }
    get user() {
      return decodeURIComponent(this.#parts().username);
    }
    get password() {
      return decodeURIComponent(this.#parts().password);
    }
    get database() {
      return decodeURIComponent(StringPrototypeSlice(this.#parts().pathname, 1));
    }
    connect() {
      const { connect } = core.loadExtScript("ext:nano_net/socket.js");
      return connect({ hostname: this.host, port: this.port });
    }
    static {
      giveConnection = (hyperdrive, value) => {
        if (!(#connection in hyperdrive) || typeof value !== "string") return false;
        hyperdrive.#connection = value;
        return true;
      };
    }
  }
  webidl.configureInterface(Hyperdrive);

  /** Gives a binding the variable of its name. Returns whether it takes it; otherwise the variable takes its place. */
  const give = (binding, value) => giveSecret(binding, value) || giveConnection(binding, value);

  /** Returns the object for the binding with this number, which is described by a list. */
  function provided(number, { 0: name, 1: kind, 2: detail, 3: time }) {
    switch (kind) {
      case "rate limit":
        return new RateLimit(webidl.brand, number);
      case "bucket":
        return core.loadExtScript("ext:nano_workers/kv_namespace.js").kvNamespace(number);
      case "dataset":
        return new AnalyticsEngine(webidl.brand, detail);
      case "secret":
        return new SecretsStoreSecret(webidl.brand, name);
      case "hyperdrive":
        return new Hyperdrive(webidl.brand, name);
      case "version":
        return { id: detail, tag: "", timestamp: time };
    }
  }

  return { give, provided };
})();
