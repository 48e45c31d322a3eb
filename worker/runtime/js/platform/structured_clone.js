// Structured clones with transfer. https://html.spec.whatwg.org/#structured-data
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayBufferPrototypeGetDetached,
    ArrayPrototypeIncludes,
    ArrayPrototypeMap,
    ArrayPrototypePush,
    ObjectDefineProperty,
    ObjectHasOwn,
    SymbolIterator,
    TypeError,
  } = primordials;
  const { isArrayBuffer } = core;
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
  const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
  const { converters } = webidl;

  const cannot = (message) => new DOMException(message, "DataCloneError");
  const refuse = (message) => {
    throw cannot(message);
  };

  /** Marks objects that V8 must refuse unless they are transferred. Otherwise it would clone them as empty objects. */
  function markNotSerializable(prototype) {
    if (ObjectHasOwn(prototype, core.hostObjectBrand)) return;
    ObjectDefineProperty(prototype, core.hostObjectBrand, {
      __proto__: null,
      value: "platform object",
      configurable: true,
      writable: true,
    });
  }

  converters.StructuredSerializeOptions = webidl.createDictionaryConverter("StructuredSerializeOptions", [
    {
      key: "transfer",
      converter: converters["sequence<object>"],
      get defaultValue() {
        return [];
      },
    },
  ]);

  /** Reads the transfer list of `postMessage()`, which is passed as a list or as a member of the options. */
  function transferOf(transferOrOptions, prefix) {
    if (transferOrOptions === undefined || transferOrOptions === null) return [];
    const isObject = typeof transferOrOptions === "object" || typeof transferOrOptions === "function";
    if (isObject && transferOrOptions[SymbolIterator] !== undefined && transferOrOptions[SymbolIterator] !== null) {
      return converters["sequence<object>"](transferOrOptions, prefix, "Argument 2");
    }
    return converters.StructuredSerializeOptions(transferOrOptions, prefix, "Argument 2").transfer;
  }

  /** Sorts a transfer list into buffers and other objects. Throws if an item cannot be transferred. */
  function sort(transfer) {
    const buffers = [];
    const objects = [];
    for (let i = 0; i < transfer.length; i++) {
      const item = transfer[i];
      const list = isArrayBuffer(item) ? buffers : objects;
      if (ArrayPrototypeIncludes(list, item)) refuse(`Item ${i} of the transfer list is in it twice`);
      if (list === buffers) {
        if (ArrayBufferPrototypeGetDetached(item)) refuse(`Item ${i} of the transfer list is a detached ArrayBuffer`);
      } else if (resourceOf(item) === undefined) {
        refuse(`Item ${i} of the transfer list cannot be transferred`);
      }
      ArrayPrototypePush(list, item);
    }
    return { buffers, objects };
  }

  const resourceOf = (object) => {
    const brand = object[core.hostObjectBrand];
    return typeof brand === "string" ? core.getTransferableResource(brand) : undefined;
  };

  /** Returns a clone of the value, and the new object for each object that was transferred. */
  function cloneAndTransfer(value, transfer) {
    const { buffers, objects } = sort(transfer);
    const options = { hostObjects: objects, transferredArrayBuffers: buffers };
    let bytes;
    try {
      bytes = core.serialize(value, options, refuse);
    } catch (error) {
      // V8 does not release some buffers, such as the memory of a WebAssembly instance.
      throw core.isNativeError(error) && error.message === "item in transferredArrayBuffers is not transferable"
        ? new TypeError("An ArrayBuffer of the transfer list cannot be transferred")
        : error;
    }
    options.hostObjects = ArrayPrototypeMap(objects, (object) => {
      const { receive, send } = resourceOf(object);
      return receive(send(object));
    });
    options.deserializers = core.getCloneableDeserializers();
    return { data: core.deserialize(bytes, options), objects: options.hostObjects };
  }

  function clone(value) {
    if (value === null || (typeof value !== "object" && typeof value !== "function" && typeof value !== "symbol")) {
      return value;
    }
    const bytes = core.serialize(value, undefined, refuse);
    return core.deserialize(bytes, { deserializers: core.getCloneableDeserializers() });
  }

  function structuredClone(value, options = undefined) {
    const prefix = "Failed to execute 'structuredClone'";
    webidl.requiredArguments(arguments.length, 1, prefix);
    if (options === undefined) return clone(value);
    const { transfer } = converters.StructuredSerializeOptions(options, prefix, "Argument 2");
    return transfer.length === 0 ? clone(value) : cloneAndTransfer(value, transfer).data;
  }

  return { cannot, clone, cloneAndTransfer, markNotSerializable, structuredClone, transferOf };
})();
