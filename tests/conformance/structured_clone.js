// Structured clones. https://html.spec.whatwg.org/#structured-data
import { equal, ok, same, throws } from "./harness.js";

const clone = (value) => structuredClone(value);

export default {
  "primitives stay what they are"() {
    for (const value of [undefined, null, true, 0, -0, NaN, 1n, "", "\uD800", "text"]) equal(clone(value), value);
  },
  "objects of the language keep their kind"() {
    const shared = { a: 1 };
    const found = clone({
      date: new Date(5),
      regexp: /a(b)/gi,
      map: new Map([[shared, 1]]),
      set: new Set([shared]),
      boxed: [Object(1), Object("s"), Object(true), Object(2n)],
      sparse: [, 1],
      shared,
    });
    equal(found.date.getTime(), 5);
    same([found.regexp.source, found.regexp.flags, found.regexp.lastIndex], ["a(b)", "gi", 0]);
    equal([...found.map.keys()][0], found.shared);
    ok(found.set.has(found.shared), "identity is lost");
    same(found.boxed.map((value) => typeof value), ["object", "object", "object", "object"]);
    same([found.sparse.length, 0 in found.sparse], [2, false]);
    const cycle = {};
    cycle.self = cycle;
    const copy = clone(cycle);
    equal(copy.self, copy);
  },
  "buffers and views are copied, with the buffer they share"() {
    const { buffer } = new Uint8Array([1, 2, 3, 4]);
    const found = clone([new Uint16Array(buffer, 2, 1), new DataView(buffer, 1), buffer]);
    same([found[0].byteOffset, found[0].length, found[1].byteOffset], [2, 1, 1]);
    ok(found[0].buffer === found[2] && found[2] !== buffer, "the buffer is another");
    const resizable = new ArrayBuffer(2, { maxByteLength: 8 });
    same([clone(resizable).resizable, clone(resizable).maxByteLength], [true, 8]);
  },
  "errors keep name, message, cause and class"() {
    const error = new RangeError("m", { cause: { a: 1 } });
    const found = clone(error);
    ok(found instanceof RangeError, "it is no RangeError");
    same([found.name, found.message, found.cause], ["RangeError", "m", { a: 1 }]);
    error.name = "Own";
    equal(clone(error).name, "Error");
  },
  "blobs, files and exceptions are serializable"() {
    const file = clone(new File(["abc"], "name", { type: "text/x", lastModified: 7 }));
    ok(file instanceof File, "it is no File");
    same([file.name, file.type, file.size, file.lastModified], ["name", "text/x", 3, 7]);
    ok(clone([new Blob(["x"])])[0] instanceof Blob, "it is no Blob");
    const exception = clone(new DOMException("m", "DataError"));
    ok(exception instanceof DOMException, "it is no DOMException");
    same([exception.name, exception.message], ["DataError", "m"]);
  },
  "other objects of the platform are not, however deep"() {
    for (const object of [
      new URL("http://a/"),
      new URLSearchParams(),
      new Headers(),
      new Request("http://a/"),
      new Response(),
      new FormData(),
      new Event("x"),
      new EventTarget(),
      new AbortController(),
      new AbortController().signal,
      new ReadableStream(),
      new WritableStream(),
      new TransformStream(),
      new TextDecoder(),
      new MessageChannel(),
      new MessageChannel().port1,
      performance,
      performance.mark("m"),
    ]) {
      throws("DataCloneError", () => clone(object));
      throws("DataCloneError", () => clone({ deep: [object] }));
    }
    throws("DataCloneError", () => clone(() => {}));
    throws("DataCloneError", () => clone(Symbol()));
    throws("DataCloneError", () => clone({ deep: Symbol() }));
    throws("DataCloneError", () => clone(new WeakMap()));
    throws("DataCloneError", () => clone(Promise.resolve()));
  },
  "what a getter throws comes out as it is"() {
    const error = new TypeError("of the app");
    equal(throws(TypeError, () => clone({
      get a() {
        throw error;
      },
    })), error);
  },
  "only own enumerable properties come along"() {
    class Own {
      a = 1;
      get b() {
        return 2;
      }
    }
    const found = clone(Object.defineProperty(new Own(), "hidden", { value: 1 }));
    same([Object.getPrototypeOf(found) === Object.prototype, found], [true, { a: 1 }]);
    same(clone({ get a() {
      return 1;
    } }), { a: 1 });
  },
  "what is transferred is gone"() {
    const buffer = new Uint8Array([1, 2]).buffer;
    const view = new Uint8Array(buffer);
    const found = structuredClone({ view }, { transfer: [buffer] });
    same([[...found.view], buffer.byteLength, buffer.detached, view.length], [[1, 2], 0, true, 0]);
    const { port1 } = new MessageChannel();
    ok(structuredClone(port1, { transfer: [port1] }) instanceof MessagePort, "it is no MessagePort");
    throws("DataCloneError", () => structuredClone(new ReadableStream(), { transfer: [] }));
  },
  "streams can be transferred"() {
    const stream = new ReadableStream();
    const found = structuredClone({ stream }, { transfer: [stream] });
    ok(found.stream instanceof ReadableStream && stream.locked, "it was not transferred");
  },
  "a transfer list holds each object once, and only what can be transferred"() {
    const buffer = new ArrayBuffer(1);
    throws("DataCloneError", () => structuredClone(1, { transfer: [buffer, buffer] }));
    equal(buffer.byteLength, 1, "the size of the buffer");
    throws("DataCloneError", () => structuredClone(1, { transfer: [{}] }));
    throws("DataCloneError", () => structuredClone(1, { transfer: [new Blob([])] }));
    throws("DataCloneError", () => structuredClone(1, { transfer: [new SharedArrayBuffer(1)] }));
    structuredClone(1, { transfer: [buffer] });
    throws("DataCloneError", () => structuredClone(1, { transfer: [buffer] }));
    throws(TypeError, () => structuredClone(1, { transfer: [1] }));
    throws(TypeError, () => structuredClone(1, 1));
    throws(TypeError, () => structuredClone());
    throws(TypeError, () => structuredClone(1, { transfer: [new WebAssembly.Memory({ initial: 1 }).buffer] }));
  },
};
