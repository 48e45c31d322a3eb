// util, util/types, assert: what values look like and whether they are equal.
import util, { callbackify, deprecate, format, formatWithOptions, inherits, inspect, isDeepStrictEqual, parseArgs, promisify, stripVTControlCharacters, types } from "node:util";
import * as utilTypes from "node:util/types";
import assert, { AssertionError } from "node:assert";
import strict from "node:assert/strict";

export default async function (is, throws) {
  is("format", format("%s %d %i %f %j %o %O %% %c|", "a", 1.5, "2.9", "3.5", { a: 1 }, [1], { b: 2 }, "css", "more"), "a 1.5 2 3.5 {\"a\":1} [ 1, [length]: 1 ] { b: 2 } % | more");
  is("format without a template", format(1, "a", { x: 1n }), "1 a { x: 1n }");
  is("formatWithOptions", formatWithOptions({ compact: true, colors: true }, "%O", 5), "\u001b[33m5\u001b[39m");
  is("inspect an object", inspect({ a: 1, b: "x", c: [undefined, null], d: new Map([["k", new Set([1])]]), e: () => {}, f: Symbol("s") }),
    "{\n  a: 1,\n  b: 'x',\n  c: [ undefined, null ],\n  d: Map(1) { 'k' => Set(1) { 1 } },\n  e: [Function: e],\n  f: Symbol(s)\n}");
  is("inspect depth", [inspect({ a: { b: { c: { d: 1 } } } }), inspect({ a: { b: { c: { d: 1 } } } }, { depth: null, compact: true })], ["{ a: { b: { c: [Object] } } }", "{ a: { b: { c: { d: 1 } } } }"]);
  class Point { constructor() { this.x = 1; } }
  const circle = { name: "c" };
  circle.self = circle;
  is("inspect a class and a circle", [inspect(new Point()), inspect(circle)], ["Point { x: 1 }", "<ref *1> { name: 'c', self: [Circular *1] }"]);
  is("inspect.custom", inspect({ [inspect.custom]: (depth, options, again) => `<${again(1)} ${typeof options.stylize}>` }), "<1 function>");
  is("inspect bytes", inspect(Buffer.from("abc")), "<Buffer 61 62 63>");
  is("inspect dates, errors, regexps, promises", [inspect(new Date(0)), inspect(/a/g), inspect(Promise.resolve(1)), inspect(new Error("boom")).split("\n")[0]], ["1970-01-01T00:00:00.000Z", "/a/g", "Promise { 1 }", "Error: boom"]);
  is("inspect strings", [inspect("it's"), inspect('"'), inspect("a\nb")], ['"it\'s"', "'\"'", "'a\\nb'"]);
  is("promisify", await promisify((a, callback) => callback(null, a + 1))(1), 2);
  is("promisify rejects", await promisify((callback) => callback(new Error("no")))().catch((error) => error.message), "no");
  is("promisify.custom", await promisify(Object.assign(() => {}, { [promisify.custom]: async () => "own" }))(), "own");
  is("callbackify", await new Promise((resolve) => callbackify(async (a) => a * 2)(4, (error, value) => resolve([error, value]))), [null, 8]);
  is("callbackify of what has then", await new Promise((resolve) => callbackify(() => ({ then: (done) => done(5) }))((error, value) => resolve([error, value]))), [null, 5]);
  is("callbackify of what has then and fails", await new Promise((resolve) => callbackify(() => ({ then: (_, fail) => fail(null) }))((error) => resolve(error.code))), "ERR_FALSY_VALUE_REJECTION");
  throws("callbackify of a function that returns neither", () => callbackify(() => 5)(() => {}), "TypeError");
  function Old() {}
  function Base() {}
  inherits(Old, Base);
  is("inherits", [new Old() instanceof Base, Old.super_ === Base], [true, true]);
  is("deprecate keeps the function", deprecate((a) => a, "old", "DEP_TEST")(3), 3);
  is("isDeepStrictEqual", [isDeepStrictEqual({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }), isDeepStrictEqual({ a: 1 }, { a: "1" }), isDeepStrictEqual(new Set([{ a: 1 }]), new Set([{ a: 1 }])), isDeepStrictEqual(NaN, NaN), isDeepStrictEqual(0, -0)], [true, false, true, true, false]);
  is("types", [types.isDate(new Date()), types.isRegExp(/a/), types.isPromise(Promise.resolve()), types.isProxy(new Proxy({}, {})), types.isUint8Array(Buffer.alloc(1)), types.isBoxedPrimitive(Object(1)), types.isAsyncFunction(async () => {}), types.isNativeError(new TypeError())], [true, true, true, true, true, true, true, true]);
  is("util/types are util.types", [utilTypes.isMap === types.isMap, util.types === types], [true, true]);
  is("parseArgs", (() => { const { values, positionals } = parseArgs({ args: ["-f", "--bar", "b", "rest"], allowPositionals: true, options: { foo: { type: "boolean", short: "f" }, bar: { type: "string" } } }); return [{ ...values }, positionals]; })(), [{ foo: true, bar: "b" }, ["rest"]]);
  is("stripVTControlCharacters", stripVTControlCharacters("\u001b[31mred\u001b[0m"), "red");
  is("TextEncoder", [util.TextEncoder === TextEncoder, util.TextDecoder === TextDecoder], [true, true]);
  is("system errors", [util.getSystemErrorName(-2), util.getSystemErrorMap().get(-2)[0]], ["ENOENT", "ENOENT"]);
  is("toUSVString", util.toUSVString("a\ud800"), "a\ufffd");
  is("MIMEType", String(new util.MIMEType("text/html; charset=UTF-8")), "text/html;charset=UTF-8");
  is("debuglog is silent", util.debuglog("x").enabled, false);

  assert.ok(1);
  assert.equal(1, "1");
  assert.deepEqual({ a: 1 }, { a: "1" });
  assert.deepStrictEqual(new Map([[{ a: 1 }, [2]]]), new Map([[{ a: 1 }, [2]]]));
  assert.throws(() => { throw new TypeError("bad"); }, { name: "TypeError", message: /bad/ });
  await assert.rejects(Promise.reject(new RangeError("r")), RangeError);
  await assert.doesNotReject(async () => {});
  assert.match("abc", /b/);
  throws("strictEqual", () => assert.strictEqual(1, 2), "AssertionError", "ERR_ASSERTION");
  throws("deepStrictEqual", () => assert.deepStrictEqual({ a: 1 }, { a: "1" }), "AssertionError", "ERR_ASSERTION");
  throws("strict.equal is strict", () => strict.equal(1, "1"), "AssertionError", "ERR_ASSERTION");
  throws("fail", () => assert.fail("why"), "AssertionError", "ERR_ASSERTION");
  throws("ifError", () => assert.ifError(new Error("e")), "AssertionError", "ERR_ASSERTION");
  throws("not thrown", () => assert.throws(() => {}), "AssertionError", "ERR_ASSERTION");
  const error = (() => { try { assert.strictEqual(1, 2); } catch (caught) { return caught; } })();
  is("AssertionError", [error instanceof AssertionError, error.actual, error.expected, error.operator, error.generatedMessage], [true, 1, 2, "strictEqual", true]);
  is("message of strictEqual", error.message, "Expected values to be strictly equal:\n\n1 !== 2\n");
  is("own message", (() => { try { assert(false, "mine"); } catch (caught) { return caught.message; } })(), "mine");
  is("strict is strict", [strict.strict === strict, assert.strict === strict, assert.AssertionError === AssertionError], [true, true, true]);
}
