// node:util: the library's functions without those that need a heap snapshot, and those that Workers have besides.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    Error,
    ErrorPrototype,
    ObjectAssign,
    ObjectPrototypeIsPrototypeOf,
    RegExpPrototypeExec,
    RegExpPrototypeTest,
    SafeRegExp,
    StringPrototypeReplaceAll,
    StringPrototypeSlice,
    StringPrototypeTrim,
  } = primordials;
  const published = (script) => core.loadExtScript(`ext:deno_node/${script}`);
  const { absent } = core.loadExtScript("ext:nano_node/absent.js");
  const { queryObjects: _objects, ...util } = published("util.ts");
  const { validateString } = published("internal/validators.mjs");
  const { Buffer } = published("internal/buffer.mjs");

  /** Reads the text of a file of variables, as `.env`. */
  function parseEnv(content) {
    validateString(content, "content");
    const line = new SafeRegExp(
      "^[^\\S\\r\\n]*(?:export[^\\S\\r\\n]+)?([\\w.-]+)[^\\S\\r\\n]*=[^\\S\\r\\n]*" +
        "('[^']*'|\"[^\"]*\"|`[^`]*`|[^#\\r\\n]*)",
      "gm",
    );
    const variables = {};
    for (let found; (found = RegExpPrototypeExec(line, content)) !== null;) {
      let value = StringPrototypeTrim(found[2]);
      const isQuoted = RegExpPrototypeTest(/^(['"`])[^]*\1$/, value);
      const isDouble = isQuoted && value[0] === '"';
      if (isQuoted) value = StringPrototypeSlice(value, 1, -1);
      variables[found[1]] = isDouble ? StringPrototypeReplaceAll(value, "\\n", "\n") : value;
    }
    return variables;
  }

  // There are no native addons, which alone create external values.
  ObjectAssign(util.types, { isExternal: () => false });

  const is = (type) => (value) => typeof value === type;

  return {
    ...util,
    ...absent("util", "it is internal to Node", { functions: ["_errnoException", "_exceptionWithHostPort"] }),
    // Removed from Node 23.
    getCallSite: util.getCallSites,
    isBoolean: is("boolean"),
    isBuffer: (value) => Buffer.isBuffer(value),
    isDate: util.types.isDate,
    isError: (value) => ObjectPrototypeIsPrototypeOf(ErrorPrototype, value) || util.types.isNativeError(value),
    isFunction: is("function"),
    isNull: (value) => value === null,
    isNullOrUndefined: (value) => value === null || value === undefined,
    isNumber: is("number"),
    isObject: (value) => typeof value === "object" && value !== null,
    isPrimitive: (value) => value === null || (typeof value !== "object" && typeof value !== "function"),
    isRegExp: util.types.isRegExp,
    isString: is("string"),
    isSymbol: is("symbol"),
    isUndefined: is("undefined"),
    parseEnv,
    // There is no signal to trace.
    setTraceSigInt: () => {},
  };
})();
