// Replaces deno_web's 01_broadcast_channel.js: channels by name within one worker.
// https://html.spec.whatwg.org/#broadcasting-to-other-browsing-contexts
(function () {
  const { core, primordials } = __bootstrap;
  const { ArrayPrototypeFilter, ArrayPrototypePush } = primordials;
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
  const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
  const { defer } = core.loadExtScript("ext:deno_web/02_timers.js");
  const { dispatch, EventTarget, inspectable, setIsTrusted } = core.loadExtScript("ext:nano_platform/event.js");
  const { MessageEvent } = core.loadExtScript("ext:nano_platform/event_types.js");
  const { defineEventHandler } = core.loadExtScript("ext:nano_platform/event_handlers.js");
  const { clone, markNotSerializable } = core.loadExtScript("ext:nano_platform/structured_clone.js");

  let open = [];

  class BroadcastChannel extends EventTarget {
    #name;
    #closed = false;

    constructor(name) {
      const prefix = "Failed to construct 'BroadcastChannel'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      super();
      this.#name = webidl.converters.DOMString(name, prefix, "Argument 1");
      ArrayPrototypePush(open, this);
    }
    get name() {
      return this.#name;
    }
    postMessage(message) {
      const name = this.#name;
      const prefix = "Failed to execute 'postMessage' on 'BroadcastChannel'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      if (this.#closed) throw new DOMException(`${prefix}: The channel is closed`, "InvalidStateError");
      // One clone more than there are receivers: without any, a message that cannot be cloned is refused as well.
      let data = clone(message);
      for (let i = 0; i < open.length; i++) {
        const receiver = open[i];
        if (receiver === this || receiver.#name !== name) continue;
        receiver.#receive(data);
        data = clone(message);
      }
    }
    #receive(data) {
      defer(() => {
        if (this.#closed) return;
        const event = new MessageEvent("message", { __proto__: null, data, origin: "null" });
        setIsTrusted(event, true);
        dispatch(this, event);
      });
    }
    close() {
      this.#closed = true;
      open = ArrayPrototypeFilter(open, (channel) => channel !== this);
    }
  }
  defineEventHandler(BroadcastChannel.prototype, "message");
  defineEventHandler(BroadcastChannel.prototype, "messageerror");
  webidl.configureInterface(BroadcastChannel);
  inspectable(BroadcastChannel, ["name", "onmessage", "onmessageerror"]);
  markNotSerializable(BroadcastChannel.prototype);

  return { BroadcastChannel };
})();
