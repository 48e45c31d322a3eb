// stream, stream/promises, stream/web, stream/consumers: what flows, how it ends, and the web's streams beside it.
import stream, { Duplex, PassThrough, Readable, Transform, Writable, addAbortSignal, compose, finished, isReadable, pipeline } from "node:stream";
import * as promises from "node:stream/promises";
import * as web from "node:stream/web";
import * as consumers from "node:stream/consumers";
import { IncomingMessage } from "node:http";

const upper = () => new Transform({ transform: (chunk, _encoding, done) => done(null, String(chunk).toUpperCase()) });

export default async function (is, throws) {
  is("from an iterable", await Readable.from(["a", "b"]).toArray(), ["a", "b"]);
  const chunks = [];
  for await (const chunk of new Readable({ objectMode: true, read() { this.push("x"); this.push("y"); this.push(null); } })) chunks.push(String(chunk));
  is("is an async iterable", chunks, ["x", "y"]);
  const written = [];
  const sink = new Writable({ highWaterMark: 2, write(chunk, encoding, done) { written.push([String(chunk), encoding]); setTimeout(done, 1); } });
  is("backpressure", [sink.write("a"), sink.write("bb"), sink.writableNeedDrain, sink.writableLength], [true, false, true, 3]);
  await new Promise((resolve) => sink.once("drain", resolve));
  await new Promise((resolve) => sink.end("c", "latin1", resolve));
  is("written in order", [written.map(([text]) => text), written[0][1], sink.writableFinished], [["a", "bb", "c"], "buffer", true]);
  is("pipe", await consumers.text(Readable.from(["a", "b"]).pipe(upper())), "AB");
  await promises.pipeline(Readable.from(["p", "q"]), async function* (source) { for await (const chunk of source) yield `${chunk}!`; }, upper(), async (source) => { written.push(await consumers.text(source)); });
  is("pipeline", written.at(-1), "P!Q!");
  is("pipeline with a callback", await new Promise((resolve) => pipeline(Readable.from(["a"]), new Writable({ write: (_c, _e, done) => done(new Error("full")) }), (error) => resolve(error.message))), "full");
  const cut = new PassThrough();
  const premature = promises.finished(cut).catch((error) => error.code);
  cut.destroy();
  is("finished", await premature, "ERR_STREAM_PREMATURE_CLOSE");
  is("finished with a callback", await new Promise((resolve) => { const readable = Readable.from(["a"]); finished(readable.resume(), (error) => resolve(error ?? null)); }), null);
  is("destroy with an error", await new Promise((resolve) => new PassThrough().on("error", (error) => resolve(error.message)).destroy(new Error("gone"))), "gone");
  const controller = new AbortController();
  const endless = addAbortSignal(controller.signal, new Readable({ read() {} }));
  const ended = new Promise((resolve) => endless.on("error", (error) => resolve(error.name)));
  controller.abort();
  is("aborted", await ended, "AbortError");
  is("operators", await Readable.from([1, 2, 3, 4]).filter((x) => x % 2).map(async (x) => x * 10).toArray(), [10, 30]);
  is("reduce, take, some", [await Readable.from([1, 2, 3]).reduce((a, b) => a + b, 0), await Readable.from([1, 2, 3]).take(2).toArray(), await Readable.from([1, 2]).some((x) => x > 1)], [6, [1, 2], true]);
  is("compose", await compose(async function* (source) { for await (const chunk of source) yield `<${chunk}>`; }).end("c").toArray().then(String), "<c>");
  is("object mode", await Readable.from([{ a: 1 }]).pipe(new PassThrough({ objectMode: true })).toArray(), [{ a: 1 }]);
  is("setEncoding", await Readable.from([Buffer.from([0xe6, 0xb0]), Buffer.from([0xb4])], { objectMode: false }).setEncoding("utf8").toArray(), ["\u6c34"]);
  // As frameworks make one of a request: without a connection. On Workers, it has no socket then.
  class Message extends IncomingMessage {
    constructor() {
      super({ readable: false, remoteAddress: "::1" });
      Object.assign(this, { method: "POST", url: "/a", headers: { "x-a": "b" }, complete: true });
      this._read = () => { this.push("in parts"); this.push(null); };
    }
  }
  const message = new Message();
  is("a message of HTTP", [message instanceof Readable, message.method, message.url, message.headers["x-a"], message.socket, await consumers.text(message)], [true, "POST", "/a", "b", undefined, "in parts"]);
  is("read by size", (() => { const readable = new PassThrough(); readable.write("abcdef"); return [String(readable.read(2)), String(readable.read())]; })(), ["ab", "cdef"]);
  const duplex = Duplex.from({ readable: Readable.from(["r"]), writable: sink });
  is("Duplex.from", [duplex instanceof Duplex, String(await duplex.toArray())], [true, "r"]);
  is("classes", [stream.Readable === Readable, stream.promises.pipeline === promises.pipeline, new PassThrough() instanceof stream, isReadable(new PassThrough()), stream.getDefaultHighWaterMark(true)], [true, true, true, true, 16]);
  throws("write needs bytes", () => new PassThrough().write(5), "TypeError", "ERR_INVALID_ARG_TYPE");

  is("web classes", [web.ReadableStream === ReadableStream, web.TransformStream === TransformStream, web.CompressionStream === CompressionStream], [true, true, true]);
  is("Readable.toWeb", await new Response(Readable.toWeb(Readable.from([Buffer.from("to"), Buffer.from("web")]))).text(), "toweb");
  is("Readable.fromWeb", await consumers.text(Readable.fromWeb(new Blob(["from", "web"]).stream())), "fromweb");
  const sunk = [];
  const toWeb = Writable.toWeb(new Writable({ write(chunk, _encoding, done) { sunk.push(String(chunk)); done(); } }));
  await ReadableStream.from(["w", "x"]).pipeTo(toWeb);
  is("Writable.toWeb", sunk.splice(0), ["w", "x"]);
  const fromWeb = Writable.fromWeb(new WritableStream({ write: (chunk) => void sunk.push(String(chunk)) }));
  await new Promise((resolve) => fromWeb.end("y", resolve));
  is("Writable.fromWeb", sunk.splice(0), ["y"]);
  const { readable, writable } = Duplex.toWeb(upper());
  const writer = writable.getWriter();
  void writer.write(Buffer.from("d")).then(() => writer.close());
  is("Duplex.toWeb", String(Buffer.from((await readable.getReader().read()).value)), "D");
  const gunzip = Duplex.fromWeb(new DecompressionStream("gzip"));
  Readable.fromWeb(new Blob(["zip".repeat(99)]).stream().pipeThrough(new CompressionStream("gzip"))).pipe(gunzip);
  is("Duplex.fromWeb", await consumers.text(gunzip), "zip".repeat(99));
  is("consumers", [await consumers.json(Readable.from(['{"a":', "1}"])), (await consumers.buffer(Readable.from([Buffer.from("b")]))).toString(), (await consumers.arrayBuffer(new Blob(["c"]).stream())).byteLength, (await consumers.blob(Readable.from(["d"]))).size], [{ a: 1 }, "b", 1, 1]);
}
