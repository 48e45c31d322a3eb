// node:console: the global console of apps, and the class for consoles that write to other streams.
(function () {
  const { core, primordials } = __bootstrap;
  const { ObjectDefineProperty } = primordials;
  const { console } = globalThis;
  const { Console } = core.loadExtScript("ext:deno_node/internal/console/constructor.mjs");
  ObjectDefineProperty(console, "Console", core.propWritable(Console));
  return console;
})();
