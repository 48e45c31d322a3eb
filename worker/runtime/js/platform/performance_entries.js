// PerformanceEntry and its subclasses, the timeline that holds them, and the observers of new entries.
// https://w3c.github.io/performance-timeline/ and https://w3c.github.io/user-timing/
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypeFilter,
    ArrayPrototypePush,
    ArrayPrototypeSort,
    Symbol,
    TypeError,
  } = primordials;
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
  const { inspectable } = core.loadExtScript("ext:nano_platform/event.js");
  const { now } = core.loadExtScript("ext:nano_platform/clock.js");
  const { converters } = webidl;

  const key = Symbol("illegal constructor");

  class PerformanceEntry {
    #name;
    #entryType;
    #startTime;
    #duration;
    constructor() {
      if (arguments[0] !== key) webidl.illegalConstructor();
      this.#name = arguments[1];
      this.#entryType = arguments[2];
      this.#startTime = arguments[3];
      this.#duration = arguments[4];
    }
    get name() {
      return this.#name;
    }
    get entryType() {
      return this.#entryType;
    }
    get startTime() {
      return this.#startTime;
    }
    get duration() {
      return this.#duration;
    }
    toJSON() {
      return {
        name: this.#name,
        entryType: this.#entryType,
        startTime: this.#startTime,
        duration: this.#duration,
        ...detailOf(this),
      };
    }
  }
  webidl.configureInterface(PerformanceEntry);
  const KEYS = ["name", "entryType", "startTime", "duration"];
  const KEYS_WITH_DETAIL = ["name", "entryType", "startTime", "duration", "detail"];
  inspectable(PerformanceEntry, KEYS);

  const clone = (detail) => {
    if (detail === undefined || detail === null) return null;
    return core.loadExtScript("ext:deno_web/13_message_port.js").structuredClone(detail);
  };
  let markDetail, measureDetail;

  /** Returns the `detail` of a mark or a measure, which is part of its JSON. */
  function detailOf(entry) {
    return markDetail(entry) ?? measureDetail(entry);
  }

  converters.PerformanceMarkOptions = webidl.createDictionaryConverter("PerformanceMarkOptions", [
    { key: "detail", converter: converters.any },
    { key: "startTime", converter: converters.DOMHighResTimeStamp },
  ]);

  class PerformanceMark extends PerformanceEntry {
    #detail;
    constructor(markName, markOptions = { __proto__: null }) {
      const prefix = "Failed to construct 'PerformanceMark'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      const name = converters.DOMString(markName, prefix, "Argument 1");
      const { detail, startTime = now() } = converters.PerformanceMarkOptions(markOptions, prefix, "Argument 2");
      if (startTime < 0) throw new TypeError(`${prefix}: startTime is negative`);
      super(key, name, "mark", startTime, 0);
      this.#detail = clone(detail);
    }
    get detail() {
      return this.#detail;
    }
    static {
      markDetail = (entry) => #detail in entry ? { detail: entry.#detail } : undefined;
    }
  }
  webidl.configureInterface(PerformanceMark);

  class PerformanceMeasure extends PerformanceEntry {
    #detail;
    constructor() {
      super(arguments[0], arguments[1], "measure", arguments[2], arguments[3]);
      this.#detail = clone(arguments[4]);
    }
    get detail() {
      return this.#detail;
    }
    static {
      measureDetail = (entry) => #detail in entry ? { detail: entry.#detail } : undefined;
    }
  }
  webidl.configureInterface(PerformanceMeasure);
  inspectable(PerformanceMark, KEYS_WITH_DETAIL);
  inspectable(PerformanceMeasure, KEYS_WITH_DETAIL);

  const newMeasure = (name, start, duration, detail) => new PerformanceMeasure(key, name, start, duration, detail);

  /** Returns the entries with this name and type, the earliest first. */
  function select(entries, name, type) {
    const selected = ArrayPrototypeFilter(
      entries,
      (entry) => (name === undefined || entry.name === name) && (type === undefined || entry.entryType === type),
    );
    return ArrayPrototypeSort(selected, (a, b) => a.startTime - b.startTime);
  }

  let timeline = [];
  let onEntry;

  function addEntry(entry) {
    ArrayPrototypePush(timeline, entry);
    onEntry?.(entry);
    return entry;
  }

  function clearEntries(type, name) {
    timeline = ArrayPrototypeFilter(
      timeline,
      (entry) => entry.entryType !== type || (name !== undefined && entry.name !== name),
    );
  }

  return {
    addEntry,
    clearEntries,
    key,
    newMeasure,
    PerformanceEntry,
    PerformanceMark,
    PerformanceMeasure,
    select,
    setOnEntry: (tell) => onEntry = tell,
    timeline: () => timeline,
  };
})();
