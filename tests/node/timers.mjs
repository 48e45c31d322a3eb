// timers, timers/promises, process.nextTick: when things happen. Only order is looked at, never time.
import timers, { clearImmediate, clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } from "node:timers";
import * as promises from "node:timers/promises";
import process from "node:process";

export default async function (is, throws) {
  const order = [];
  const done = new Promise((resolve) => setTimeout(resolve, 20));
  setImmediate((what) => order.push(what), "immediate");
  process.nextTick((what) => order.push(what), "tick");
  queueMicrotask(() => order.push("microtask"));
  process.nextTick(() => process.nextTick(() => order.push("tick of a tick")));
  order.push("now");
  await done;
  // It comes behind the other one.
  await new Promise((resolve) => setImmediate(resolve));
  is("what runs runs through", order[0], "now");
  is("all of it runs", [...order].sort(), ["immediate", "microtask", "now", "tick", "tick of a tick"]);
  is("ticks keep their order", order.indexOf("tick") < order.indexOf("tick of a tick"), true);
  is("immediates come last", order.at(-1), "immediate");

  const timeout = setTimeout(() => order.push("never"), 5);
  is("Timeout", [timeout.hasRef(), timeout.unref().hasRef(), timeout.ref().hasRef(), timeout.refresh() === timeout, typeof +timeout, timeout.constructor.name], [true, false, true, true, "number", "Timeout"]);
  clearTimeout(timeout);
  const immediate = setImmediate(() => order.push("never"));
  is("Immediate", [immediate.hasRef(), immediate.unref().hasRef()], [true, false]);
  clearImmediate(immediate);
  is("arguments of a timer", await new Promise((resolve) => setTimeout((...args) => resolve(args), 1, 1, 2)), [1, 2]);
  let ticks = 0;
  await new Promise((resolve) => { const interval = setInterval(() => { if (++ticks === 3) { clearInterval(interval); resolve(); } }, 1); });
  is("interval", ticks, 3);
  clearTimeout(+setTimeout(() => order.push("never"), 1));
  clearTimeout(undefined);
  is("promised timeout", await promises.setTimeout(1, "value"), "value");
  is("promised immediate", await promises.setImmediate("soon"), "soon");
  const values = [];
  for await (const value of promises.setInterval(1, "again")) {
    values.push(value);
    if (values.length === 2) break;
  }
  is("promised interval", values, ["again", "again"]);
  const controller = new AbortController();
  const aborted = promises.setTimeout(1e6, undefined, { signal: controller.signal }).catch((error) => [error.name, error.code]);
  controller.abort();
  is("aborted timeout", await aborted, ["AbortError", "ABORT_ERR"]);
  await promises.scheduler.wait(1);
  await promises.scheduler.yield();
  is("nothing cleared has run", order.includes("never"), false);
  is("names", [timers.promises.setTimeout === promises.setTimeout, globalThis.setImmediate === setImmediate, globalThis.clearImmediate === clearImmediate], [true, true, true]);
  throws("a timer needs a function", () => setTimeout("code"), "TypeError", "ERR_INVALID_ARG_TYPE");
  throws("so does a tick", () => process.nextTick(1), "TypeError", "ERR_INVALID_ARG_TYPE");
}
