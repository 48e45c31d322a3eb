// Stands in for what the library calls "process": of all that, its files only need nextTick.
(function () {
  const { enableNextTick, nextTick } = __bootstrap.core.loadExtScript("ext:deno_node/_next_tick.ts");
  enableNextTick();
  return { nextTick };
})();
