// zlib: what is compressed comes back, and what is not zlib's is refused.
import zlib, { constants, crc32, createDeflate, createGunzip, createGzip, createUnzip, deflateRawSync, deflateSync, gunzipSync, gzip, gzipSync, inflateRawSync, inflateSync, unzip, unzipSync } from "node:zlib";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";

export default async function (is, throws) {
  const text = "the same again and ".repeat(999);
  const error = (act) => { try { act(); } catch (caught) { return [caught.code, caught.errno, caught.message]; } };
  for (const [name, there, back] of [["deflate", deflateSync, inflateSync], ["raw", deflateRawSync, inflateRawSync], ["gzip", gzipSync, gunzipSync], ["unzip of gzip", gzipSync, unzipSync], ["unzip of deflate", deflateSync, unzipSync]]) {
    const small = there(text);
    is(name, [small.length < 300, back(small).toString() === text], [true, true]);
  }
  is("known bytes", [deflateSync("").toString("hex"), deflateRawSync("a").toString("hex"), inflateSync(Buffer.from("789c4b4c4a0600024d0127", "hex")).toString()], ["789c030000000001", "4b0400", "abc"]);
  is("gzip header", gzipSync("x").subarray(0, 4).toString("hex"), "1f8b0800");
  is("levels", [deflateSync(text, { level: 0 }).length > text.length, deflateSync(text, { level: 9 }).length <= deflateSync(text, { level: 1 }).length], [true, true]);
  is("with a callback", (await promisify(unzip)(await promisify(gzip)(text))).toString() === text, true);
  is("streams", (await buffer(Readable.from([Buffer.from(text.slice(0, 50)), Buffer.from(text.slice(50))]).pipe(createGzip()).pipe(createGunzip()))).toString() === text, true);
  const noise = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * index * 7919) >> 5 & 255));
  is("in small chunks", gunzipSync(gzipSync(noise, { chunkSize: 64 }), { chunkSize: 100 }).equals(noise), true);
  is("byte by byte", await buffer(Readable.from([...gzipSync("drop by drop")].map((byte) => Buffer.from([byte]))).pipe(createUnzip())).then(String), "drop by drop");
  is("members of a gzip stream", gunzipSync(Buffer.concat([gzipSync("one "), gzipSync("two")])).toString(), "one two");
  is("zeroes after a gzip stream", gunzipSync(Buffer.concat([gzipSync("one"), Buffer.alloc(20)])).toString(), "one");
  const deflate = createDeflate();
  const parts = [];
  deflate.on("data", (chunk) => parts.push(chunk));
  deflate.write("flushed");
  await new Promise((resolve) => deflate.flush(resolve));
  is("flush", inflateSync(Buffer.concat(parts), { finishFlush: constants.Z_SYNC_FLUSH }).toString(), "flushed");
  await new Promise((resolve) => deflate.params(0, constants.Z_DEFAULT_STRATEGY, resolve));
  await new Promise((resolve) => deflate.on("end", resolve).end(" and stored"));
  is("params", inflateSync(Buffer.concat(parts)).toString(), "flushed and stored");
  const dictionary = Buffer.from("the same again and ");
  const short = deflateSync(text, { dictionary });
  is("dictionary", inflateSync(short, { dictionary }).toString() === text, true);
  is("missing dictionary", error(() => inflateSync(short)), ["Z_NEED_DICT", 2, "Missing dictionary"]);
  is("wrong dictionary", error(() => inflateSync(short, { dictionary: Buffer.from("other") }))[2], "Bad dictionary");
  is("not zlib's", error(() => inflateSync(Buffer.from("nonsense"))), ["Z_DATA_ERROR", -3, "incorrect header check"]);
  is("cut off", error(() => gunzipSync(gzipSync(text).subarray(0, 30))), ["Z_BUF_ERROR", -5, "unexpected end of file"]);
  const damaged = gzipSync(text);
  damaged[damaged.length - 6] ^= 1;
  is("damaged", error(() => gunzipSync(damaged)), ["Z_DATA_ERROR", -3, "incorrect data check"]);
  is("a stream fails as well", await buffer(Readable.from([Buffer.from("nonsense")]).pipe(createGunzip())).catch((caught) => caught.code), "Z_DATA_ERROR");
  is("too much", error(() => gunzipSync(gzipSync(text), { maxOutputLength: 100 }))[0], "ERR_BUFFER_TOO_LARGE");
  throws("only bytes", () => gzipSync(5), "TypeError", "ERR_INVALID_ARG_TYPE");
  throws("level out of range", () => createGzip({ level: 99 }), "RangeError", "ERR_OUT_OF_RANGE");
  is("crc32", [crc32("123456789"), crc32(Buffer.from("6789"), crc32("12345"))], [0xcbf43926, 0xcbf43926]);
  is("info", (() => { const { buffer, engine } = gzipSync("x", { info: true }); return [buffer.length > 0, engine.bytesWritten]; })(), [true, 1]);
  const writer = createGzip();
  writer.end("counted");
  await buffer(writer);
  is("bytesWritten", writer.bytesWritten, 7);
  is("constants", [constants.Z_BEST_SPEED, zlib.constants === constants, zlib.codes.Z_BUF_ERROR], [1, true, -5]);
}
