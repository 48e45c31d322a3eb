// The modules of Node by name, as `require` and `import` return them. A module is evaluated when an app first asks for it.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ObjectFreeze,
    ObjectKeys,
  } = primordials;
  const load = core.loadExtScript;
  const own = (script) => load(`ext:nano_node/${script}`);
  const published = (script) => load(`ext:deno_node/${script}`);
  const ofWorkers = (script) => load(`ext:workerd/${script}`);
  const wholeOfWorkers = (script) => () => ofWorkers(script).default;

  const hostless = (name) => () => own("hostless.js")[name]();
  const hostlessNet = (name) => () => own("hostless_net.js")[name]();
  const partOfStream = (name) => () => requireBuiltin("node:stream")[name];

  // The library's own function needs more of the file system.
  function path() {
    const { default: path, posix, win32 } = published("path/mod.ts");
    posix.matchesGlob = globMatcher(false);
    win32.matchesGlob = globMatcher(true);
    path.matchesGlob = posix.matchesGlob;
    return path;
  }

  function globMatcher(isWindows) {
    return function matchesGlob(path, pattern) {
      const { validateString } = ofWorkers("validators.js");
      validateString(path, "path");
      validateString(pattern, "pattern");
      const { GlobMatcher } = ofWorkers("internal_glob_pattern.js");
      return new GlobMatcher(pattern, isWindows).match(path);
    };
  }

  function constants() {
    const { crypto, os } = published("internal_binding/constants.ts");
    return { ...os.dlopen, ...os.errno, ...os.priority, ...os.signals, ...ofWorkers("internal_fs_constants.js"), ...crypto };
  }

  function zlib() {
    const { ZSTD_ERRORS } = core.loadExtScript("ext:deno_node/_zlib_binding.mjs");
    const library = published("zlib.js");
    const { ZSTD_COMPRESS, ZSTD_DECOMPRESS } = library.constants;
    const constants = ObjectFreeze({ ...library.constants, ZSTD_DECODE: ZSTD_DECOMPRESS, ZSTD_ENCODE: ZSTD_COMPRESS, ...ZSTD_ERRORS });
    return { ...constants, ...library, constants };
  }

  function tlsWrap() {
    const { TLSSocket, connect } = ofWorkers("internal_tls_wrap.js");
    return { TLSSocket, connect };
  }

  function diagnosticsChannel() {
    const { default: channels } = published("diagnostics_channel.js");
    return { ...channels, TracingChannel: channels.tracingChannel("nano.none").constructor };
  }

  /** The export that a module has besides the properties of what `require` gives. */
  const ITSELF = {
    __proto__: null,
    "node:_stream_duplex": "Duplex",
    "node:_stream_passthrough": "PassThrough",
    "node:_stream_readable": "Readable",
    "node:_stream_transform": "Transform",
    "node:_stream_writable": "Writable",
  };
  /** Modules without a name that lacks `node:`. */
  const isOnlyPrefixed = (name) => name === "node:sqlite" || name === "node:test";

  const modules = {
    __proto__: null,
    "node:_http_agent": wholeOfWorkers("_http_agent.js"),
    "node:_http_client": wholeOfWorkers("_http_client.js"),
    "node:_http_common": wholeOfWorkers("_http_common.js"),
    "node:_http_incoming": wholeOfWorkers("_http_incoming.js"),
    "node:_http_outgoing": wholeOfWorkers("_http_outgoing.js"),
    "node:_http_server": wholeOfWorkers("_http_server.js"),
    "node:_stream_duplex": partOfStream("Duplex"),
    "node:_stream_passthrough": partOfStream("PassThrough"),
    "node:_stream_readable": partOfStream("Readable"),
    "node:_stream_transform": partOfStream("Transform"),
    "node:_stream_wrap": hostlessNet("streamWrap"),
    "node:_stream_writable": partOfStream("Writable"),
    "node:_tls_common": () => ({ ...ofWorkers("internal_tls_common.js") }),
    "node:_tls_wrap": tlsWrap,
    "node:assert": () => published("assert.ts").default,
    "node:assert/strict": () => requireBuiltin("node:assert").strict,
    "node:async_hooks": () => published("async_hooks.ts").default,
    "node:buffer": () => published("internal/buffer.mjs").default,
    "node:child_process": hostless("childProcess"),
    "node:cluster": hostless("cluster"),
    "node:console": () => own("console.js"),
    "node:constants": constants,
    "node:crypto": () => own("crypto.js"),
    "node:dgram": hostlessNet("dgram"),
    "node:diagnostics_channel": diagnosticsChannel,
    "node:dns": wholeOfWorkers("dns.js"),
    "node:dns/promises": () => ({ ...ofWorkers("internal_dns_constants.js"), ...ofWorkers("dns_promises.js").default }),
    "node:domain": () => own("domain.js"),
    "node:events": () => published("_events.mjs").default,
    "node:fs": wholeOfWorkers("fs.js"),
    "node:fs/promises": wholeOfWorkers("fs_promises.js"),
    "node:http": wholeOfWorkers("http.js"),
    "node:http2": hostlessNet("http2"),
    "node:https": wholeOfWorkers("https.js"),
    "node:inspector": () => own("hostless.js").inspector("inspector"),
    "node:inspector/promises": () => own("hostless.js").inspector("inspector/promises"),
    "node:module": () => own("module.js"),
    "node:net": wholeOfWorkers("net.js"),
    "node:os": () => published("os.ts").default,
    "node:path": path,
    "node:path/posix": () => requireBuiltin("node:path").posix,
    "node:path/win32": () => requireBuiltin("node:path").win32,
    "node:perf_hooks": () => own("perf_hooks.js"),
    "node:process": () => own("process.js").process,
    "node:punycode": () => published("punycode.ts").default,
    "node:querystring": () => published("querystring.js").default,
    "node:readline": () => published("readline.ts").default,
    "node:readline/promises": () => published("readline/promises.ts").default,
    "node:repl": hostless("repl"),
    "node:sqlite": hostless("sqlite"),
    "node:stream": () => published("stream.ts").default,
    "node:stream/consumers": () => published("stream/consumers.js"),
    "node:stream/promises": () => published("stream/promises.js").default,
    "node:stream/web": () => published("stream/web.js"),
    "node:string_decoder": () => published("string_decoder.ts").default,
    "node:sys": () => requireBuiltin("node:util"),
    "node:test": hostless("test"),
    "node:timers": () => own("timers.js"),
    "node:timers/promises": () => requireBuiltin("node:timers").promises,
    "node:tls": wholeOfWorkers("tls.js"),
    "node:trace_events": hostless("traceEvents"),
    "node:tty": () => own("tty.js"),
    "node:url": () => ({ ...published("url.ts"), toPathIfFileURL: published("internal/url.ts").toPathIfFileURL }),
    "node:util": () => own("util.js"),
    "node:util/types": () => requireBuiltin("node:util").types,
    "node:v8": hostless("v8"),
    "node:vm": wholeOfWorkers("vm.js"),
    "node:wasi": hostless("wasi"),
    "node:worker_threads": hostless("workerThreads"),
    "node:zlib": zlib,
  };
  const loaded = { __proto__: null };

  /** Returns what `require` gives for a module, named without `node:`. Returns undefined if there is no such module. */
  function requireBuiltin(name) {
    if (!(name in modules)) return undefined;
    return loaded[name] ??= modules[name]();
  }

  /** Returns what `import` gives: one export for each property of what `require` gives, and all of it as the default export. */
  function namespace(name) {
    const exports = requireBuiltin(name);
    const namespace = { ...exports, default: exports };
    if (name in ITSELF) namespace[ITSELF[name]] = exports;
    return namespace;
  }

  return { isOnlyPrefixed, namespace, names: ObjectKeys(modules), requireBuiltin };
})();
