// Replaces the module that the library calls "process". Of all that it contains, the files in use need only nextTick.
(function () {
  const { enableNextTick, nextTick } = __bootstrap.core.loadExtScript("ext:deno_node/_next_tick.ts");
  enableNextTick();
  return { nextTick };
})();
