// ReadableStreamBYOBReader.readAtLeast() of Workers: read() with `min`, in bytes, and with `done` only after the last bytes.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    DataViewPrototypeGetByteLength,
    MathCeil,
    ObjectDefineProperty,
    ReflectApply,
    TypedArrayPrototypeGetByteLength,
    TypedArrayPrototypeGetLength,
    TypedArrayPrototypeGetSymbolToStringTag,
    TypeError,
  } = primordials;
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
  const { ReadableStreamBYOBReader } = core.loadExtScript("ext:deno_web/06_streams.js");
  const { read } = ReadableStreamBYOBReader.prototype;

  const isTyped = (view) => TypedArrayPrototypeGetSymbolToStringTag(view) !== undefined;
  const sizeOf = (view) => isTyped(view) ? TypedArrayPrototypeGetByteLength(view) : DataViewPrototypeGetByteLength(view);

  const { readAtLeast } = {
    async readAtLeast(minBytes, view) {
      const prefix = "Failed to execute 'readAtLeast' on 'ReadableStreamBYOBReader'";
      webidl.assertBranded(this, ReadableStreamBYOBReader.prototype);
      webidl.requiredArguments(arguments.length, 2, prefix);
      const wanted = webidl.converters["long long"](minBytes, prefix, "Argument 1");
      view = webidl.converters.ArrayBufferView(view, prefix, "Argument 2");
      const size = sizeOf(view);
      if (wanted <= 0) throw new TypeError(`${prefix}: ${wanted} bytes cannot be the least to read`);
      if (wanted > size) throw new TypeError(`${prefix}: ${wanted} bytes do not fit in a view of ${size}`);
      const width = isTyped(view) ? size / TypedArrayPrototypeGetLength(view) : 1;
      const { done, value } = await ReflectApply(read, this, [view, { __proto__: null, min: MathCeil(wanted / width) }]);
      return { value, done: done && (value === undefined || sizeOf(value) === 0) };
    },
  };
  ObjectDefineProperty(ReadableStreamBYOBReader.prototype, "readAtLeast", core.propWritable(readAtLeast));
  return {};
})();
