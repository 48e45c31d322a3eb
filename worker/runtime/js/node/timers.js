// node:timers: the global timers with Node's rules for arguments. Each side can clear the timers of the other.
(function () {
  const { core, primordials } = __bootstrap;
  const { ObjectDefineProperty, SymbolFor } = primordials;
  const { clearImmediate, promises, setImmediate } = core.loadExtScript("ext:deno_node/timers.ts");
  const { validateFunction } = core.loadExtScript("ext:deno_node/internal/validators.mjs");
  const { clearInterval, clearTimeout, startOfNode, Timeout } = core.loadExtScript("ext:deno_web/02_timers.js");

  function setTimeout(callback, delay = 1, ...args) {
    validateFunction(callback, "callback");
    return startOfNode(callback, delay, args, false);
  }

  function setInterval(callback, delay = 1, ...args) {
    validateFunction(callback, "callback");
    return startOfNode(callback, delay, args, true);
  }

  ObjectDefineProperty(setTimeout, SymbolFor("nodejs.util.promisify.custom"), {
    __proto__: null,
    configurable: true,
    enumerable: true,
    value: promises.setTimeout,
  });

  /** Makes `clear` ignore values that are no timers instead of throwing. */
  const leniently = (clear) => (timer) => {
    if (timer !== null && typeof timer !== "symbol") clear(timer);
  };

  const { absent } = core.loadExtScript("ext:nano_node/absent.js");
  return {
    // Deprecated.
    ...absent("timers", "use setTimeout()", { functions: ["enroll"] }),
    Timeout,
    active: (timer) => timer?.refresh?.(),
    unenroll: leniently(clearTimeout),
    clearImmediate,
    clearInterval: leniently(clearInterval),
    clearTimeout: leniently(clearTimeout),
    promises,
    setImmediate,
    setInterval,
    setTimeout,
  };
})();
