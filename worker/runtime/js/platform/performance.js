// Replaces deno_web's 15_performance.js: `performance` as in the standards High Resolution Time, Performance Timeline and
// User Timing.
(function () {
  const { core, primordials } = __bootstrap;
  const { TypeError } = primordials;
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
  const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
  const { EventTarget, inspectable } = core.loadExtScript("ext:nano_platform/event.js");
  const { markNotSerializable } = core.loadExtScript("ext:nano_platform/structured_clone.js");
  const { now, timeOrigin } = core.loadExtScript("ext:nano_platform/clock.js");
  const entries = core.loadExtScript("ext:nano_platform/performance_entries.js");
  const observers = core.loadExtScript("ext:nano_platform/performance_observer.js");
  const { addEntry, clearEntries, key, newMeasure, PerformanceMark, select, timeline } = entries;
  const { converters } = webidl;

  // Attributes of PerformanceTiming, which only a Window has. As names of marks they cannot be looked up.
  const OF_WINDOW = {
    __proto__: null,
    navigationStart: true,
    unloadEventStart: true,
    unloadEventEnd: true,
    redirectStart: true,
    redirectEnd: true,
    fetchStart: true,
    domainLookupStart: true,
    domainLookupEnd: true,
    connectStart: true,
    connectEnd: true,
    secureConnectionStart: true,
    requestStart: true,
    responseStart: true,
    responseEnd: true,
    domLoading: true,
    domInteractive: true,
    domContentLoadedEventStart: true,
    domContentLoadedEventEnd: true,
    domComplete: true,
    loadEventStart: true,
    loadEventEnd: true,
  };

  const markOrTime = (value, prefix, context) =>
    typeof value === "number"
      ? converters.DOMHighResTimeStamp(value, prefix, context)
      : converters.DOMString(value, prefix, context);
  const measureOptions = webidl.createDictionaryConverter("PerformanceMeasureOptions", [
    { key: "detail", converter: converters.any },
    { key: "duration", converter: converters.DOMHighResTimeStamp },
    { key: "end", converter: markOrTime },
    { key: "start", converter: markOrTime },
  ]);
  const noOptions = { __proto__: null };

  /** Returns the time of a mark, which is given by name or as a number. */
  function timeOf(mark, prefix) {
    if (typeof mark === "number") {
      if (mark < 0) throw new TypeError(`${prefix}: ${mark} is negative`);
      return mark;
    }
    if (OF_WINDOW[mark]) throw new TypeError(`${prefix}: '${mark}' is a time of a window, and this is none`);
    const marks = timeline();
    for (let i = marks.length - 1; i >= 0; i--) {
      if (marks[i].entryType === "mark" && marks[i].name === mark) return marks[i].startTime;
    }
    throw new DOMException(`${prefix}: The mark '${mark}' does not exist`, "SyntaxError");
  }

  function checkMeasureOptions({ start, end, duration }, endMark, prefix) {
    if (endMark !== undefined) throw new TypeError(`${prefix}: Options and an end mark do not go together`);
    if (start === undefined && end === undefined) throw new TypeError(`${prefix}: Neither start nor end is given`);
    if (start !== undefined && end !== undefined && duration !== undefined) {
      throw new TypeError(`${prefix}: Of start, end and duration at most two can be given`);
    }
  }

  class Performance extends EventTarget {
    constructor() {
      if (arguments[0] !== key) webidl.illegalConstructor();
      super();
    }
    get timeOrigin() {
      webidl.assertBranded(this, Performance.prototype);
      return timeOrigin();
    }
    now() {
      webidl.assertBranded(this, Performance.prototype);
      return now();
    }
    toJSON() {
      webidl.assertBranded(this, Performance.prototype);
      return { timeOrigin: timeOrigin() };
    }
    getEntries() {
      webidl.assertBranded(this, Performance.prototype);
      return select(timeline());
    }
    getEntriesByType(type) {
      webidl.assertBranded(this, Performance.prototype);
      const prefix = "Failed to execute 'getEntriesByType' on 'Performance'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      return select(timeline(), undefined, converters.DOMString(type, prefix, "Argument 1"));
    }
    getEntriesByName(name, type = undefined) {
      webidl.assertBranded(this, Performance.prototype);
      const prefix = "Failed to execute 'getEntriesByName' on 'Performance'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      name = converters.DOMString(name, prefix, "Argument 1");
      return select(timeline(), name, type === undefined ? undefined : converters.DOMString(type, prefix, "Argument 2"));
    }
    mark(markName, markOptions = { __proto__: null }) {
      webidl.assertBranded(this, Performance.prototype);
      webidl.requiredArguments(arguments.length, 1, "Failed to execute 'mark' on 'Performance'");
      return addEntry(new PerformanceMark(markName, markOptions));
    }
    clearMarks(markName = undefined) {
      webidl.assertBranded(this, Performance.prototype);
      const prefix = "Failed to execute 'clearMarks' on 'Performance'";
      clearEntries("mark", markName === undefined ? undefined : converters.DOMString(markName, prefix, "Argument 1"));
    }
    clearResourceTimings() {
      webidl.assertBranded(this, Performance.prototype);
      clearEntries("resource", undefined);
    }
    measure(measureName, startOrMeasureOptions = { __proto__: null }, endMark = undefined) {
      webidl.assertBranded(this, Performance.prototype);
      const prefix = "Failed to execute 'measure' on 'Performance'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      measureName = converters.DOMString(measureName, prefix, "Argument 1");
      const isDictionary = startOrMeasureOptions === null || typeof startOrMeasureOptions === "object" ||
        typeof startOrMeasureOptions === "function";
      const options = isDictionary ? measureOptions(startOrMeasureOptions, prefix, "Argument 2") : noOptions;
      const startMark = isDictionary ? undefined : converters.DOMString(startOrMeasureOptions, prefix, "Argument 2");
      if (endMark !== undefined) endMark = converters.DOMString(endMark, prefix, "Argument 3");
      const { detail, duration, end, start } = options;
      if (detail !== undefined || duration !== undefined || end !== undefined || start !== undefined) {
        checkMeasureOptions(options, endMark, prefix);
      }
      let endTime;
      if (endMark !== undefined) endTime = timeOf(endMark, prefix);
      else if (end !== undefined) endTime = timeOf(end, prefix);
      else if (start !== undefined && duration !== undefined) endTime = timeOf(start, prefix) + timeOf(duration, prefix);
      else endTime = now();
      let startTime = 0;
      if (start !== undefined) startTime = timeOf(start, prefix);
      else if (end !== undefined && duration !== undefined) startTime = timeOf(end, prefix) - timeOf(duration, prefix);
      else if (startMark !== undefined) startTime = timeOf(startMark, prefix);
      return addEntry(newMeasure(measureName, startTime, endTime - startTime, detail));
    }
    clearMeasures(measureName = undefined) {
      webidl.assertBranded(this, Performance.prototype);
      const prefix = "Failed to execute 'clearMeasures' on 'Performance'";
      const name = measureName === undefined ? undefined : converters.DOMString(measureName, prefix, "Argument 1");
      clearEntries("measure", name);
    }
  }
  webidl.configureInterface(Performance);
  inspectable(Performance, ["timeOrigin"]);

  const { PerformanceEntry, PerformanceMeasure } = entries;
  const { PerformanceObserver, PerformanceObserverEntryList } = observers;
  const interfaces = [
    Performance,
    PerformanceEntry,
    PerformanceMark,
    PerformanceMeasure,
    PerformanceObserver,
    PerformanceObserverEntryList,
  ];
  for (let i = 0; i < interfaces.length; i++) markNotSerializable(interfaces[i].prototype);

  return { ...entries, ...observers, Performance, performance: new Performance(key) };
})();
