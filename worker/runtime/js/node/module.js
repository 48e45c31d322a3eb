// node:module: the list of built-in modules, and `require` for ES modules.
(function () {
  const { core, primordials } = __bootstrap;
  const { ArrayPrototypeIncludes, ArrayPrototypeMap, Error, StringPrototypeSlice, StringPrototypeStartsWith } = primordials;
  const { names } = core.loadExtScript("ext:nano_node/builtins.js");

  const PREFIX = "node:";
  const builtinModules = ArrayPrototypeMap(names, (name) => StringPrototypeSlice(name, PREFIX.length));

  function isBuiltin(name) {
    return ArrayPrototypeIncludes(names, StringPrototypeStartsWith(name, PREFIX) ? name : PREFIX + name);
  }

  function createRequire(filename) {
    return core.loadExtScript("ext:nano_node/commonjs.js").createRequire(filename);
  }

  /** Exists only for its static members. */
  function Module() {
    throw new Error("new Module() is not available: modules come from the app's folder");
  }
  Module.Module = Module;
  Module.builtinModules = builtinModules;
  Module.createRequire = createRequire;
  Module.isBuiltin = isBuiltin;
  return Module;
})();
