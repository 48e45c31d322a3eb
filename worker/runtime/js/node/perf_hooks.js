// node:perf_hooks: the web's `performance` under Node's name.
(function () {
  const { core } = __bootstrap;
  const {
    performance,
    Performance,
    PerformanceEntry,
    PerformanceMark,
    PerformanceMeasure,
    PerformanceObserver,
    PerformanceObserverEntryList,
  } = core.loadExtScript("ext:deno_web/15_performance.js");
  return {
    performance,
    Performance,
    PerformanceEntry,
    PerformanceMark,
    PerformanceMeasure,
    PerformanceObserver,
    PerformanceObserverEntryList,
    constants: {},
  };
})();
