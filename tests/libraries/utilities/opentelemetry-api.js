import { context, createContextKey, propagation, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { AsyncLocalStorage } from "node:async_hooks";
import { used } from "../used.js";

const storage = new AsyncLocalStorage();
context.setGlobalContextManager({
  active: () => storage.getStore() ?? ROOT_CONTEXT,
  with: (to, action, self, ...args) => storage.run(to, () => action.apply(self, args)),
  bind: (_, target) => target,
  enable() { return this; },
  disable() { return this; },
});

export default used(async () => {
  const key = createContextKey("user");
  const seen = await context.with(context.active().setValue(key, "ada"), async () => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return context.active().getValue(key);
  });
  const span = trace.wrapSpanContext({ traceId: "1".repeat(32), spanId: "2".repeat(16), traceFlags: 1 });
  const bag = propagation.createBaggage({ a: { value: "1" } });
  return [seen, trace.getSpanContext(trace.setSpan(ROOT_CONTEXT, span)).traceId.length, bag.getEntry("a").value, trace.getTracer("x").startSpan("y").isRecording()];
}, ["ada", 32, "1", false]);
