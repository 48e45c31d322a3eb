// node:console: the global console of apps, and the class for consoles that write to other streams.
(function () {
  const { core, primordials } = __bootstrap;
  const { ObjectDefineProperty } = primordials;
  const { console } = globalThis;
  const { Console } = core.loadExtScript("ext:deno_node/internal/console/constructor.mjs");
  ObjectDefineProperty(console, "Console", core.propWritable(Console));
  // As in V8's own console, for its inspector, of which there is none: a context is a console, a task is a function that runs.
  ObjectDefineProperty(console, "context", core.propWritable(() => console));
  ObjectDefineProperty(console, "createTask", core.propWritable(() => ({ run: (action) => action() })));
  return console;
})();
