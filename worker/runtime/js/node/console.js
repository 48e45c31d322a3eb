// node:console: the console that apps have as a global, with the class for consoles that write elsewhere.
(function () {
  const { core, primordials } = __bootstrap;
  const { ObjectDefineProperty } = primordials;
  const { console } = globalThis;
  const { Console } = core.loadExtScript("ext:deno_node/internal/console/constructor.mjs");
  ObjectDefineProperty(console, "Console", core.propWritable(Console));
  return console;
})();
