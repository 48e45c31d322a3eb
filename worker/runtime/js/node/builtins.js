// The modules of Node by name, as `require` and `import` return them. A module is evaluated when an app first asks for it.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypeFilter,
    ObjectEntries,
    ObjectFromEntries,
    ObjectKeys,
    RegExpPrototypeTest,
  } = primordials;
  const load = core.loadExtScript;
  const own = (script) => load(`ext:nano_node/${script}`);
  const published = (script) => load(`ext:deno_node/${script}`);

  // Removes what would need the host: `path.matchesGlob` needs the file system, `util.queryObjects` a heap snapshot, and
  // `util.parseEnv` and `util.setTraceSigInt` functions of the process.
  function path() {
    const { default: path, posix, win32 } = published("path/mod.ts");
    for (const flavour of [path, posix, win32]) {
      delete flavour.matchesGlob;
    }
    return path;
  }
  function util() {
    const { parseEnv: _env, queryObjects: _objects, setTraceSigInt: _trace, ...util } = published("util.ts");
    return util;
  }

  function constants() {
    const { crypto, os } = published("internal_binding/constants.ts");
    return { ...os.dlopen, ...os.errno, ...os.priority, ...os.signals, ...crypto };
  }

  function zlib() {
    const isOffered = ({ 0: name }) => !RegExpPrototypeTest(/brotli|zstd/i, name);
    return ObjectFromEntries(ArrayPrototypeFilter(ObjectEntries(published("zlib.js")), isOffered));
  }

  const modules = {
    __proto__: null,
    "node:assert": () => published("assert.ts").default,
    "node:assert/strict": () => requireBuiltin("node:assert").strict,
    "node:async_hooks": () => published("async_hooks.ts").default,
    "node:buffer": () => published("internal/buffer.mjs").default,
    "node:console": () => own("console.js"),
    "node:constants": constants,
    "node:crypto": () => own("crypto.js"),
    "node:diagnostics_channel": () => published("diagnostics_channel.js").default,
    "node:events": () => published("_events.mjs").default,
    "node:module": () => own("module.js"),
    "node:os": () => published("os.ts").default,
    "node:path": path,
    "node:path/posix": () => requireBuiltin("node:path").posix,
    "node:path/win32": () => requireBuiltin("node:path").win32,
    "node:perf_hooks": () => own("perf_hooks.js"),
    "node:process": () => own("process.js").process,
    "node:punycode": () => published("punycode.ts").default,
    "node:querystring": () => published("querystring.js").default,
    "node:stream": () => published("stream.ts").default,
    "node:stream/consumers": () => published("stream/consumers.js"),
    "node:stream/promises": () => published("stream/promises.js").default,
    "node:stream/web": () => published("stream/web.js"),
    "node:string_decoder": () => published("string_decoder.ts").default,
    "node:timers": () => own("timers.js"),
    "node:timers/promises": () => requireBuiltin("node:timers").promises,
    "node:tty": () => own("tty.js"),
    "node:url": () => published("url.ts"),
    "node:util": util,
    "node:util/types": () => requireBuiltin("node:util").types,
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
    return { ...exports, default: exports };
  }

  return { namespace, names: ObjectKeys(modules), requireBuiltin };
})();
