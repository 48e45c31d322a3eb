// Event, EventTarget and dispatch. https://dom.spec.whatwg.org/#events
import { equal, ok, same, throws } from "./harness.js";

/** Dispatches an event to a target whose listeners note what they see. */
function dispatched(add, init = {}) {
  const target = new EventTarget();
  const seen = [];
  add(target, seen);
  const event = new Event("x", init);
  const result = target.dispatchEvent(event);
  return { event, result, seen, target };
}

export default {
  "an event begins with what its constructor was given"() {
    const before = performance.now();
    const event = new Event("name", { bubbles: 1, cancelable: "yes", composed: {} });
    same(
      [event.type, event.bubbles, event.cancelable, event.composed, event.eventPhase, event.isTrusted],
      ["name", true, true, true, 0, false],
    );
    same([event.target, event.currentTarget, event.srcElement, event.composedPath()], [null, null, null, []]);
    same([event.defaultPrevented, event.returnValue, event.cancelBubble], [false, true, false]);
    ok(event.timeStamp >= before && event.timeStamp <= performance.now(), "its timeStamp is not now");
  },
  "a type is converted to a string"() {
    equal(new Event(undefined).type, "undefined");
    equal(new Event(null).type, "null");
    throws(TypeError, () => new Event(Symbol()));
  },
  "a constructor reads members of its dictionary in order"() {
    const read = [];
    const init = new Proxy({}, { get: (_, key) => void read.push(key) });
    new CustomEvent("x", init);
    same(read, ["bubbles", "cancelable", "composed", "detail"]);
    throws(TypeError, () => new Event("x", 1));
    new Event("x", null);
    new Event("x", () => {});
  },
  "the kinds of events have the defaults of their dictionaries"() {
    const custom = new CustomEvent("x");
    equal(custom.detail, null);
    const error = new ErrorEvent("x");
    same([error.message, error.filename, error.lineno, error.colno, error.error], ["", "", 0, 0, undefined]);
    const message = new MessageEvent("x");
    same([message.data, message.origin, message.lastEventId, message.source, message.ports], [null, "", "", null, []]);
    ok(Object.isFrozen(message.ports), "ports are not frozen");
    const progress = new ProgressEvent("x");
    same([progress.lengthComputable, progress.loaded, progress.total], [false, 0, 0]);
    const close = new CloseEvent("x");
    same([close.wasClean, close.code, close.reason], [false, 0, ""]);
  },
  "the kinds of events convert what they are given"() {
    const error = new ErrorEvent("x", { message: 1, filename: "\uD800", lineno: -1, colno: 2 ** 32 + 3, error: "e" });
    same([error.message, error.filename, error.lineno, error.colno, error.error], ["1", "\uFFFD", 2 ** 32 - 1, 3, "e"]);
    const { port1 } = new MessageChannel();
    const message = new MessageEvent("x", { data: 1, origin: 2, lastEventId: 3, source: port1, ports: [port1] });
    same([message.data, message.origin, message.lastEventId], [1, "2", "3"]);
    equal(message.source, port1);
    equal(message.ports[0], port1);
    equal(message.ports, message.ports);
    throws(TypeError, () => new MessageEvent("x", { ports: [{}] }));
    throws(TypeError, () => new MessageEvent("x", { ports: {} }));
    throws(TypeError, () => new MessageEvent("x", { source: {} }));
    equal(new CloseEvent("x", { code: 65537 }).code, 1);
    throws(TypeError, () => new ProgressEvent("x", { loaded: NaN }));
    const promise = Promise.resolve();
    const rejection = new PromiseRejectionEvent("x", { promise, reason: 1 });
    equal(rejection.promise, promise);
    equal(rejection.reason, 1);
    throws(TypeError, () => new PromiseRejectionEvent("x", {}));
    throws(TypeError, () => new PromiseRejectionEvent("x"));
  },
  "init methods start an event anew, but not while it is dispatched"() {
    const event = new Event("old", { bubbles: true, cancelable: true });
    event.preventDefault();
    event.stopPropagation();
    event.initEvent("new");
    same([event.type, event.bubbles, event.cancelable, event.defaultPrevented, event.cancelBubble],
      ["new", false, false, false, false]);
    const custom = new CustomEvent("x");
    custom.initCustomEvent("y", true, true, 5);
    same([custom.type, custom.bubbles, custom.detail], ["y", true, 5]);
    const message = new MessageEvent("x");
    message.initMessageEvent("y", false, true, 1, "o", "id");
    same([message.type, message.cancelable, message.data, message.origin, message.lastEventId], ["y", true, 1, "o", "id"]);
    const { event: during } = dispatched((target) => target.addEventListener("x", (e) => e.initEvent("changed")));
    equal(during.type, "x");
  },
  "at a target, capturing listeners come first"() {
    const { seen } = dispatched((target, seen) => {
      target.addEventListener("x", () => seen.push("bubbling"));
      target.addEventListener("x", () => seen.push("capturing"), true);
      target.addEventListener("x", () => seen.push("capturing too"), { capture: true });
    });
    same(seen, ["capturing", "capturing too", "bubbling"]);
  },
  "during dispatch an event is at its target"() {
    const { event, seen, target } = dispatched((target, seen) =>
      target.addEventListener("x", function (event) {
        const self = this;
        seen.push(
          [event.target, event.currentTarget, event.srcElement, self, event.composedPath()[0]].map((at) => at === target),
          event.eventPhase,
        );
      })
    );
    same(seen, [[true, true, true, true, true], Event.AT_TARGET]);
    equal(event.target, target);
    same([event.currentTarget, event.eventPhase, event.composedPath()], [null, 0, []]);
  },
  "the same listener is added once, per phase"() {
    const { seen } = dispatched((target, seen) => {
      const listener = () => seen.push(1);
      target.addEventListener("x", listener);
      target.addEventListener("x", listener, { once: true, passive: true });
      target.addEventListener("x", listener, true);
    });
    equal(seen.length, 2);
  },
  "once means once"() {
    const { seen, target } = dispatched((target, seen) =>
      target.addEventListener("x", (event) => {
        seen.push(1);
        event.target.dispatchEvent(new Event("x"));
      }, { once: true })
    );
    target.dispatchEvent(new Event("x"));
    equal(seen.length, 1);
  },
  "a removed listener is not called, an added one not for this event"() {
    const { seen } = dispatched((target, seen) => {
      const late = () => seen.push("late");
      const removed = () => seen.push("removed");
      target.addEventListener("x", () => {
        seen.push("first");
        target.removeEventListener("x", removed);
        target.addEventListener("x", late);
      });
      target.addEventListener("x", removed);
    });
    same(seen, ["first"]);
  },
  "removal tells phases apart"() {
    const { seen } = dispatched((target, seen) => {
      const listener = () => seen.push(1);
      target.addEventListener("x", listener, true);
      target.removeEventListener("x", listener);
      target.removeEventListener("x", null);
    });
    equal(seen.length, 1);
  },
  "propagation stops between phases, or at once"() {
    const { seen } = dispatched((target, seen) => {
      target.addEventListener("x", (event) => {
        seen.push(1);
        event.stopPropagation();
      }, true);
      target.addEventListener("x", () => seen.push(2), true);
      target.addEventListener("x", () => seen.push(3));
    });
    same(seen, [1, 2]);
    const { event, seen: atOnce } = dispatched((target, seen) => {
      target.addEventListener("x", (event) => {
        seen.push(1);
        event.stopImmediatePropagation();
      });
      target.addEventListener("x", () => seen.push(2));
    });
    same([atOnce, event.cancelBubble], [[1], false]);
  },
  "an event whose propagation was stopped before reaches nobody"() {
    const target = new EventTarget();
    let called = 0;
    target.addEventListener("x", () => called++);
    const event = new Event("x");
    event.cancelBubble = true;
    target.dispatchEvent(event);
    target.dispatchEvent(event);
    equal(called, 1);
  },
  "only a cancelable event is cancelled, and not by passive listeners"() {
    const cancel = (target) => target.addEventListener("x", (event) => event.preventDefault());
    equal(dispatched(cancel).result, true);
    equal(dispatched(cancel, { cancelable: true }).result, false);
    const passive = dispatched((target) => {
      target.addEventListener("x", (event) => {
        event.preventDefault();
        event.returnValue = false;
      }, { passive: true });
    }, { cancelable: true });
    same([passive.result, passive.event.defaultPrevented], [true, false]);
    const legacy = dispatched((target) => target.addEventListener("x", (event) => event.returnValue = false), {
      cancelable: true,
    });
    same([legacy.result, legacy.event.returnValue], [false, false]);
  },
  "handleEvent is looked up for each event and called on its object"() {
    const seen = [];
    const target = new EventTarget();
    const listener = { handleEvent: 1 };
    target.addEventListener("x", listener);
    listener.handleEvent = function (event) {
      seen.push(this === listener, event.type);
    };
    target.dispatchEvent(new Event("x"));
    same(seen, [true, "x"]);
  },
  "a listener is an object or nothing, options are read in order"() {
    const target = new EventTarget();
    target.addEventListener("x", null);
    target.addEventListener("x", undefined);
    throws(TypeError, () => target.addEventListener("x", 1));
    throws(TypeError, () => target.addEventListener("x"));
    throws(TypeError, () => target.removeEventListener("x"));
    throws(TypeError, () => target.addEventListener("x", null, { signal: null }));
    const read = [];
    target.addEventListener("x", null, new Proxy({}, { get: (_, key) => void read.push(key) }));
    same(read, ["capture", "once", "passive", "signal"]);
  },
  "a signal removes its listeners"() {
    const controller = new AbortController();
    const { seen, target } = dispatched((target, seen) => {
      target.addEventListener("x", () => seen.push(1), { signal: controller.signal });
      target.addEventListener("x", () => seen.push(2), { signal: AbortSignal.abort() });
    });
    controller.abort();
    target.dispatchEvent(new Event("x"));
    same(seen, [1]);
  },
  "an event is dispatched by one at a time"() {
    dispatched((target) =>
      target.addEventListener("x", (event) => throws("InvalidStateError", () => target.dispatchEvent(event)))
    );
    throws(TypeError, () => new EventTarget().dispatchEvent({ type: "x" }));
    throws(TypeError, () => new EventTarget().dispatchEvent(null));
  },
  "the signal's own event is trusted until an app dispatches it again"() {
    const controller = new AbortController();
    const trusted = [];
    let event;
    controller.signal.onabort = (abort) => {
      trusted.push(abort.isTrusted);
      event = abort;
    };
    controller.abort();
    new EventTarget().dispatchEvent(event);
    same([trusted, event.isTrusted], [[true], false]);
  },
  "without a receiver, the functions of EventTarget are those of the global object"() {
    let called = 0;
    const { addEventListener, dispatchEvent, removeEventListener } = EventTarget.prototype;
    const listener = () => called++;
    addEventListener.call(undefined, "own", listener);
    dispatchEvent.call(null, new Event("own"));
    removeEventListener.call(undefined, "own", listener);
    globalThis.dispatchEvent(new Event("own"));
    equal(called, 1);
  },
  "a handler attribute keeps the place where it was first set"() {
    const { port1 } = new MessageChannel();
    const seen = [];
    port1.onmessageerror = () => seen.push("replaced");
    port1.addEventListener("messageerror", () => seen.push("listener"));
    port1.onmessageerror = () => seen.push("handler");
    port1.dispatchEvent(new Event("messageerror"));
    port1.onmessageerror = null;
    port1.dispatchEvent(new Event("messageerror"));
    port1.onmessageerror = () => seen.push("last");
    port1.dispatchEvent(new Event("messageerror"));
    same(seen, ["handler", "listener", "listener", "listener", "last"]);
  },
  "a handler attribute is an object or null, and cancels with false"() {
    const { signal } = new AbortController();
    signal.onabort = 1;
    equal(signal.onabort, null);
    const object = {};
    signal.onabort = object;
    equal(signal.onabort, object);
    signal.dispatchEvent(new Event("abort"));
    signal.onabort = () => false;
    equal(signal.dispatchEvent(new Event("abort", { cancelable: true })), false);
    signal.onabort = () => true;
    equal(signal.dispatchEvent(new Event("abort", { cancelable: true })), true);
  },
  "classes can extend events and targets"() {
    class Own extends EventTarget {
      #count = 0;
      get count() {
        return this.#count;
      }
      constructor() {
        super();
        this.addEventListener("own", () => this.#count++);
      }
    }
    class OwnEvent extends Event {
      constructor() {
        super("own");
      }
    }
    const target = new Own();
    target.dispatchEvent(new OwnEvent());
    equal(target.count, 1);
  },
};
