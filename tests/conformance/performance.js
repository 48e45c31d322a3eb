// High Resolution Time, Performance Timeline and User Timing.
// https://w3c.github.io/hr-time/ https://w3c.github.io/performance-timeline/ https://w3c.github.io/user-timing/
import { equal, ok, same, throws } from "./harness.js";

const clear = () => {
  performance.clearMarks();
  performance.clearMeasures();
};
const names = (entries) => entries.map((entry) => entry.name);

/** What an observer is told of, in its next call. */
const observed = (options, action) =>
  new Promise((resolve) => {
    const observer = new PerformanceObserver(function (list, self, more) {
      observer.disconnect();
      resolve({ list, isSelf: this === observer && self === observer, more });
    });
    for (const option of [options].flat()) observer.observe(option);
    action?.();
  });

export default {
  "time does not go back"() {
    let last = performance.now();
    for (let i = 0; i < 100; i++) {
      const now = performance.now();
      ok(now >= last, `${now} after ${last}`);
      last = now;
    }
    same(performance.toJSON(), { timeOrigin: performance.timeOrigin });
  },
  "marks have a time, a name and a clone of a detail"() {
    clear();
    const detail = { a: [1] };
    const mark = performance.mark("m", { detail, startTime: 5 });
    ok(mark instanceof PerformanceMark && mark instanceof PerformanceEntry, "it is no PerformanceMark");
    same(mark.toJSON(), { name: "m", entryType: "mark", startTime: 5, duration: 0, detail });
    ok(mark.detail !== detail, "its detail is no clone");
    equal(performance.mark("n").detail, null);
    equal(new PerformanceMark("own").startTime > 0, true);
    equal(performance.getEntriesByName("own").length, 0);
    throws(TypeError, () => performance.mark("m", { startTime: -1 }));
    throws("DataCloneError", () => performance.mark("m", { detail: () => {} }));
  },
  "entries come by name and type, in order of time"() {
    clear();
    performance.mark("late", { startTime: 20 });
    performance.mark("early", { startTime: 10 });
    performance.measure("early");
    same(names(performance.getEntriesByType("mark")), ["early", "late"]);
    same(names(performance.getEntries()), ["early", "early", "late"]);
    equal(performance.getEntriesByName("early", "mark").length, 1);
    equal(performance.getEntriesByName("early").length, 2);
    equal(performance.getEntriesByType("Mark").length, 0);
    performance.clearMarks("late");
    same(names(performance.getEntriesByType("mark")), ["early"]);
  },
  "a measure spans what it is told to"() {
    clear();
    performance.mark("a", { startTime: 10 });
    performance.mark("b", { startTime: 30 });
    const span = (...args) => {
      const { startTime, duration } = performance.measure("m", ...args);
      return [startTime, duration];
    };
    same(span("a", "b"), [10, 20]);
    same(span({ start: "a", end: "b" }), [10, 20]);
    same(span({ start: 5, duration: 7 }), [5, 7]);
    same(span({ end: 12, duration: 7 }), [5, 7]);
    same(span(undefined, "b"), [0, 30]);
    same(span(null, "b"), [0, 30]);
    same(span({ unknown: 1 }, "b"), [0, 30]);
    equal(span("b", "a")[1], -20);
    equal(span()[0], 0);
    equal(performance.measure("m", { start: 1, detail: "d" }).detail, "d");
  },
  "a measure refuses what makes no sense"() {
    clear();
    throws("SyntaxError", () => performance.measure("m", "missing"));
    throws(TypeError, () => performance.measure("m", { start: 1 }, "end"));
    throws(TypeError, () => performance.measure("m", { start: 1, end: 2, duration: 1 }));
    throws(TypeError, () => performance.measure("m", { duration: 1 }));
    throws(TypeError, () => performance.measure("m", { start: -1 }));
    throws(TypeError, () => performance.measure("m", "navigationStart"));
    throws(TypeError, () => performance.measure());
  },
  async "an observer is told in a task, with the first call's options"() {
    clear();
    let later = false;
    const told = observed({ entryTypes: ["measure", "mark", "unknown"] }, () => {
      performance.mark("one", { startTime: 2 });
      performance.mark("two", { startTime: 1 });
      Promise.resolve().then(() => later = true);
    });
    const { list, isSelf, more } = await told;
    ok(later, "it was told in a microtask");
    ok(list instanceof PerformanceObserverEntryList && isSelf, "what it was told with");
    same(more, { droppedEntriesCount: 0 });
    same([names(list.getEntries()), names(list.getEntriesByName("one", "mark"))], [["two", "one"], ["one"]]);
    equal(list.getEntriesByType("measure").length, 0);
  },
  async "an observer can ask for what was before"() {
    clear();
    performance.mark("before");
    const { list } = await observed({ type: "mark", buffered: true });
    same(names(list.getEntries()), ["before"]);
  },
  async "types add up, type lists replace each other"() {
    clear();
    const both = await observed([{ type: "mark" }, { type: "measure" }], () => {
      performance.mark("m");
      performance.measure("n");
    });
    equal(both.list.getEntries().length, 2);
    const last = await observed([{ entryTypes: ["mark"] }, { entryTypes: ["measure"] }], () => {
      performance.mark("m");
      performance.measure("n");
    });
    same(names(last.list.getEntries()), ["n"]);
  },
  "observe() refuses what makes no sense"() {
    const observer = () => new PerformanceObserver(() => {});
    throws(TypeError, () => observer().observe());
    throws(TypeError, () => observer().observe({ type: "mark", entryTypes: ["mark"] }));
    throws(TypeError, () => observer().observe({ entryTypes: "mark" }));
    const single = observer();
    single.observe({ type: "mark" });
    throws("InvalidModificationError", () => single.observe({ entryTypes: ["mark"] }));
    single.disconnect();
    observer().observe({ entryTypes: ["unknown"] });
    throws(TypeError, () => new PerformanceObserver());
    throws(TypeError, () => new PerformanceObserver({}));
  },
  "records can be taken before the call"() {
    clear();
    const observer = new PerformanceObserver(() => {});
    observer.observe({ type: "mark" });
    performance.mark("taken");
    same(names(observer.takeRecords()), ["taken"]);
    same(observer.takeRecords(), []);
    observer.disconnect();
  },
  "supported types are a frozen list, always the same"() {
    const types = PerformanceObserver.supportedEntryTypes;
    same(types, ["mark", "measure"]);
    ok(Object.isFrozen(types), "it is not frozen");
    equal(PerformanceObserver.supportedEntryTypes, types);
  },
};
