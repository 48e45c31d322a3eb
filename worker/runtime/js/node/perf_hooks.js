// node:perf_hooks: the web's performance, under the name that Node gives it.
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
