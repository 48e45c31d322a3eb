// Replaces deno_web's 13_message_port.js: channels between two ports in one isolate. A message is cloned when it is
// posted, and delivered in a task of its own. https://html.spec.whatwg.org/#message-channels
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypeFilter,
    ArrayPrototypeIncludes,
    ArrayPrototypePush,
    ArrayPrototypeShift,
    ObjectPrototypeIsPrototypeOf,
    Symbol,
    SymbolFor,
    ObjectDefineProperty,
  } = primordials;
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
  const { defer } = core.loadExtScript("ext:deno_web/02_timers.js");
  const { dispatch, Event, EventTarget, inspectable, setIsTrusted } = core.loadExtScript("ext:nano_platform/event.js");
  const { MessageEvent } = core.loadExtScript("ext:nano_platform/event_types.js");
  const { defineEventHandler } = core.loadExtScript("ext:nano_platform/event_handlers.js");
  const { cannot, cloneAndTransfer, clone, markNotSerializable, structuredClone, transferOf } = core.loadExtScript(
    "ext:nano_platform/structured_clone.js",
  );

  const made = Symbol("made here");
  let endOf, newPort, send;

  /** One end of a channel. It stays when its port is transferred. */
  class End {
    /** The port that this end belongs to now. */
    port = null;
    /** The other end, or null once the channel is closed. */
    other = null;
    /** Whether messages are delivered. */
    started = false;
    messages = [];

    post(message) {
      ArrayPrototypePush(this.messages, message);
      if (this.started) this.#deliverLater();
    }
    start() {
      if (this.started) return;
      this.started = true;
      for (let i = 0; i < this.messages.length; i++) this.#deliverLater();
    }
    #deliverLater() {
      defer(() => {
        // The end may have been closed, or moved to a port that has not been started.
        if (!this.started || this.messages.length === 0) return;
        const { data, objects } = ArrayPrototypeShift(this.messages);
        const ports = ArrayPrototypeFilter(objects, (object) => ObjectPrototypeIsPrototypeOf(MessagePort.prototype, object));
        const event = new MessageEvent("message", { __proto__: null, data, ports });
        setIsTrusted(event, true);
        dispatch(this.port, event);
      });
    }
    close() {
      this.started = false;
      this.messages = [];
      const other = this.other;
      if (other === null) return;
      this.other = null;
      other.other = null;
      defer(() => {
        const event = new Event("close");
        setIsTrusted(event, true);
        if (other.port !== null) dispatch(other.port, event);
      });
    }
  }

  class MessagePort extends EventTarget {
    /** The port's end. Undefined after the port was transferred or closed. */
    #end;

    constructor() {
      if (arguments[0] !== made) webidl.illegalConstructor();
      super();
      this.#end = arguments[1];
      this.#end.port = this;
      ObjectDefineProperty(this, core.hostObjectBrand, { __proto__: null, value: "MessagePort" });
    }
    postMessage(message, transferOrOptions = undefined) {
      webidl.assertBranded(this, MessagePort.prototype);
      const prefix = "Failed to execute 'postMessage' on 'MessagePort'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      const transfer = transferOf(transferOrOptions, prefix);
      if (ArrayPrototypeIncludes(transfer, this)) throw cannot(`${prefix}: A port cannot transfer itself`);
      const cloned = transfer.length === 0 ? { data: clone(message), objects: [] } : cloneAndTransfer(message, transfer);
      this.#end?.other?.post(cloned);
    }
    start() {
      webidl.assertBranded(this, MessagePort.prototype);
      this.#end?.start();
    }
    close() {
      webidl.assertBranded(this, MessagePort.prototype);
      const end = this.#end;
      this.#end = undefined;
      end?.close();
    }

    static {
      newPort = (end) => new MessagePort(made, end);
      endOf = (port) => port.#end;
      send = (port) => {
        const end = port.#end;
        if (end === undefined) throw cannot("A port that is closed or was transferred before cannot be transferred");
        port.#end = undefined;
        end.port = null;
        end.started = false;
        return end;
      };
    }
  }
  defineEventHandler(MessagePort.prototype, "close");
  defineEventHandler(MessagePort.prototype, "message", (port) => endOf(port)?.start());
  defineEventHandler(MessagePort.prototype, "messageerror");
  webidl.configureInterface(MessagePort);
  inspectable(MessagePort, ["onmessage", "onmessageerror"]);
  core.registerTransferableResource("MessagePort", send, newPort);

  class MessageChannel {
    #port1;
    #port2;
    constructor() {
      const one = new End();
      const two = new End();
      one.other = two;
      two.other = one;
      this.#port1 = newPort(one);
      this.#port2 = newPort(two);
    }
    get port1() {
      return this.#port1;
    }
    get port2() {
      return this.#port2;
    }
  }
  webidl.configureInterface(MessageChannel);
  inspectable(MessageChannel, ["port1", "port2"]);

  return { markNotSerializable, MessageChannel, MessagePort, MessagePortPrototype: MessagePort.prototype, structuredClone };
})();
