// URLSearchParams. https://url.spec.whatwg.org/#interface-urlsearchparams
(function () {
  const { core, primordials } = __bootstrap;
  const { op_url_parse_search_params, op_url_stringify_search_params } = core.ops;
  const {
    ArrayPrototypeFilter,
    ArrayPrototypeFind,
    ArrayPrototypeJoin,
    ArrayPrototypeMap,
    ArrayPrototypePush,
    ArrayPrototypeSome,
    ArrayPrototypeSort,
    ObjectDefineProperty,
    ReflectOwnKeys,
    StringPrototypeSlice,
    Symbol,
    SymbolFor,
    SymbolIterator,
    TypeError,
  } = primordials;
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
  const { converters } = webidl;
  const { USVString } = converters;

  const _list = Symbol("list");
  const unset = Symbol("unset");
  let newParams, setParams, onChange;

  const read = (text) => op_url_parse_search_params(text[0] === "?" ? StringPrototypeSlice(text, 1) : text);

  /** Converts `init` to pairs, by the first of its three types that fits. */
  function listOf(init, prefix) {
    if (init === null || (typeof init !== "object" && typeof init !== "function")) {
      return read(USVString(init, prefix, "Argument 1"));
    }
    const iterator = init[SymbolIterator];
    if (iterator !== undefined && iterator !== null) {
      const pairs = converters["sequence<sequence<USVString>>"](init, prefix, "Argument 1");
      for (let i = 0; i < pairs.length; i++) {
        if (pairs[i].length !== 2) {
          throw new TypeError(`${prefix}: Item ${i} of Argument 1 is not a pair of name and value`);
        }
      }
      return pairs;
    }
    const record = converters["record<USVString, USVString>"](init, prefix, "Argument 1");
    return ArrayPrototypeMap(ReflectOwnKeys(record), (name) => [name, record[name]]);
  }

  class URLSearchParams {
    [_list];
    #url = null;

    constructor(init = "") {
      this[webidl.brand] = webidl.brand;
      if (init !== unset) this[_list] = init === "" ? [] : listOf(init, "Failed to construct 'URLSearchParams'");
    }
    #changed() {
      if (this.#url !== null) onChange(this.#url, op_url_stringify_search_params(this[_list]));
    }
    get size() {
      webidl.assertBranded(this, URLSearchParamsPrototype);
      return this[_list].length;
    }
    append(name, value) {
      webidl.assertBranded(this, URLSearchParamsPrototype);
      const prefix = "Failed to execute 'append' on 'URLSearchParams'";
      webidl.requiredArguments(arguments.length, 2, prefix);
      name = USVString(name, prefix, "Argument 1");
      ArrayPrototypePush(this[_list], [name, USVString(value, prefix, "Argument 2")]);
      this.#changed();
    }
    delete(name, value = undefined) {
      webidl.assertBranded(this, URLSearchParamsPrototype);
      const prefix = "Failed to execute 'delete' on 'URLSearchParams'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      name = USVString(name, prefix, "Argument 1");
      if (value !== undefined) value = USVString(value, prefix, "Argument 2");
      const stays = (pair) => pair[0] !== name || (value !== undefined && pair[1] !== value);
      this[_list] = ArrayPrototypeFilter(this[_list], stays);
      this.#changed();
    }
    get(name) {
      webidl.assertBranded(this, URLSearchParamsPrototype);
      const prefix = "Failed to execute 'get' on 'URLSearchParams'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      name = USVString(name, prefix, "Argument 1");
      const found = ArrayPrototypeFind(this[_list], (pair) => pair[0] === name);
      return found === undefined ? null : found[1];
    }
    getAll(name) {
      webidl.assertBranded(this, URLSearchParamsPrototype);
      const prefix = "Failed to execute 'getAll' on 'URLSearchParams'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      name = USVString(name, prefix, "Argument 1");
      return ArrayPrototypeMap(ArrayPrototypeFilter(this[_list], (pair) => pair[0] === name), (pair) => pair[1]);
    }
    has(name, value = undefined) {
      webidl.assertBranded(this, URLSearchParamsPrototype);
      const prefix = "Failed to execute 'has' on 'URLSearchParams'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      name = USVString(name, prefix, "Argument 1");
      if (value !== undefined) value = USVString(value, prefix, "Argument 2");
      const is = (pair) => pair[0] === name && (value === undefined || pair[1] === value);
      return ArrayPrototypeSome(this[_list], is);
    }
    set(name, value) {
      webidl.assertBranded(this, URLSearchParamsPrototype);
      const prefix = "Failed to execute 'set' on 'URLSearchParams'";
      webidl.requiredArguments(arguments.length, 2, prefix);
      name = USVString(name, prefix, "Argument 1");
      value = USVString(value, prefix, "Argument 2");
      const first = ArrayPrototypeFind(this[_list], (pair) => pair[0] === name);
      if (first === undefined) {
        ArrayPrototypePush(this[_list], [name, value]);
      } else {
        first[1] = value;
        this[_list] = ArrayPrototypeFilter(this[_list], (pair) => pair === first || pair[0] !== name);
      }
      this.#changed();
    }
    sort() {
      webidl.assertBranded(this, URLSearchParamsPrototype);
      ArrayPrototypeSort(this[_list], (a, b) => a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0);
      this.#changed();
    }
    toString() {
      webidl.assertBranded(this, URLSearchParamsPrototype);
      return op_url_stringify_search_params(this[_list]);
    }
    static {
      newParams = (url, search) => {
        const params = new URLSearchParams(unset);
        params.#url = url;
        params[_list] = search === "" ? [] : read(search);
        return params;
      };
      setParams = (params, search) => params[_list] = search === "" ? [] : read(search);
    }
  }
  webidl.mixinPairIterable("URLSearchParams", URLSearchParams, _list, 0, 1);
  webidl.configureInterface(URLSearchParams);
  const URLSearchParamsPrototype = URLSearchParams.prototype;
  converters.URLSearchParams = webidl.createInterfaceConverter("URLSearchParams", URLSearchParamsPrototype);

  ObjectDefineProperty(URLSearchParamsPrototype, SymbolFor("Deno.privateCustomInspect"), {
    __proto__: null,
    configurable: true,
    writable: true,
    value(inspect, options) {
      const pairs = ArrayPrototypeMap(
        this[_list],
        (pair) => `${inspect(pair[0], options)} => ${inspect(pair[1], options)}`,
      );
      return pairs.length === 0 ? "URLSearchParams {}" : `URLSearchParams { ${ArrayPrototypeJoin(pairs, ", ")} }`;
    },
  });

  return {
    newParams,
    parseUrlEncoded: (bytes) => op_url_parse_search_params(null, bytes),
    setOnChange: (tell) => onChange = tell,
    setParams,
    URLSearchParams,
  };
})();
