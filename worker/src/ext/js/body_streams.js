// Bodies of strings and buffers as byte streams, as the fetch standard has them: deno_fetch makes default streams of them,
// on which a BYOB reader cannot be opened. https://fetch.spec.whatwg.org/#concept-bodyinit-extract
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypeFind,
    ObjectDefineProperty,
    ObjectGetOwnPropertyDescriptor,
    ObjectGetOwnPropertySymbols,
    SymbolPrototypeGetDescription,
    TypedArrayPrototypeGetByteLength,
    TypedArrayPrototypeSlice,
  } = primordials;
  const { InnerBody } = core.loadExtScript("ext:deno_fetch/22_body.js");
  const {
    createReadableStream,
    readableByteStreamControllerClose,
    readableByteStreamControllerEnqueue,
    ReadableByteStreamController,
    setUpReadableByteStreamController,
  } = core.loadExtScript("ext:deno_web/06_streams.js");
  const { brand } = core.loadExtScript("ext:deno_webidl/00_webidl.js");

  const nothing = () => {};
  const resolved = async () => {};
  const slotOf = (object, name) =>
    ArrayPrototypeFind(ObjectGetOwnPropertySymbols(object), (slot) => SymbolPrototypeGetDescription(slot) === name);
  const probe = createReadableStream(nothing, nothing, resolved);
  const controllerSlot = slotOf(probe, "[[controller]]");
  const closeRequestedSlot = slotOf(probe[controllerSlot], "[[closeRequested]]");

  // The stream itself stays: deno_fetch remembers by it what it was made of.
  function serveBytes(stream, body) {
    const pull = (controller) => {
      // Enqueueing detaches the buffer, which a clone of the body may share.
      const bytes = typeof body === "string" ? core.encode(body) : TypedArrayPrototypeSlice(body);
      if (TypedArrayPrototypeGetByteLength(bytes) > 0) readableByteStreamControllerEnqueue(controller, bytes);
      readableByteStreamControllerClose(controller);
      // A reader that came with its own buffer is told of the end through its request.
      controller.byobRequest?.respond(0);
      return resolved();
    };
    // The default controller has been started and would pull: as one that closes it does not.
    stream[controllerSlot][closeRequestedSlot] = true;
    stream[controllerSlot] = undefined;
    setUpReadableByteStreamController(stream, new ReadableByteStreamController(brand), nothing, pull, resolved, 0, undefined);
  }

  const { get } = ObjectGetOwnPropertyDescriptor(InnerBody.prototype, "stream");
  ObjectDefineProperty(InnerBody.prototype, "stream", {
    __proto__: null,
    configurable: true,
    get() {
      const before = this.streamOrStatic;
      const stream = get.call(this);
      if (before !== stream && before.consumed === false) serveBytes(stream, before.body);
      return stream;
    },
  });
  return {};
})();
