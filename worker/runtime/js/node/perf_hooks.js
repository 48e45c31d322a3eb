// node:perf_hooks: the web's `performance` under Node's name.
(function () {
  const { core } = __bootstrap;
  const { absent } = core.loadExtScript("ext:nano_node/absent.js");
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
  const {
    performance,
    Performance,
    PerformanceEntry,
    PerformanceMark,
    PerformanceMeasure,
    PerformanceObserver,
    PerformanceObserverEntryList,
  } = core.loadExtScript("ext:deno_web/15_performance.js");
  /** The entries of outbound requests. None are recorded. */
  class PerformanceResourceTiming extends PerformanceEntry {
    constructor() {
      webidl.illegalConstructor();
    }
  }

  return {
    ...absent("perf_hooks", "an app does not see the event loop that runs it", {
      functions: ["createHistogram", "monitorEventLoopDelay"],
    }),
    performance,
    Performance,
    PerformanceEntry,
    PerformanceMark,
    PerformanceMeasure,
    PerformanceObserver,
    PerformanceObserverEntryList,
    PerformanceResourceTiming,
    constants: {
      __proto__: null,
      NODE_PERFORMANCE_GC_MAJOR: 4,
      NODE_PERFORMANCE_GC_MINOR: 1,
      NODE_PERFORMANCE_GC_INCREMENTAL: 8,
      NODE_PERFORMANCE_GC_WEAKCB: 16,
      NODE_PERFORMANCE_GC_FLAGS_NO: 0,
      NODE_PERFORMANCE_GC_FLAGS_CONSTRUCT_RETAINED: 2,
      NODE_PERFORMANCE_GC_FLAGS_FORCED: 4,
      NODE_PERFORMANCE_GC_FLAGS_SYNCHRONOUS_PHANTOM_PROCESSING: 8,
      NODE_PERFORMANCE_GC_FLAGS_ALL_AVAILABLE_GARBAGE: 16,
      NODE_PERFORMANCE_GC_FLAGS_ALL_EXTERNAL_MEMORY: 32,
      NODE_PERFORMANCE_GC_FLAGS_SCHEDULE_IDLE: 64,
    },
    eventLoopUtilization: () => ({ idle: 0, active: 0, utilization: 0 }),
    timerify: (action) => action,
  };
})();
