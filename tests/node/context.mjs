// async_hooks: an AsyncLocalStorage is there wherever its code leads, and nowhere else.
import { AsyncLocalStorage, AsyncResource, createHook, executionAsyncId, executionAsyncResource, triggerAsyncId } from "node:async_hooks";
import { EventEmitter, once } from "node:events";
import { Readable, Transform } from "node:stream";
import timers from "node:timers/promises";

export default async function (is, throws) {
  const storage = new AsyncLocalStorage();
  const other = new AsyncLocalStorage();
  const get = () => storage.getStore();
  const within = (act) => storage.run("in", act);
  is("outside", get(), undefined);
  is("run", [within(get), within(() => other.run("o", () => [get(), other.getStore()])), storage.run(1, () => storage.run(2, get))], ["in", ["in", "o"], 2]);
  is("run with arguments", storage.run("x", (a, b) => [a, b], 1, 2), [1, 2]);
  is("exit", within(() => storage.exit(get)), undefined);
  is("await", await within(async () => { await null; await timers.setTimeout(1); return get(); }), "in");
  is("then", await within(() => Promise.resolve().then(get)), "in");
  is("a promise from elsewhere", await (() => { let resolve; const promise = new Promise((done) => { resolve = done; }); const inside = within(() => promise.then(get)); storage.run("resolver", resolve); return inside; })(), "in");
  is("setTimeout", await within(() => new Promise((resolve) => setTimeout(() => resolve(get()), 1))), "in");
  is("setInterval", await within(() => new Promise((resolve) => { const interval = setInterval(() => { clearInterval(interval); resolve(get()); }, 1); })), "in");
  is("setImmediate", await within(() => new Promise((resolve) => setImmediate(() => resolve(get())))), "in");
  is("queueMicrotask", await within(() => new Promise((resolve) => queueMicrotask(() => resolve(get())))), "in");
  is("nextTick", await within(() => new Promise((resolve) => process.nextTick(() => resolve(get())))), "in");
  is("generators", await within(async () => { const seen = []; for await (const _ of (async function* () { yield 1; yield 2; })()) seen.push(get()); return seen; }), ["in", "in"]);
  is("thenables", await within(async () => { await { then: (resolve) => resolve() }; return get(); }), "in");
  const emitter = new EventEmitter();
  const heard = [];
  within(() => emitter.on("e", () => heard.push(get())));
  storage.run("emitting", () => emitter.emit("e"));
  const target = new EventTarget();
  within(() => target.addEventListener("e", () => heard.push(get())));
  storage.run("dispatching", () => target.dispatchEvent(new Event("e")));
  is("listeners run where the event happens", heard, ["emitting", "dispatching"]);
  is("once", await within(async () => { const event = once(emitter, "later"); setTimeout(() => emitter.emit("later"), 1); await event; return get(); }), "in");
  is("ReadableStream", await within(async () => {
    const seen = [];
    const stream = new ReadableStream({ start: () => void seen.push(get()), async pull(controller) { await null; seen.push(get()); controller.close(); } });
    await new Response(stream).text();
    return seen;
  }), ["in", "in"]);
  is("TransformStream", await within(async () => {
    const through = new TransformStream({ transform: (chunk, controller) => controller.enqueue(chunk + get()) });
    return (await ReadableStream.from(["x"]).pipeThrough(through).getReader().read()).value;
  }), "xin");
  is("streams of Node", await within(async () => (await Readable.from(["x"]).pipe(new Transform({ transform: (chunk, _encoding, done) => done(null, chunk + get()) })).toArray()).map(String)), ["xin"]);
  is("MessageChannel keeps what its listener was", await within(() => new Promise((resolve) => { const { port1, port2 } = new MessageChannel(); port1.onmessage = () => { port1.close(); resolve(typeof get()); }; port2.postMessage(1); })), "string");
  is("crypto", await within(async () => { await crypto.subtle.digest("SHA-1", new Uint8Array(1)); return get(); }), "in");
  const bound = within(() => AsyncLocalStorage.bind((value) => [value, get()]));
  const snapshot = within(() => AsyncLocalStorage.snapshot());
  is("bind and snapshot", [bound(1), snapshot((value) => [value, get()], 2), storage.run("there", () => snapshot(get))], [[1, "in"], [2, "in"], "in"]);
  const resource = within(() => new AsyncResource("TEST"));
  is("AsyncResource", [resource.runInAsyncScope(get), resource.runInAsyncScope(function (a) { return [this.b, a]; }, { b: 1 }, 2), typeof resource.asyncId(), resource.bind(get)()], ["in", [1, 2], "number", "in"]);
  class Queue extends AsyncResource { constructor() { super("Queue"); } }
  is("AsyncResource can be extended", within(() => new Queue()).runInAsyncScope(get), "in");
  await (async () => { storage.enterWith("entered"); is("enterWith", get(), "entered"); await null; is("enterWith lasts", get(), "entered"); })();
  is("a throw leaves the context as it was", (() => { try { storage.run("t", () => { throw new Error(); }); } catch { /* expected */ } return get(); })() ?? null, "entered");
  storage.disable();
  is("disable", get(), undefined);
  is("ids", [typeof executionAsyncId(), typeof triggerAsyncId(), typeof executionAsyncResource(), typeof createHook({ init() {} }).enable().disable()], ["number", "number", "object", "object"]);
  throws("bind needs a function", () => AsyncResource.bind(1), "TypeError", "ERR_INVALID_ARG_TYPE");
}
