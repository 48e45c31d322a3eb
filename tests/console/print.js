// Prints one of everything. What Deno prints for it is in printed.txt: NO_COLOR=1 deno run print.js 2>&1
console.log("text", 1, -0, 1n, true, null, undefined, Symbol("s"), "with 'quotes'");
console.log({ a: 1, "b-c": "two", [Symbol("s")]: [1, [2, [3, [4, [5]]]]], f() {}, g: () => 1, h: class A {}, i: class B extends Array {} });
console.log({ a: { b: { c: { d: { e: { f: 1 } } } } } });
console.log(new Map([["a", { b: 1 }], [{ k: 1 }, [1, 2]]]), new Set(["a", 1, [2]]), new WeakMap(), new WeakSet());
console.log([1, , 3], new Array(3), Array.from({ length: 120 }, (_, i) => i));
console.log(new Uint8Array([1, 2, 3]), new Float64Array(2), new ArrayBuffer(4), new DataView(new ArrayBuffer(2)));
console.log(new Date(0), /x+/gi, new Date(NaN), Promise.resolve(1), new Promise(() => {}));
class Point {
  constructor(x) {
    this.x = x;
    this.#y = 2;
  }
  #y;
  get y() {
    return this.#y;
  }
  static z = 1;
}
console.log(new Point(1), Point, Object.create(null), Object.create({ a: 1 }), new (class extends Point {})(2));
console.log([new Point(1)], { get a() { return 1; }, set a(value) {}, get b() { return 1; }, set c(value) {} });
const loop = { name: "loop" };
loop.self = loop;
loop.list = [loop];
console.log(loop);
console.log("%s is %d years and %i, %f, %j %% %o %O %x", "Bob", 42.5, 42.9, "1.5", { a: 1 }, { b: [1] }, { c: { d: 1 } }, "rest");
console.log("%cred%c plain", "color: red; font-weight: bold", "");
console.table([{ a: 1, b: "x" }, { a: 2, c: true }]);
console.table([[1, 2], [3, 4]]);
console.table(new Map([["k", 1]]));
console.table([{ a: 1, b: 2 }], ["b"]);
console.table("no table");
console.dir({ a: { b: { c: { d: { e: { f: 1 } } } } } }, { depth: 1 });
console.group("group");
console.log("in\ntwo lines");
console.group();
console.warn({ a: 1 });
console.groupEnd();
console.groupEnd();
console.log("out");
console.count();
console.count("x");
console.count();
console.countReset();
console.count();
console.countReset("none");
console.assert(true, "no");
console.assert(false, "failed %s", "x");
console.assert(false);
console.timeEnd("none");
console.timeLog("none");
console.log("a".repeat(100), ["a".repeat(100)], { long: "b".repeat(90), other: "c".repeat(20) });
console.log(["multi\nline", "tab\t", "uni\u00e9\u{1f600}", "\x1b[31m"], "multi\nline");
console.log(new Proxy({ a: 1 }, {}), function named() {}, async () => {}, function* gen() {}, Math, JSON);
console.log(new Headers({ a: "b" }), new URLSearchParams("a=1"), new Blob(["abc"]));
console.log([undefined, null, NaN, Infinity], [[]], [{}], {}, [], "", [""]);
console.log(new String("s"), new Number(1), new Boolean(false), Object(1n), Object(Symbol("q")));
console.log({ __proto__: null, a: 1 }, Object.assign(() => {}, { p: 1 }), Object.assign([1], { p: 1 }));
console.log([1.5, 22.25, 333].concat(Array.from({ length: 30 }, (_, i) => "item" + i)));
console.log(new Map().entries(), new Set([1]).values(), [1][Symbol.iterator]());
console.log(new (class Foo extends Map {})([[1, 2]]), new (class Bar extends Array {})(1, 2));
console.log();
const error = new Error("outer", { cause: new TypeError("inner") });
error.code = 5;
console.log(error);
console.log({ e: new RangeError("nested") });
console.error(new AggregateError([new Error("one"), new Error("two")], "many"));
console.trace("traced", { a: 1 });
