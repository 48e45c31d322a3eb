// What nobody caught, as events of the global object. https://html.spec.whatwg.org/#runtime-script-errors
import { equal, event, ok, same, task, throws } from "./harness.js";

/** Collects the arguments of the global handler `name` while `action` runs. */
async function caught(name, action, answer) {
  const calls = [];
  globalThis[name] = (...args) => {
    calls.push(args);
    return answer;
  };
  try {
    await action();
    await task();
    await task();
  } finally {
    globalThis[name] = null;
  }
  return calls;
}

const cancel = (event) => event.preventDefault();

async function cancelling(type, action) {
  globalThis.addEventListener(type, cancel);
  try {
    const fired = event(globalThis, type);
    action();
    return await fired;
  } finally {
    globalThis.removeEventListener(type, cancel);
  }
}

export default {
  async "an error of a timer becomes an error event with its place"() {
    const error = new Error("of a timer");
    const event = await cancelling("error", () =>
      setTimeout(() => {
        throw error;
      }));
    ok(event instanceof ErrorEvent, "it is no ErrorEvent");
    same([event.isTrusted, event.cancelable, event.bubbles], [true, true, false]);
    equal(event.error, error);
    ok(event.message.includes("of a timer"), event.message);
    ok(event.filename.endsWith("/global_events.js"), event.filename);
    ok(event.lineno > 0 && event.colno > 0, "it has no place");
  },
  async "errors of microtasks and listeners become error events"() {
    equal((await cancelling("error", () => queueMicrotask(() => {
      throw 1;
    }))).error, 1);
    const target = new EventTarget();
    target.addEventListener("x", () => {
      throw "of a listener";
    });
    let result;
    const event = await cancelling("error", () => result = target.dispatchEvent(new Event("x")));
    same([event.error, result], ["of a listener", true]);
    target.addEventListener("y", { handleEvent: 1 });
    ok((await cancelling("error", () => target.dispatchEvent(new Event("y")))).error instanceof TypeError, "handleEvent");
  },
  async "reportError reports what it is given, without looking into it"() {
    for (const value of [1, undefined, null, "text", Symbol("s"), new TypeError("e")]) {
      const event = await cancelling("error", () => reportError(value));
      equal(event.error, value);
      ok(event.message !== "", "its message is empty");
    }
    await cancelling("error", () =>
      reportError({
        get name() {
          throw "name was read";
        },
        get message() {
          throw "message was read";
        },
        get stack() {
          throw "stack was read";
        },
      }));
    throws(TypeError, () => reportError());
  },
  async "onerror takes five arguments and cancels with true"() {
    const error = new RangeError("five");
    let event;
    globalThis.addEventListener("error", (last) => event = last, { once: true });
    const [args] = await caught("onerror", () => reportError(error), true);
    equal(args.length, 5);
    same(args.slice(0, 4).map((arg) => typeof arg), ["string", "string", "number", "number"]);
    equal(args[4], error);
    equal(event.defaultPrevented, true);
    const [plain] = await caught("onerror", () => globalThis.dispatchEvent(new Event("error")), true);
    equal(plain.length, 1);
  },
  async "an error of an error listener is not reported to it again"() {
    const calls = await caught("onerror", () => {
      globalThis.addEventListener("error", cancel);
      globalThis.addEventListener("error", () => {
        throw new Error("of an error listener");
      }, { once: true });
      reportError(1);
      globalThis.removeEventListener("error", cancel);
    });
    equal(calls.length, 1);
  },
  async "a rejection nobody handles becomes an event"() {
    let promise;
    const event = await cancelling("unhandledrejection", () => promise = Promise.reject("reason"));
    ok(event instanceof PromiseRejectionEvent, "it is no PromiseRejectionEvent");
    equal(event.promise, promise);
    same([event.reason, event.isTrusted, event.cancelable], ["reason", true, true]);
  },
  async "a rejection handled in time becomes none"() {
    const calls = await caught("onunhandledrejection", async () => {
      const promise = Promise.reject(1);
      await Promise.resolve();
      promise.catch(() => {});
    });
    equal(calls.length, 0);
  },
  async "a rejection handled late becomes an event unless it was cancelled"() {
    const late = async () => {
      const fired = event(globalThis, "unhandledrejection");
      const promise = Promise.reject("late");
      await fired;
      promise.catch(() => {});
      return promise;
    };
    let promise;
    const calls = await caught("onrejectionhandled", () => late().catch(() => {}));
    equal(calls.length, 1);
    same([calls[0][0].type, calls[0][0].reason, calls[0][0].cancelable], ["rejectionhandled", "late", false]);
    globalThis.addEventListener("unhandledrejection", cancel);
    const none = await caught("onrejectionhandled", () => late().catch(() => {}));
    globalThis.removeEventListener("unhandledrejection", cancel);
    equal(none.length, 0);
  },
};
