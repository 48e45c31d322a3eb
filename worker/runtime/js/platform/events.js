// Replaces deno_web's 02_event.js: exports what its other scripts, deno_fetch and deno_websocket import from there.
(function () {
  const { core, internals } = __bootstrap;
  const event = core.loadExtScript("ext:nano_platform/event.js");
  const types = core.loadExtScript("ext:nano_platform/event_types.js");
  const { defineEventHandler } = core.loadExtScript("ext:nano_platform/event_handlers.js");
  internals.defineEventHandler = defineEventHandler;
  internals.setEventTargetData = event.setEventTargetData;
  return { ...event, ...types, defineEventHandler };
})();
