// Streams. https://streams.spec.whatwg.org/
import { equal, ok, rejects, same, task, throws } from "./harness.js";

const collect = async (stream) => {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
};
const source = (...chunks) => new ReadableStream({
  start(controller) {
    for (const chunk of chunks) controller.enqueue(chunk);
    controller.close();
  },
});
/** A stream and the controller that feeds it. */
const controlled = (underlying, strategy) => {
  let controller;
  const stream = new ReadableStream({ ...underlying, start: (given) => void (controller = given) }, strategy);
  return { stream, controller };
};

export default {
  async "a default stream calls pull as it has room"() {
    let pulls = 0;
    const stream = new ReadableStream({
      pull(controller) {
        controller.enqueue(pulls++);
        if (pulls === 5) controller.close();
      },
    }, { highWaterMark: 2 });
    await task();
    equal(pulls, 2, "pulls before a read");
    same(await collect(stream), [0, 1, 2, 3, 4]);
  },
  async "cancelling tells the source why"() {
    let reason;
    const stream = new ReadableStream({ cancel: (given) => void (reason = given) });
    await stream.cancel("enough");
    equal(reason, "enough", "the reason");
    equal((await stream.getReader().read()).done, true, "done");
    await rejects(TypeError, stream.cancel());
  },
  async "leaving a loop cancels, and may not"() {
    let cancelled = 0;
    const make = () => new ReadableStream({ pull: (controller) => controller.enqueue(1), cancel: () => void cancelled++ });
    for await (const _ of make()) break;
    const kept = make();
    for await (const _ of kept.values({ preventCancel: true })) break;
    same([cancelled, kept.locked], [1, false]);
  },
  async "releasing a reader rejects its reads"() {
    const { stream, controller } = controlled({});
    const reader = stream.getReader();
    const read = reader.read();
    reader.releaseLock();
    await rejects(TypeError, read);
    await rejects(TypeError, reader.closed);
    controller.enqueue("x");
    equal((await stream.getReader().read()).value, "x", "the next reader's chunk");
  },
  async "a tee gives both branches every chunk"() {
    const [a, b] = source("x", "y").tee();
    same([await collect(a), await collect(b)], [["x", "y"], ["x", "y"]]);
    const bytes = new ReadableStream({
      type: "bytes",
      start(controller) {
        controller.enqueue(new Uint8Array([1, 2]));
        controller.close();
      },
    });
    const [c, d] = bytes.tee();
    const [[first], [second]] = [await collect(c), await collect(d)];
    ok(first.buffer !== second.buffer, "branches of a byte stream share memory");
    same([[...first], [...second]], [[1, 2], [1, 2]]);
  },
  async "ReadableStream.from takes what can be iterated"() {
    same(await collect(ReadableStream.from(["a", Promise.resolve("b")])), ["a", "b"]);
    let finished;
    async function* generate() {
      try {
        yield 1;
        yield 2;
      } finally {
        finished = true;
      }
    }
    for await (const _ of ReadableStream.from(generate())) break;
    equal(finished, true, "the generator has been returned from");
    for (const nothing of [null, undefined, 1, {}]) throws(TypeError, () => ReadableStream.from(nothing));
  },

  async "a reader's buffer is filled in place of the source's"() {
    const stream = new ReadableStream({
      type: "bytes",
      pull(controller) {
        const { view } = controller.byobRequest;
        view.fill(7);
        controller.byobRequest.respond(2);
      },
    });
    const buffer = new ArrayBuffer(4);
    const { value } = await stream.getReader({ mode: "byob" }).read(new Uint8Array(buffer, 1, 3));
    same([[...value], value.byteOffset, value.buffer.byteLength, buffer.byteLength], [[7, 7], 1, 4, 0]);
  },
  async "a read may ask for a least number of elements"() {
    const { stream, controller } = controlled({ type: "bytes" });
    const reader = stream.getReader({ mode: "byob" });
    const read = reader.read(new Uint16Array(4), { min: 2 });
    for (const byte of [1, 0, 2, 0, 3]) controller.enqueue(new Uint8Array([byte]));
    const { value } = await read;
    same([...value], [1, 2]);
    same([...(await reader.read(new Uint8Array(4))).value], [3]);
    await rejects(RangeError, reader.read(new Uint8Array(1), { min: 2 }));
    await rejects(TypeError, reader.read(new Uint8Array(1), { min: 0 }));
  },
  async "all waiting buffers are filled before the app hears of the first"() {
    const { stream, controller } = controlled({ type: "bytes" });
    const reader = stream.getReader({ mode: "byob" });
    const reads = [reader.read(new Uint8Array(1)), reader.read(new Uint8Array(1))];
    const seen = [];
    Object.defineProperty(Object.prototype, "then", {
      configurable: true,
      get() {
        seen.push(controller.byobRequest);
      },
    });
    try {
      controller.enqueue(new Uint8Array([1, 2]));
    } finally {
      delete Object.prototype.then;
    }
    ok(seen.length > 0 && seen.every((request) => request === null), "a request was still there");
    same((await Promise.all(reads)).map(({ value }) => value[0]), [1, 2]);
  },
  async "respond() fills the buffers behind it from the queue"() {
    const { stream, controller } = controlled({ type: "bytes" });
    const reader = stream.getReader({ mode: "byob" });
    const reads = [reader.read(new Uint16Array(1)), reader.read(new Uint8Array(1))];
    const { byobRequest } = controller;
    new Uint8Array(byobRequest.view.buffer).set([1, 0]);
    byobRequest.respond(2);
    controller.enqueue(new Uint8Array([5]));
    same((await Promise.all(reads)).map(({ value }) => value[0]), [1, 5]);
  },

  async "a pipe moves every chunk and closes"() {
    const written = [];
    let closed = false;
    await source("a", "b", "c").pipeTo(new WritableStream({
      write: async (chunk) => {
        await task();
        written.push(chunk);
      },
      close: () => void (closed = true),
    }));
    same([written, closed], [["a", "b", "c"], true]);
  },
  async "a pipe does not write while the source enqueues"() {
    const { stream, controller } = controlled({}, { highWaterMark: 0 });
    const events = [];
    const piped = stream.pipeTo(new WritableStream({ write: (chunk) => void events.push(chunk) }));
    await task();
    controller.enqueue("chunk");
    events.push("enqueued");
    controller.enqueue("next");
    controller.close();
    await piped;
    same(events, ["enqueued", "chunk", "next"]);
  },
  async "what a pipe has read it writes, even if it is aborted"() {
    const { stream, controller } = controlled({}, { highWaterMark: 0 });
    const written = [];
    const abort = new AbortController();
    const piped = stream.pipeTo(new WritableStream({ write: (chunk) => void written.push(chunk) }), { signal: abort.signal });
    await task();
    controller.enqueue("chunk");
    abort.abort("stop");
    equal(await piped.catch((reason) => reason), "stop", "the pipe's end");
    same(written, ["chunk"]);
  },
  async "a chunk for a destination that has just errored is dropped"() {
    const { stream, controller } = controlled({}, { highWaterMark: 0 });
    let sink;
    const piped = stream.pipeTo(new WritableStream({ start: (given) => void (sink = given) }), { preventCancel: true });
    await task();
    sink.error("broken");
    controller.enqueue("chunk");
    equal(await piped.catch((reason) => reason), "broken", "the pipe's end");
    equal(stream.locked, false, "locked");
  },
  async "errors pass through a pipe both ways"() {
    const failing = () => new ReadableStream({ pull: () => Promise.reject("source") });
    let aborted;
    const sink = () => new WritableStream({ abort: (reason) => void (aborted = reason) });
    equal(await failing().pipeTo(sink()).catch((reason) => reason), "source");
    equal(aborted, "source", "what the sink was told");
    let cancelled;
    const stream = new ReadableStream({ pull: (controller) => controller.enqueue(1), cancel: (reason) => void (cancelled = reason) });
    equal(await stream.pipeTo(new WritableStream({ write: () => Promise.reject("sink") })).catch((reason) => reason), "sink");
    equal(cancelled, "sink", "what the source was told");
  },

  async "a transform transforms, flushes and holds back"() {
    const upper = new TransformStream({
      transform: (chunk, controller) => controller.enqueue(chunk.toUpperCase()),
      flush: (controller) => controller.enqueue("end"),
    });
    same(await collect(source("a", "b").pipeThrough(upper)), ["A", "B", "end"]);
    same(await collect(source("a", "b").pipeThrough(new TransformStream())), ["a", "b"]);
    const slow = new TransformStream();
    const writer = slow.writable.getWriter();
    let written = false;
    writer.write("x").then(() => void (written = true));
    await task();
    equal(written, false, "written before anybody reads");
    await slow.readable.getReader().read();
    await task();
    equal(written, true, "written after the read");
  },
  async "a transformer that errors while it is cancelled fails both sides"() {
    const error = new Error("of the transformer");
    let controller;
    const stream = new TransformStream({
      start: (given) => void (controller = given),
      cancel: async () => controller.error(error),
    });
    const ends = await Promise.allSettled([stream.readable.cancel("why"), stream.writable.close()]);
    same(ends.map(({ reason }) => reason === error), [true, true]);
  },
  async "terminate() ends reading and fails writing"() {
    const stream = new TransformStream({ transform: (_, controller) => controller.terminate() });
    const writer = stream.writable.getWriter();
    const reading = collect(stream.readable);
    await writer.write("x");
    same(await reading, []);
    await rejects(TypeError, writer.write("y"));
  },

  async "a writer knows how much room there is"() {
    let finish;
    const stream = new WritableStream({ write: () => new Promise((resolve) => (finish = resolve)) }, { highWaterMark: 1 });
    const writer = stream.getWriter();
    await writer.ready;
    const write = writer.write("x");
    equal(writer.desiredSize, 0, "room");
    await task();
    finish();
    await write;
    await writer.ready;
    equal(writer.desiredSize, 1, "room");
  },
  async "aborting a sink signals what runs"() {
    let signal;
    const stream = new WritableStream({
      write(_, controller) {
        signal = controller.signal;
        return new Promise((_, reject) => signal.addEventListener("abort", () => reject("stopped")));
      },
    });
    const writer = stream.getWriter();
    const write = writer.write("x");
    await task();
    await writer.abort("why").catch(() => {});
    equal(await write.catch((reason) => reason), "stopped", "the write's end");
    same([signal.aborted, signal.reason], [true, "why"]);
  },
  "strategies count chunks and bytes"() {
    same([new CountQueuingStrategy({ highWaterMark: 3 }).size("abc"), new ByteLengthQueuingStrategy({ highWaterMark: 3 }).size(
      new Uint8Array(5))], [1, 5]);
    throws(TypeError, () => new CountQueuingStrategy({}));
    throws(RangeError, () => new ReadableStream({}, { highWaterMark: -1 }));
    throws(RangeError, () => new ReadableStream({ type: "bytes" }, { size: () => 1 }));
  },
  async "text streams carry characters across chunks"() {
    const bytes = new TextEncoder().encode("a\u{1f600}b");
    const decoded = source(bytes.slice(0, 3), bytes.slice(3)).pipeThrough(new TextDecoderStream());
    equal((await collect(decoded)).join(""), "a\u{1f600}b");
    const encoded = source("\ud83d", "\ude00", "\ud83d").pipeThrough(new TextEncoderStream());
    same((await collect(encoded)).flatMap((chunk) => [...chunk]), [0xf0, 0x9f, 0x98, 0x80, 0xef, 0xbf, 0xbd]);
    await rejects(TypeError, collect(source(bytes.slice(0, 3)).pipeThrough(new TextDecoderStream("utf-8", { fatal: true }))));
  },
};
