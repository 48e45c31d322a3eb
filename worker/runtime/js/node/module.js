// node:module: the list of built-in modules, and `require` for ES modules.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypeFilter,
    ArrayPrototypeIncludes,
    ArrayPrototypeMap,
    Error,
    ObjectAssign,
    StringPrototypeSlice,
    StringPrototypeStartsWith,
  } = primordials;
  const { isOnlyPrefixed, names } = core.loadExtScript("ext:nano_node/builtins.js");
  const { absent } = core.loadExtScript("ext:nano_node/absent.js");

  const PREFIX = "node:";
  const builtinModules = ArrayPrototypeMap(
    ArrayPrototypeFilter(names, (name) => !isOnlyPrefixed(name)),
    (name) => StringPrototypeSlice(name, PREFIX.length),
  );

  function isBuiltin(name) {
    return ArrayPrototypeIncludes(StringPrototypeStartsWith(name, PREFIX) ? names : builtinModules, name);
  }

  function createRequire(filename) {
    return core.loadExtScript("ext:nano_node/commonjs.js").createRequire(filename);
  }

  /** Exists only for its static members. */
  function Module() {
    throw new Error("new Module() is not available: modules come from the app's folder");
  }
  // What the loader of Node has for tools that change it. This loader cannot be changed.
  const tools = absent("module", "modules come from the app's folder, by the rules of its loader", {
    classes: ["SourceMap"],
    functions: [
      "_debug", "_findPath", "_initPaths", "_load", "_nodeModulePaths", "_preloadModules", "_resolveFilename",
      "_resolveLookupPaths", "findPackageJSON", "register", "registerHooks", "runMain", "setSourceMapsSupport",
      "stripTypeScriptTypes", "syncBuiltinESMExports",
    ],
  });
  const constants = {
    __proto__: null,
    compileCacheStatus: { __proto__: null, FAILED: 0, ENABLED: 1, ALREADY_ENABLED: 2, DISABLED: 3 },
  };
  return ObjectAssign(Module, tools, {
    Module,
    _cache: { __proto__: null },
    _extensions: absent("module._extensions", "the loader knows a file by its name", {
      functions: [".js", ".json", ".node"],
    }),
    _pathCache: { __proto__: null },
    builtinModules,
    constants,
    createRequire,
    enableCompileCache: () => ({ status: constants.compileCacheStatus.DISABLED }),
    findSourceMap: () => undefined,
    flushCompileCache: () => {},
    getCompileCacheDir: () => undefined,
    getSourceMapsSupport: () => ({ __proto__: null, enabled: false, nodeModules: false, generatedCode: false }),
    globalPaths: [],
    isBuiltin,
    wrap: (script) => `(function (exports, require, module, __filename, __dirname) { ${script}\n});`,
  });
})();
