// Replaces deno_web's 01_dom_exception.js: DOMException and QuotaExceededError.
// https://webidl.spec.whatwg.org/#idl-exceptions
(function () {
  const { core, primordials } = __bootstrap;
  const {
    Error,
    ErrorPrototype,
    ObjectDefineProperty,
    ObjectHasOwn,
    ObjectSetPrototypeOf,
    RangeError,
    ReflectConstruct,
    Symbol,
    SymbolFor,
  } = primordials;
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
  const { converters } = webidl;

  // The legacy code of each name, and its constant. Some constants no longer have a name.
  const CODES = [
    ["IndexSizeError", "INDEX_SIZE_ERR"],
    [null, "DOMSTRING_SIZE_ERR"],
    ["HierarchyRequestError", "HIERARCHY_REQUEST_ERR"],
    ["WrongDocumentError", "WRONG_DOCUMENT_ERR"],
    ["InvalidCharacterError", "INVALID_CHARACTER_ERR"],
    [null, "NO_DATA_ALLOWED_ERR"],
    ["NoModificationAllowedError", "NO_MODIFICATION_ALLOWED_ERR"],
    ["NotFoundError", "NOT_FOUND_ERR"],
    ["NotSupportedError", "NOT_SUPPORTED_ERR"],
    ["InUseAttributeError", "INUSE_ATTRIBUTE_ERR"],
    ["InvalidStateError", "INVALID_STATE_ERR"],
    ["SyntaxError", "SYNTAX_ERR"],
    ["InvalidModificationError", "INVALID_MODIFICATION_ERR"],
    ["NamespaceError", "NAMESPACE_ERR"],
    ["InvalidAccessError", "INVALID_ACCESS_ERR"],
    [null, "VALIDATION_ERR"],
    ["TypeMismatchError", "TYPE_MISMATCH_ERR"],
    ["SecurityError", "SECURITY_ERR"],
    ["NetworkError", "NETWORK_ERR"],
    ["AbortError", "ABORT_ERR"],
    ["URLMismatchError", "URL_MISMATCH_ERR"],
    ["QuotaExceededError", "QUOTA_EXCEEDED_ERR"],
    ["TimeoutError", "TIMEOUT_ERR"],
    ["InvalidNodeTypeError", "INVALID_NODE_TYPE_ERR"],
    ["DataCloneError", "DATA_CLONE_ERR"],
  ];
  const codes = { __proto__: null };
  for (let i = 0; i < CODES.length; i++) if (CODES[i][0] !== null) codes[CODES[i][0]] = i + 1;

  const _state = Symbol("state");
  const hide = (object, name, value, writable = false) =>
    ObjectDefineProperty(object, name, { __proto__: null, value, writable, enumerable: false, configurable: writable });

  class DOMException {
    constructor(message = "", name = "Error") {
      const prefix = "Failed to construct 'DOMException'";
      message = converters.DOMString(message, prefix, "Argument 1");
      // The second argument may be an options object, as in Node. Libraries rely on it.
      const options = typeof name === "object" && name !== null ? name : { __proto__: null, name };
      name = converters.DOMString(options.name, prefix, "Argument 2");
      // Created as an Error, so that V8 gives it a stack and recognizes it as an error.
      const error = ReflectConstruct(Error, [], new.target);
      hide(error, webidl.brand, webidl.brand);
      hide(error, _state, { __proto__: null, message, name });
      hide(error, core.hostObjectBrand, () => serialize(error));
      if ("cause" in options) hide(error, "cause", options.cause, true);
      return error;
    }
    get name() {
      webidl.assertBranded(this, DOMException.prototype);
      return this[_state].name;
    }
    get message() {
      webidl.assertBranded(this, DOMException.prototype);
      return this[_state].message;
    }
    get code() {
      webidl.assertBranded(this, DOMException.prototype);
      return codes[this[_state].name] ?? 0;
    }
    [SymbolFor("Deno.privateCustomInspect")](inspect, options) {
      return ObjectHasOwn(this, "stack") && typeof this.stack === "string"
        ? this.stack
        : inspect({ name: this.name, message: this.message }, options);
    }
  }
  ObjectSetPrototypeOf(DOMException.prototype, ErrorPrototype);
  webidl.configureInterface(DOMException);
  for (let i = 0; i < CODES.length; i++) {
    const constant = { __proto__: null, value: i + 1, enumerable: true };
    ObjectDefineProperty(DOMException, CODES[i][1], constant);
    ObjectDefineProperty(DOMException.prototype, CODES[i][1], constant);
  }

  const amount = (value, name, prefix) => {
    if (value === undefined) return null;
    const number = converters.double(value, prefix, `'${name}' of Argument 2`);
    if (number < 0) throw new RangeError(`${prefix}: '${name}' is negative`);
    return number;
  };
  const optionsOf = webidl.createDictionaryConverter("QuotaExceededErrorOptions", [
    { key: "quota", converter: converters.any },
    { key: "requested", converter: converters.any },
  ]);

  class QuotaExceededError extends DOMException {
    constructor(message = "", options = { __proto__: null }) {
      const prefix = "Failed to construct 'QuotaExceededError'";
      super(message, "QuotaExceededError");
      const given = optionsOf(options, prefix, "Argument 2");
      const quota = amount(given.quota, "quota", prefix);
      const requested = amount(given.requested, "requested", prefix);
      if (quota !== null && requested !== null && requested < quota) {
        throw new RangeError(`${prefix}: What was requested is less than the quota`);
      }
      this[_state].quota = quota;
      this[_state].requested = requested;
    }
    get quota() {
      webidl.assertBranded(this, QuotaExceededError.prototype);
      return this[_state].quota;
    }
    get requested() {
      webidl.assertBranded(this, QuotaExceededError.prototype);
      return this[_state].requested;
    }
  }
  webidl.configureInterface(QuotaExceededError);

  function serialize(error) {
    const { message, name, quota, requested } = error[_state];
    return { type: "DOMException", message, name, quota, requested, stack: error.stack };
  }
  core.registerCloneableResource("DOMException", ({ message, name, quota, requested, stack }) => {
    const error = quota === undefined ? new DOMException(message, name) : new QuotaExceededError(message);
    if (quota !== undefined) {
      error[_state].quota = quota;
      error[_state].requested = requested;
    }
    hide(error, "stack", stack, true);
    return error;
  });

  return {
    DOMException,
    DOMExceptionPrototype: DOMException.prototype,
    QuotaExceededError,
    QuotaExceededErrorPrototype: QuotaExceededError.prototype,
  };
})();
