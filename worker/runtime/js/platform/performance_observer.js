// PerformanceObserver: reports new entries in a task of its own.
// https://w3c.github.io/performance-timeline/#the-performanceobserver-interface
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypeFilter,
    ArrayPrototypeIncludes,
    ArrayPrototypeIndexOf,
    ArrayPrototypePush,
    ArrayPrototypeSlice,
    ArrayPrototypeSplice,
    FunctionPrototypeCall,
    ObjectFreeze,
    TypeError,
  } = primordials;
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
  const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
  const { defer } = core.loadExtScript("ext:deno_web/02_timers.js");
  const { reportException } = core.loadExtScript("ext:nano_platform/event.js");
  const { key, select, setOnEntry, timeline } = core.loadExtScript("ext:nano_platform/performance_entries.js");
  const { converters } = webidl;

  const SUPPORTED = ObjectFreeze(["mark", "measure"]);
  const observers = [];
  let scheduled = false;
  let offer, notify;

  class PerformanceObserverEntryList {
    #entries;
    constructor() {
      if (arguments[0] !== key) webidl.illegalConstructor();
      this.#entries = arguments[1];
    }
    getEntries() {
      return select(this.#entries);
    }
    getEntriesByType(type) {
      const entries = this.#entries;
      const prefix = "Failed to execute 'getEntriesByType' on 'PerformanceObserverEntryList'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      return select(entries, undefined, converters.DOMString(type, prefix, "Argument 1"));
    }
    getEntriesByName(name, type = undefined) {
      const entries = this.#entries;
      const prefix = "Failed to execute 'getEntriesByName' on 'PerformanceObserverEntryList'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      name = converters.DOMString(name, prefix, "Argument 1");
      return select(entries, name, type === undefined ? undefined : converters.DOMString(type, prefix, "Argument 2"));
    }
  }
  webidl.configureInterface(PerformanceObserverEntryList);

  converters.PerformanceObserverInit = webidl.createDictionaryConverter("PerformanceObserverInit", [
    { key: "buffered", converter: converters.boolean },
    { key: "entryTypes", converter: converters["sequence<DOMString>"] },
    { key: "type", converter: converters.DOMString },
  ]);

  class PerformanceObserver {
    #callback;
    #types = [];
    #buffer = [];
    // Whether `type` or `entryTypes` was used. An observer cannot change from one to the other.
    #single = undefined;
    #toldOfDropped = false;

    constructor(callback) {
      const prefix = "Failed to construct 'PerformanceObserver'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      if (typeof callback !== "function") throw new TypeError(`${prefix}: Argument 1 is not a function`);
      this.#callback = callback;
    }
    observe(options = { __proto__: null }) {
      const prefix = "Failed to execute 'observe' on 'PerformanceObserver'";
      const known = this.#single;
      const { buffered, entryTypes, type } = converters.PerformanceObserverInit(options, prefix, "Argument 1");
      if (entryTypes === undefined && type === undefined) {
        throw new TypeError(`${prefix}: Neither 'type' nor 'entryTypes' is given`);
      }
      if (entryTypes !== undefined && type !== undefined) {
        throw new TypeError(`${prefix}: 'type' and 'entryTypes' do not go together`);
      }
      const single = type !== undefined;
      if (known !== undefined && known !== single) {
        const message = `${prefix}: An observer uses either 'type' or 'entryTypes'`;
        throw new DOMException(message, "InvalidModificationError");
      }
      this.#single = single;
      const asked = single ? [type] : entryTypes;
      const types = ArrayPrototypeFilter(asked, (type) => ArrayPrototypeIncludes(SUPPORTED, type));
      if (types.length === 0) return;
      if (!single) {
        this.#types = types;
      } else if (!ArrayPrototypeIncludes(this.#types, type)) {
        ArrayPrototypePush(this.#types, type);
      }
      if (!ArrayPrototypeIncludes(observers, this)) ArrayPrototypePush(observers, this);
      if (single && buffered) {
        const entries = select(timeline(), undefined, type);
        for (let i = 0; i < entries.length; i++) ArrayPrototypePush(this.#buffer, entries[i]);
        schedule();
      }
    }
    disconnect() {
      this.#types = [];
      this.#buffer = [];
      this.#single = undefined;
      const index = ArrayPrototypeIndexOf(observers, this);
      if (index !== -1) ArrayPrototypeSplice(observers, index, 1);
    }
    takeRecords() {
      const records = this.#buffer;
      this.#buffer = [];
      return records;
    }
    static get supportedEntryTypes() {
      return SUPPORTED;
    }

    static {
      offer = (observer, entry) => {
        if (!ArrayPrototypeIncludes(observer.#types, entry.entryType)) return;
        ArrayPrototypePush(observer.#buffer, entry);
        schedule();
      };
      notify = (observer) => {
        const entries = observer.#buffer;
        if (entries.length === 0) return;
        observer.#buffer = [];
        // The first call must report the number of dropped entries. No entry is ever dropped.
        const options = observer.#toldOfDropped ? {} : { droppedEntriesCount: 0 };
        observer.#toldOfDropped = true;
        const list = new PerformanceObserverEntryList(key, entries);
        try {
          FunctionPrototypeCall(observer.#callback, observer, list, observer, options);
        } catch (error) {
          reportException(error);
        }
      };
    }
  }
  webidl.configureInterface(PerformanceObserver);

  function schedule() {
    if (scheduled) return;
    scheduled = true;
    defer(() => {
      scheduled = false;
      const present = ArrayPrototypeSlice(observers);
      for (let i = 0; i < present.length; i++) notify(present[i]);
    });
  }

  setOnEntry((entry) => {
    for (let i = 0; i < observers.length; i++) offer(observers[i], entry);
  });

  return { PerformanceObserver, PerformanceObserverEntryList };
})();
