// AbortController and AbortSignal. https://dom.spec.whatwg.org/#aborting-ongoing-activities
import { equal, event, ok, same, throws } from "./harness.js";

export default {
  "a controller aborts its signal once"() {
    const controller = new AbortController();
    const { signal } = controller;
    equal(controller.signal, signal);
    const seen = [];
    signal.onabort = (event) => seen.push([event.type, event.target === signal, event.isTrusted, event.bubbles]);
    same([signal.aborted, signal.reason], [false, undefined]);
    controller.abort("first");
    controller.abort("second");
    same([signal.aborted, signal.reason, seen], [true, "first", [["abort", true, true, false]]]);
  },
  "without a reason it is an AbortError"() {
    const controller = new AbortController();
    controller.abort(undefined);
    const { reason } = controller.signal;
    ok(reason instanceof DOMException && reason.name === "AbortError", String(reason));
    equal(reason.code, 20);
    equal(throws("AbortError", () => controller.signal.throwIfAborted()), reason);
    equal(new AbortController().signal.throwIfAborted(), undefined);
  },
  "any reason will do, null as well"() {
    equal(AbortSignal.abort(null).reason, null);
    equal(AbortSignal.abort(null).aborted, true);
    equal(AbortSignal.abort().reason.name, "AbortError");
  },
  async "a timeout aborts with a TimeoutError"() {
    const signal = AbortSignal.timeout(1);
    equal(signal.aborted, false);
    const fired = await event(signal, "abort");
    equal(fired.isTrusted, true);
    equal(signal.reason.name, "TimeoutError");
    throws(TypeError, () => AbortSignal.timeout(-1));
    throws(TypeError, () => AbortSignal.timeout(2 ** 64));
    throws(TypeError, () => AbortSignal.timeout());
  },
  "any() follows the first of many"() {
    const [one, two] = [new AbortController(), new AbortController()];
    const any = AbortSignal.any([one.signal, two.signal]);
    const nested = AbortSignal.any([any]);
    let events = 0;
    nested.addEventListener("abort", () => events++);
    equal(any.aborted, false);
    two.abort("two");
    one.abort("one");
    same([any.reason, nested.reason, events], ["two", "two", 1]);
    equal(AbortSignal.any([]).aborted, false);
    equal(AbortSignal.any([AbortSignal.abort(1), AbortSignal.abort(2)]).reason, 1);
    throws(TypeError, () => AbortSignal.any([{}]));
    throws(TypeError, () => AbortSignal.any());
  },
  "dependent signals are aborted before events fire, sources first"() {
    const controller = new AbortController();
    const dependent = AbortSignal.any([controller.signal]);
    const seen = [];
    controller.signal.addEventListener("abort", () => seen.push("source", dependent.aborted));
    dependent.addEventListener("abort", () => seen.push("dependent"));
    controller.abort();
    same(seen, ["source", true, "dependent"]);
  },
};
