// Timers, microtasks and base64. https://html.spec.whatwg.org/#timers
import { equal, ok, same, task, throws } from "./harness.js";

export default {
  async "timers run in order of time, then of creation"() {
    const seen = [];
    await new Promise((resolve) => {
      // Far enough apart that a worker which has to wait for a core in between does not change the order.
      setTimeout(() => seen.push("b"), 2500);
      setTimeout(() => seen.push("c"), 2500);
      setTimeout(() => seen.push("a"), -5);
      setTimeout(resolve, 2600);
    });
    same(seen, ["a", "b", "c"]);
  },
  async "microtasks run before timers"() {
    const seen = [];
    setTimeout(() => seen.push("timer"));
    queueMicrotask(() => seen.push("micro"));
    Promise.resolve().then(() => seen.push("promise"));
    await task();
    same(seen, ["micro", "promise", "timer"]);
    throws(TypeError, () => queueMicrotask());
    throws(TypeError, () => queueMicrotask({}));
  },
  async "arguments are passed, this is the global object"() {
    const args = await new Promise((resolve) =>
      setTimeout(function (...args) {
        resolve([this === globalThis, ...args]);
      }, 0, 1, 2)
    );
    same(args, [true, 1, 2]);
  },
  async "what a timer returns stands for a number, and clearing knows both kinds"() {
    let called = 0;
    const timeout = setTimeout(() => called++, 0);
    const interval = setInterval(() => called++, 0);
    ok(timeout > 0 && interval > timeout, `${timeout} and ${interval}`);
    clearInterval(timeout);
    clearTimeout(String(interval));
    clearTimeout(-1);
    clearTimeout();
    clearTimeout({});
    await task();
    await task();
    equal(called, 0);
  },
  async "an interval goes on until it is cleared, even by itself"() {
    let count = 0;
    await new Promise((resolve) => {
      const id = setInterval(() => {
        if (++count === 3) {
          clearInterval(id);
          resolve();
        }
      }, 0);
    });
    await task();
    equal(count, 3);
  },
  async "Node's promisify() knows setTimeout"() {
    equal(await setTimeout[Symbol.for("nodejs.util.promisify.custom")](1, "value"), "value");
  },
  async "delays wrap around"() {
    await new Promise((resolve) => setTimeout(resolve, 2 ** 32));
    await new Promise((resolve) => setTimeout(resolve, "0"));
    await new Promise((resolve) => setTimeout(resolve, NaN));
  },
  "base64 both ways"() {
    equal(btoa("\u0000\u00FF"), "AP8=");
    equal(btoa(undefined), btoa("undefined"));
    throws("InvalidCharacterError", () => btoa("\u0100"));
    for (const [text, wanted] of [["YQ==", "a"], [" Y\tQ\n", "a"], ["YWI", "ab"], ["", ""]]) equal(atob(text), wanted, text);
    for (const text of ["Y", "YQ=", "YQ===", "=", "Y=Q=", "YQ==YQ", "-_", "\u00E9"]) {
      throws("InvalidCharacterError", () => atob(text));
    }
    equal(throws("InvalidCharacterError", () => atob("=")).code, 5);
  },
};
