// CompressionStream and DecompressionStream. https://compression.spec.whatwg.org/
import { equal, ok, rejects, same, throws } from "./harness.js";

const FORMATS = ["deflate", "deflate-raw", "gzip"];
const hex = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
const through = async (transform, ...chunks) => {
  const writer = transform.writable.getWriter();
  const written = Promise.all([...chunks.map((chunk) => writer.write(chunk)), writer.close()]);
  written.catch(() => {});
  const bytes = new Uint8Array(await new Response(transform.readable).arrayBuffer());
  await written;
  return bytes;
};
const compress = (format, ...chunks) => through(new CompressionStream(format), ...chunks);
const decompress = (format, ...chunks) => through(new DecompressionStream(format), ...chunks);
const text = new TextEncoder().encode("to be compressed ".repeat(1000));

export default {
  async "what goes in comes out"() {
    for (const format of FORMATS) {
      const compressed = await compress(format, text);
      ok(compressed.length < 200, `${format} takes ${compressed.length} bytes`);
      same([...(await decompress(format, compressed))], [...text], format);
    }
  },
  async "chunks may be of any size and kind"() {
    for (const format of FORMATS) {
      const compressed = await compress(format, text.buffer, new DataView(text.buffer, 0, 4), new Uint8Array(), text.subarray(4));
      const single = Array.from(compressed, (byte) => new Uint8Array([byte]));
      const bytes = await decompress(format, ...single);
      same([bytes.length, [...bytes.subarray(text.length)]], [2 * text.length, [...text]], format);
    }
  },
  async "nothing compresses to something"() {
    for (const format of FORMATS) {
      const compressed = await compress(format);
      ok(compressed.length > 0, `${format} of nothing is nothing`);
      equal((await decompress(format, compressed)).length, 0, format);
    }
  },
  async "headers are those of the formats"() {
    same([...(await compress("gzip", text)).subarray(0, 3)], [0x1f, 0x8b, 8]);
    const [cmf, flg] = await compress("deflate", text);
    same([cmf & 0xf, (cmf * 256 + flg) % 31], [8, 0]);
  },
  async "stored blocks of others are read"() {
    const raw = hex("010300fcff616263");
    equal(new TextDecoder().decode(await decompress("deflate-raw", raw)), "abc");
    // CRC-32 of "abc" is 352441c2; Adler-32 is 024d0127.
    equal(new TextDecoder().decode(await decompress("gzip", hex("1f8b0800000000000003010300fcff616263c241243503000000"))), "abc");
    equal(new TextDecoder().decode(await decompress("deflate", hex("7801010300fcff616263024d0127"))), "abc");
  },
  async "what is cut off, corrupt or too long is an error"() {
    for (const format of FORMATS) {
      const compressed = await compress(format, text);
      await rejects(TypeError, decompress(format, compressed.subarray(0, compressed.length - 1)));
      await rejects(TypeError, decompress(format, compressed, new Uint8Array(1)));
      await rejects(TypeError, decompress(format));
      if (format === "deflate-raw") continue;
      const corrupt = compressed.slice();
      corrupt[corrupt.length - 5] ^= 1;
      await rejects(TypeError, decompress(format, corrupt));
    }
  },
  async "only buffers go in"() {
    for (const chunk of [undefined, null, 1, "text", {}, []]) {
      for (const Stream of [CompressionStream, DecompressionStream]) {
        const { readable, writable } = new Stream("gzip");
        const [write] = await Promise.allSettled([writable.getWriter().write(chunk), readable.getReader().read()]);
        ok(write.reason instanceof TypeError, `${String(chunk)} went in`);
      }
    }
  },
  "formats are named exactly"() {
    for (const format of ["GZIP", "zip", "", undefined]) {
      throws(TypeError, () => new CompressionStream(format));
      throws(TypeError, () => new DecompressionStream(format));
    }
    throws(TypeError, () => new CompressionStream());
  },
  async "it is a pair of streams"() {
    const stream = new CompressionStream("gzip");
    ok(stream.readable instanceof ReadableStream && stream.writable instanceof WritableStream, "they are of other classes");
    equal(stream.readable, stream.readable, "the readable side");
    const piped = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip")).pipeThrough(new DecompressionStream("gzip"));
    equal((await new Response(piped).text()).length, text.length, "the length");
  },
};
