// What the scripts of third_party/workerd import besides each other, by the names of Workers' modules: Node's library, the files and
// the sockets of the app. Each part is loaded when a script first asks for it.
(function () {
  const { core, primordials } = __bootstrap;
  const { ArrayBufferIsView, Error, StringPrototypeLastIndexOf, StringPrototypeSlice, TypedArrayPrototypeGetSymbolToStringTag } =
    primordials;
  const load = core.loadExtScript;
  const published = (script) => load(`ext:deno_node/${script}`);
  const streams = () => published("stream.ts").default;

  /** The codes of failures that Node's errors tell all about. The others have a reason, which only the error itself says. */
  const TOLD = {
    __proto__: null, ECONNREFUSED: 1, ECONNRESET: 1, EAI_AGAIN: 1, EHOSTUNREACH: 1, ENETUNREACH: 1, ENOTFOUND: 1, EPIPE: 1, ETIMEDOUT: 1,
  };

  /** Loaded when an app first connects, because HTTP imports them, too. */
  const socket = () => load("ext:nano_net/socket.js");

  function sockets() {
    const failed = (kind) => (of) => {
      const code = socket().failureOf(of, kind);
      return code in TOLD ? code : undefined;
    };
    return {
      connect(address, options) {
        const at = StringPrototypeLastIndexOf(address, ":");
        const host = StringPrototypeSlice(address, 0, at);
        const hostname = StringPrototypeLastIndexOf(host, ":") === -1 ? host : `[${host}]`;
        return socket().connect({ hostname, port: StringPrototypeSlice(address, at + 1) }, options);
      },
      getConnectFailureCode: failed("connect"),
      // No name stands for something else than a host.
      getCallerDnsOverride: () => undefined,
      // No connection ever comes to an app.
      getInboundListeners: () => [],
      getReadFailureCode: failed("read"),
      getWriteFailureCode: failed("write"),
    };
  }

  class JSStreamSocket {
    constructor() {
      throw new Error("TLS over a stream that is no socket is not available in a worker: pass a net.Socket, or use tls.connect()");
    }
  }

  return {
    __proto__: null,
    get "cloudflare-internal:filesystem"() {
      return {
        default: {
          ...load("ext:nano_node/files_open.js"),
          ...load("ext:nano_node/files_change.js"),
          ...load("ext:nano_node/files_copy.js"),
        },
      };
    },
    get "cloudflare-internal:sockets"() {
      return { default: sockets() };
    },
    get "node-internal:crypto"() {
      return { default: load("ext:nano_node/crypto_host.js").cryptoImpl };
    },
    get "node-internal:crypto_hash"() {
      return load("ext:nano_node/crypto_digests.js");
    },
    get "node-internal:crypto_hkdf"() {
      return load("ext:nano_node/crypto_digests.js");
    },
    get "node-internal:crypto_pbkdf2"() {
      return load("ext:nano_node/crypto_digests.js");
    },
    get "node-internal:crypto_scrypt"() {
      return load("ext:nano_node/crypto_digests.js");
    },
    // An encoding is compared with this one only.
    "node-internal:buffer": { default: { HEX: "hex" } },
    get "node-internal:events"() {
      return { EventEmitter: published("_events.mjs").EventEmitter };
    },
    "node-internal:internal_assert": {
      ok(value) {
        if (!value) throw new Error("assertion failed");
      },
      strictEqual(actual, expected) {
        if (actual !== expected) throw new Error(`${actual} is not ${expected}`);
      },
    },
    get "node-internal:internal_buffer"() {
      const { default: { Buffer }, kMaxLength } = published("internal/buffer.mjs");
      return { Buffer, kMaxLength };
    },
    get "node-internal:internal_dns"() {
      return load("ext:nano_node/dns_host.js").functions();
    },
    get "node-internal:internal_dns_client"() {
      return load("ext:nano_node/dns_host.js").client;
    },
    get "node-internal:internal_inspect"() {
      return { inspect: published("internal/util/inspect.mjs").inspect };
    },
    get "node-internal:internal_process"() {
      return { nextTick: published("_process/process.ts").nextTick };
    },
    "node-internal:internal_tls_jsstream": { JSStreamSocket },
    "node-internal:internal_types": {
      isAnyArrayBuffer: core.isAnyArrayBuffer,
      isArrayBuffer: core.isArrayBuffer,
      isArrayBufferView: ArrayBufferIsView,
      isDataView: core.isDataView,
      isUint8Array: (value) => TypedArrayPrototypeGetSymbolToStringTag(value) === "Uint8Array",
    },
    get "node-internal:internal_url"() {
      return published("internal/url.ts");
    },
    get "node-internal:internal_utils"() {
      return {
        callbackify: published("_util/_util_callbackify.js").callbackify,
        normalizeEncoding: published("internal/util.mjs").normalizeEncoding,
      };
    },
    get "node-internal:process"() {
      return { default: { getCwd: load("ext:nano_node/files.js").cwd, shouldThrowOnNotImplementedTlsOption: () => true } };
    },
    get "node-internal:streams_add_abort_signal"() {
      return { addAbortSignal: published("internal/streams/add-abort-signal.js").addAbortSignal };
    },
    get "node-internal:streams_destroy"() {
      return { errorOrDestroy: published("internal/streams/destroy.js").errorOrDestroy };
    },
    get "node-internal:streams_duplex"() {
      return { Duplex: streams().Duplex };
    },
    get "node-internal:streams_end_of_stream"() {
      return { eos: streams().finished };
    },
    get "node-internal:streams_readable"() {
      return { Readable: streams().Readable };
    },
    get "node-internal:streams_state"() {
      return { getDefaultHighWaterMark: published("internal/streams/state.js").getDefaultHighWaterMark };
    },
    get "node-internal:streams_transform"() {
      return { Transform: streams().Transform };
    },
    // Imported and not used.
    "node-internal:streams_util": {},
    get "node-internal:streams_writable"() {
      return { Writable: streams().Writable };
    },
    get "node-internal:url"() {
      const { URL } = load("ext:deno_web/00_url.js");
      /** An address as it is compared: in one spelling. */
      const canonicalizeIp = (address) => {
        try {
          const host = StringPrototypeLastIndexOf(address, ":") === -1 ? address : `[${address}]`;
          return new URL(`http://${host}/`).hostname;
        } catch {
          return undefined;
        }
      };
      return { default: { canonicalizeIp } };
    },
  };
})();
