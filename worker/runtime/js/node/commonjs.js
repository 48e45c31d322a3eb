// CommonJS: modules, require(), and the values that ES modules import from them. For each CommonJS module, the loader
// creates an ES module that calls `evaluate`.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypePush,
    Error,
    JSONParse,
    ObjectHasOwn,
    ObjectPrototypeIsPrototypeOf,
    ReflectApply,
    StringPrototypeEndsWith,
    StringPrototypeLastIndexOf,
    StringPrototypeSlice,
    StringPrototypeStartsWith,
    SyntaxError,
    TypeError,
    TypedArrayPrototypeGetBuffer,
    decodeURIComponent,
  } = primordials;
  const {
    op_compile_error,
    op_import_sync,
    op_require_bytes,
    op_require_kind,
    op_require_resolve,
    op_require_text,
    op_require_url,
    op_set_format_exception_callback,
  } = core.ops;
  const { requireBuiltin } = core.loadExtScript("ext:nano_node/builtins.js");
  const { URL, URLPrototype } = core.loadExtScript("ext:deno_web/00_url.js");

  // Values of RequiredKind.
  const COMMON_JS = 0;
  const ES_MODULE = 1;
  const JSON_TEXT = 2;
  const TEXT = 3;
  const WASM = 4;

  const PARAMETERS = ["exports", "require", "module", "__filename", "__dirname"];

  // Modules by file name. Apps see this object as `require.cache` and may delete entries from it.
  const cache = { __proto__: null };

  function folderOf(filename) {
    return StringPrototypeSlice(filename, 0, StringPrototypeLastIndexOf(filename, "/")) || "/";
  }

  function nodeModulesAbove(folder) {
    const paths = [];
    for (let at = folder; at !== "/"; at = folderOf(at)) {
      if (!StringPrototypeEndsWith(at, "/node_modules")) ArrayPrototypePush(paths, `${at}/node_modules`);
    }
    ArrayPrototypePush(paths, "/node_modules");
    return paths;
  }

  class Module {
    constructor(filename, parent) {
      this.id = filename;
      this.path = folderOf(filename);
      this.exports = {};
      this.filename = filename;
      this.loaded = false;
      this.children = [];
      this.paths = nodeModulesAbove(this.path);
      this.parent = parent;
    }
    require(specifier) {
      return load(specifier, this);
    }
  }

  function checkSpecifier(specifier) {
    if (typeof specifier !== "string" || specifier === "") {
      throw new TypeError("require() takes the name of a module: a string that is not empty");
    }
  }

  function load(specifier, parent) {
    checkSpecifier(specifier);
    const found = op_require_resolve(specifier, parent.filename);
    if (found === "") return {};
    if (!StringPrototypeStartsWith(found, "/")) {
      const builtin = requireBuiltin(found);
      if (builtin !== undefined) return builtin;
      throw new Error(`"${found}" is an ES module without a form for require(): use import`);
    }
    const loaded = cache[found];
    const module = loaded ?? loadFile(found, parent);
    if (loaded === undefined) ArrayPrototypePush(parent.children, module);
    return module.exports;
  }

  function loadFile(filename, parent) {
    const module = new Module(filename, parent);
    cache[filename] = module;
    let complete = false;
    try {
      fill(module);
      complete = true;
    } finally {
      // As in Node.js: after a failure, the next require() runs the module again.
      if (!complete) delete cache[filename];
    }
    module.loaded = true;
    return module;
  }

  function fill(module) {
    const { filename } = module;
    switch (op_require_kind(filename)) {
      case COMMON_JS:
        return run(module);
      case ES_MODULE:
        module.exports = importNow(filename);
        return;
      case JSON_TEXT:
        module.exports = JSONParse(op_require_text(filename));
        return;
      case TEXT:
        module.exports = op_require_text(filename);
        return;
      case WASM:
        module.exports = new globalThis.WebAssembly.Module(op_require_bytes(filename));
        return;
      default:
        module.exports = TypedArrayPrototypeGetBuffer(op_require_bytes(filename));
    }
  }

  function run(module) {
    const { exports, filename } = module;
    const { 0: body, 1: failure } = core.compileFunction(
      op_require_text(filename),
      op_require_url(filename),
      undefined,
      PARAMETERS,
    );
    if (failure !== null) throw new SyntaxError(op_compile_error(failure.thrown));
    ReflectApply(body, exports, [exports, makeRequire(module), module, filename, module.path]);
  }

  // The error that an ES module threw while it was required. deno_core passes on a copy without the stack, but shows the
  // original to the callback that formats exceptions.
  let original = null;
  let watching = false;

  function watchErrors() {
    if (watching) return;
    watching = true;
    op_set_format_exception_callback((error) => {
      original ??= { error };
    });
  }

  function importNow(filename) {
    watchErrors();
    const outer = original;
    original = null;
    try {
      const namespace = op_import_sync(op_require_url(filename));
      return ObjectHasOwn(namespace, "module.exports") ? namespace["module.exports"] : namespace;
    } catch (error) {
      if (original !== null) throw original.error;
      if (StringPrototypeStartsWith(error.message, "Top-level await")) {
        throw new Error(
          `require() cannot wait for the ES module "${filename}", which has a top-level await: use import()`,
        );
      }
      throw error;
    } finally {
      original = outer;
    }
  }

  function makeRequire(module) {
    function require(specifier) {
      return load(specifier, module);
    }
    function resolve(specifier, options) {
      checkSpecifier(specifier);
      const paths = options?.paths;
      if (paths === undefined) return op_require_resolve(specifier, module.filename);
      let failure;
      for (let i = 0; i < paths.length; i++) {
        try {
          return op_require_resolve(specifier, `${paths[i]}/require.js`);
        } catch (error) {
          failure = error;
        }
      }
      throw failure ?? new Error(`cannot find "${specifier}": options.paths is empty`);
    }
    resolve.paths = () => module.paths;
    require.resolve = resolve;
    require.main = undefined;
    require.cache = cache;
    require.extensions = { __proto__: null };
    return require;
  }

  /** Creates a require() that resolves from a file, given as absolute path or as file: URL. */
  function createRequire(from) {
    let filename = from;
    if (ObjectPrototypeIsPrototypeOf(URLPrototype, from) || StringPrototypeStartsWith(`${from}`, "file:")) {
      filename = decodeURIComponent(new URL(from).pathname);
    }
    if (typeof filename !== "string" || !StringPrototypeStartsWith(filename, "/")) {
      throw new TypeError("createRequire() takes an absolute path or a file: URL, such as import.meta.url");
    }
    if (StringPrototypeEndsWith(filename, "/")) filename += "require.js";
    return makeRequire(new Module(filename));
  }

  /** Runs a CommonJS module unless it has run, and returns its exports as `default` and those with the given names. */
  function evaluate(filename, names) {
    const { exports } = cache[filename] ?? loadFile(filename);
    const values = { __proto__: null, default: exports };
    if ((typeof exports === "object" && exports !== null) || typeof exports === "function") {
      for (let i = 0; i < names.length; i++) {
        try {
          values[names[i]] = exports[names[i]];
        } catch {
          // A getter that throws counts as not exported.
        }
      }
    }
    return values;
  }

  return { createRequire, evaluate };
})();
