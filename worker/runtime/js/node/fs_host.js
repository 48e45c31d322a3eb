// What the scripts of third_party/workerd import besides each other, by the names of Workers' modules: Node's library, and the
// files of the app.
(function () {
  const { core, primordials } = __bootstrap;
  const { ArrayBufferIsView, Error } = primordials;
  const load = core.loadExtScript;
  const published = (script) => load(`ext:deno_node/${script}`);
  const { cwd } = load("ext:nano_node/files.js");
  const { Buffer } = published("internal/buffer.mjs").default;
  const { Readable, Writable, finished } = published("stream.ts").default;
  const { normalizeEncoding } = published("internal/util.mjs");

  return {
    __proto__: null,
    "cloudflare-internal:filesystem": {
      default: {
        ...load("ext:nano_node/files_open.js"),
        ...load("ext:nano_node/files_change.js"),
        ...load("ext:nano_node/files_copy.js"),
      },
    },
    // An encoding is compared with this one only.
    "node-internal:buffer": { default: { HEX: "hex" } },
    "node-internal:events": { EventEmitter: published("_events.mjs").EventEmitter },
    "node-internal:internal_assert": {
      strictEqual(actual, expected) {
        if (actual !== expected) throw new Error(`${actual} is not ${expected}`);
      },
    },
    "node-internal:internal_buffer": { Buffer },
    "node-internal:internal_inspect": { inspect: published("internal/util/inspect.mjs").inspect },
    "node-internal:internal_types": { isArrayBufferView: ArrayBufferIsView },
    "node-internal:internal_url": { toPathIfFileURL: published("internal/url.ts").toPathIfFileURL },
    "node-internal:internal_utils": { normalizeEncoding },
    "node-internal:process": { default: { getCwd: cwd } },
    "node-internal:streams_destroy": { errorOrDestroy: published("internal/streams/destroy.js").errorOrDestroy },
    "node-internal:streams_end_of_stream": { eos: finished },
    "node-internal:streams_readable": { Readable },
    "node-internal:streams_writable": { Writable },
  };
})();
