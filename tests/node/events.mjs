// events, diagnostics_channel: who hears what, in which order.
import EventEmitter, { EventEmitterAsyncResource, captureRejectionSymbol, errorMonitor, getEventListeners, on, once } from "node:events";
import { channel, hasSubscribers, subscribe, tracingChannel, unsubscribe } from "node:diagnostics_channel";

export default async function (is, throws) {
  const emitter = new EventEmitter();
  const heard = [];
  emitter.on("a", (x, y) => heard.push(["on", x, y]));
  emitter.prependListener("a", () => heard.push("first"));
  emitter.once("a", () => heard.push("once"));
  is("emit says whether anybody listens", [emitter.emit("a", 1, 2), emitter.emit("a", 3), emitter.emit("b")], [true, true, false]);
  is("order", heard, ["first", ["on", 1, 2], "once", "first", ["on", 3, null]]);
  is("counts", [emitter.listenerCount("a"), emitter.eventNames(), EventEmitter.listenerCount(emitter, "a")], [2, ["a"], 2]);
  is("getEventListeners", getEventListeners(emitter, "a").length, 2);
  emitter.removeAllListeners("a");
  is("removed", emitter.listenerCount("a"), 0);
  throws("an error nobody listens to", () => emitter.emit("error", new RangeError("boom")), "RangeError");
  throws("an error that is none", () => emitter.emit("error", "text"), "Error", "ERR_UNHANDLED_ERROR");
  const seen = [];
  emitter.on(errorMonitor, (error) => seen.push(error.message));
  emitter.on("error", () => seen.push("handled"));
  emitter.emit("error", new Error("watched"));
  is("errorMonitor", seen, ["watched", "handled"]);
  throws("listener must be a function", () => emitter.on("a", 5), "TypeError", "ERR_INVALID_ARG_TYPE");

  const waiting = once(emitter, "later");
  queueMicrotask(() => emitter.emit("later", 42));
  is("once as a promise", await waiting, [42]);
  const failing = once(emitter, "never");
  queueMicrotask(() => emitter.emit("error", new Error("instead")));
  is("once rejects on error", await failing.catch((error) => error.message), "instead");
  const abort = new AbortController();
  const aborted = once(new EventEmitter(), "never", { signal: abort.signal });
  abort.abort();
  is("once can be aborted", await aborted.catch((error) => [error.name, error.code]), ["AbortError", "ABORT_ERR"]);
  const source = new EventEmitter();
  queueMicrotask(() => [1, 2, 3].forEach((value) => source.emit("value", value)));
  const values = [];
  for await (const [value] of on(source, "value")) {
    values.push(value);
    if (value === 3) break;
  }
  is("on as an async iterator", values, [1, 2, 3]);
  const target = new EventTarget();
  const event = once(target, "ping");
  target.dispatchEvent(new Event("ping"));
  is("once of an EventTarget", (await event)[0].type, "ping");
  const capturing = new EventEmitter({ captureRejections: true });
  capturing.on("go", async () => { throw new Error("captured"); });
  const captured = once(capturing, "error").catch((error) => error);
  const rejected = new Promise((resolve) => { capturing[captureRejectionSymbol] = (error) => resolve(error.message); });
  capturing.emit("go");
  is("captureRejections", await rejected, "captured");
  capturing.emit("error", new Error("end"));
  await captured;
  class Own extends EventEmitter {}
  is("can be extended", [new Own() instanceof EventEmitter, new Own().setMaxListeners(3).getMaxListeners(), EventEmitter.defaultMaxListeners], [true, 3, 10]);
  is("default export holds the names", [EventEmitter.EventEmitter === EventEmitter, EventEmitter.once === once], [true, true]);
  is("EventEmitterAsyncResource", typeof new EventEmitterAsyncResource({ name: "Q" }).asyncId, "number");

  const messages = [];
  const listener = (message, name) => messages.push([name, message]);
  is("nobody subscribes", [hasSubscribers("ch"), channel("ch").hasSubscribers], [false, false]);
  subscribe("ch", listener);
  channel("ch").publish({ a: 1 });
  is("published", [messages, hasSubscribers("ch")], [[["ch", { a: 1 }]], true]);
  is("unsubscribed", [unsubscribe("ch", listener), unsubscribe("ch", listener)], [true, false]);
  const trace = [];
  const tracing = tracingChannel("op");
  const note = (what) => () => trace.push(what);
  tracing.subscribe({ start: note("start"), end: note("end"), asyncStart: note("asyncStart"), asyncEnd: note("asyncEnd"), error: note("error") });
  is("traced", [tracing.traceSync((x) => x + 1, {}, null, 1), trace.splice(0)], [2, ["start", "end"]]);
  await tracing.tracePromise(async () => {}, {});
  is("traced promise", trace.splice(0), ["start", "end", "asyncStart", "asyncEnd"]);
}
