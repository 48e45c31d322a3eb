// Replaces deno_web's 01_urlpattern.js: URLPattern. The urlpattern crate turns its patterns into regular expressions.
// https://urlpattern.spec.whatwg.org/#urlpattern-class
(function () {
  const { core, primordials } = __bootstrap;
  const { op_urlpattern_parse, op_urlpattern_process_match_input } = core.ops;
  const {
    ArrayPrototypeConcat,
    ArrayPrototypeMap,
    ObjectDefineProperty,
    ObjectPrototypeIsPrototypeOf,
    RegExpPrototypeExec,
    SafeRegExp,
    StringPrototypeReplaceAll,
    StringPrototypeSlice,
    SymbolFor,
    TypeError,
    Uint32Array,
  } = primordials;
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
  const { markNotSerializable } = core.loadExtScript("ext:nano_platform/structured_clone.js");
  const { parseComponents } = core.loadExtScript("ext:deno_web/00_url.js");
  const { converters } = webidl;
  const { boolean, USVString } = converters;

  const COMPONENTS = ["protocol", "username", "password", "hostname", "port", "pathname", "search", "hash"];

  // An app may have changed what a spread of an array does before this runs.
  const initOf = webidl.createDictionaryConverter(
    "URLPatternInit",
    ArrayPrototypeMap(COMPONENTS, (key) => ({ key, converter: USVString })),
    [{ key: "baseURL", converter: USVString }],
  );
  const optionsOf = webidl.createDictionaryConverter("URLPatternOptions", [
    { key: "ignoreCase", converter: boolean, defaultValue: false },
  ]);
  const isDictionary = (value) =>
    value === undefined || value === null || typeof value === "object" || typeof value === "function";
  const inputOf = (value, prefix) => (isDictionary(value) ? initOf : USVString)(value, prefix, "Argument 1");

  const ends = new Uint32Array(9);
  // The components of the last URL: one request is often matched against many patterns.
  let lastInput;
  let lastComponents;

  /** Returns the eight components of the URL to match, or null if it is not valid. */
  function componentsOf(input, baseURL) {
    if (typeof input === "string") {
      if (baseURL !== undefined) return parseComponents(input, baseURL);
      if (input !== lastInput) {
        lastComponents = parseComponents(input);
        lastInput = input;
      }
      return lastComponents;
    }
    const joined = op_urlpattern_process_match_input(input, baseURL ?? null, ends);
    if (joined === null) return null;
    return ArrayPrototypeMap(COMPONENTS, (_, i) => StringPrototypeSlice(joined, ends[i], ends[i + 1]));
  }

  /** Compiles an expression in the mode of the standard, or else in the older one that many expressions were written for. */
  function compile(source, ignoreCase) {
    // The crate writes the wildcard of a path segment in the syntax of the older mode.
    const expression = StringPrototypeReplaceAll(source, "[^/]", "[^\\/]");
    try {
      return new SafeRegExp(expression, ignoreCase ? "vi" : "v");
    } catch {
      return new SafeRegExp(source, ignoreCase ? "ui" : "u");
    }
  }

  class URLPattern {
    #components;
    #hasRegExpGroups;

    constructor() {
      const prefix = "Failed to construct 'URLPattern'";
      let input = arguments[0];
      let baseURL;
      let options = arguments[1];
      if (arguments.length > 2 || !isDictionary(options)) {
        input = inputOf(input, prefix);
        baseURL = USVString(options, prefix, "Argument 2");
        options = optionsOf(arguments[2], prefix, "Argument 3");
      } else {
        input = inputOf(input, prefix);
        options = optionsOf(options, prefix, "Argument 2");
      }
      const parsed = op_urlpattern_parse(input, baseURL, options);
      this.#hasRegExpGroups = parsed.hasRegexpGroups;
      this.#components = ArrayPrototypeMap(COMPONENTS, (name) => {
        const { groupNameList, patternString, regexpString } = parsed[name];
        try {
          return { groupNameList, patternString, regexp: compile(regexpString, options.ignoreCase) };
        } catch (error) {
          throw new TypeError(`${prefix}: ${name} is invalid; ${error.message}`);
        }
      });
    }
    get protocol() {
      return this.#components[0].patternString;
    }
    get username() {
      return this.#components[1].patternString;
    }
    get password() {
      return this.#components[2].patternString;
    }
    get hostname() {
      return this.#components[3].patternString;
    }
    get port() {
      return this.#components[4].patternString;
    }
    get pathname() {
      return this.#components[5].patternString;
    }
    get search() {
      return this.#components[6].patternString;
    }
    get hash() {
      return this.#components[7].patternString;
    }
    get hasRegExpGroups() {
      return this.#hasRegExpGroups;
    }
    test(input = { __proto__: null }, baseURL = undefined) {
      const components = this.#components;
      const prefix = "Failed to execute 'test' on 'URLPattern'";
      input = inputOf(input, prefix);
      if (baseURL !== undefined) baseURL = USVString(baseURL, prefix, "Argument 2");
      const parts = componentsOf(input, baseURL);
      if (parts === null) return false;
      for (let i = 0; i < parts.length; i++) {
        if (RegExpPrototypeExec(components[i].regexp, parts[i]) === null) return false;
      }
      return true;
    }
    exec(input = { __proto__: null }, baseURL = undefined) {
      const components = this.#components;
      const prefix = "Failed to execute 'exec' on 'URLPattern'";
      input = inputOf(input, prefix);
      if (baseURL !== undefined) baseURL = USVString(baseURL, prefix, "Argument 2");
      const parts = componentsOf(input, baseURL);
      if (parts === null) return null;
      const given = typeof input === "string" ? input : { ...input };
      const result = { inputs: baseURL === undefined ? [given] : [given, baseURL] };
      for (let i = 0; i < parts.length; i++) {
        const { groupNameList, regexp } = components[i];
        const match = RegExpPrototypeExec(regexp, parts[i]);
        if (match === null) return null;
        const groups = {};
        for (let j = 0; j < groupNameList.length; j++) {
          const value = match[j + 1];
          ObjectDefineProperty(groups, groupNameList[j], {
            __proto__: null,
            value,
            configurable: true,
            enumerable: true,
            writable: true,
          });
        }
        result[COMPONENTS[i]] = { input: parts[i], groups };
      }
      return result;
    }
  }
  webidl.configureInterface(URLPattern);
  markNotSerializable(URLPattern.prototype);

  ObjectDefineProperty(URLPattern.prototype, SymbolFor("Deno.privateCustomInspect"), {
    __proto__: null,
    configurable: true,
    writable: true,
    value(inspect, options) {
      const { createFilteredInspectProxy } = core.loadExtScript("ext:deno_web/01_console.js");
      const evaluate = ObjectPrototypeIsPrototypeOf(URLPattern.prototype, this);
      const keys = ArrayPrototypeConcat(COMPONENTS, "hasRegExpGroups");
      return inspect(createFilteredInspectProxy({ object: this, evaluate, keys }), options);
    },
  });

  return { URLPattern };
})();
