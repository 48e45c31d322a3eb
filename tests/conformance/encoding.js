// TextDecoder, TextEncoder and their streams. https://encoding.spec.whatwg.org/
import { equal, ok, rejects, same, throws } from "./harness.js";

const bytes = (...values) => new Uint8Array(values);
const decode = (label, input, options) => new TextDecoder(label, options).decode(input);

async function through(transform, chunks) {
  const source = new ReadableStream({
    start(controller) {
      chunks.forEach((chunk) => controller.enqueue(chunk));
      controller.close();
    },
  });
  return Array.fromAsync(source.pipeThrough(transform));
}

export default {
  "labels have one name each"() {
    for (const [label, name] of [
      [" UTF8\n", "utf-8"],
      ["latin1", "windows-1252"],
      ["ascii", "windows-1252"],
      ["utf-16", "utf-16le"],
      ["unicodefffe", "utf-16be"],
      ["sjis", "shift_jis"],
      ["gb2312", "gbk"],
      ["x-user-defined", "x-user-defined"],
      ["iso-8859-8-i", "iso-8859-8-i"],
    ]) {
      equal(new TextDecoder(label).encoding, name, label);
    }
    for (const label of ["", "utf-7", "replacement", "hz-gb-2312", "\u00A0utf-8"]) {
      throws(RangeError, () => new TextDecoder(label));
    }
  },
  "legacy encodings are decoded"() {
    equal(decode("windows-1252", bytes(0x80, 0xE9)), "\u20AC\u00E9");
    equal(decode("koi8-r", bytes(0xF0, 0xD2)), "\u041F\u0440");
    equal(decode("shift_jis", bytes(0x93, 0xFA, 0xB1)), "\u65E5\uFF71");
    equal(decode("euc-jp", bytes(0xC6, 0xFC)), "\u65E5");
    equal(decode("iso-2022-jp", bytes(0x1B, 0x24, 0x42, 0x46, 0x7C, 0x1B, 0x28, 0x42)), "\u65E5");
    equal(decode("big5", bytes(0xA4, 0xE9)), "\u65E5");
    equal(decode("gb18030", bytes(0x81, 0x30, 0x81, 0x30)), "\u0080");
    equal(decode("euc-kr", bytes(0xB0, 0xA1)), "\uAC00");
    equal(decode("utf-16be", bytes(0xD8, 0x3D, 0xDE, 0x00)), "\u{1F600}");
    equal(decode("x-user-defined", bytes(0x80, 0x41)), "\uF780A");
  },
  "a byte order mark is dropped once, unless it is asked for"() {
    const input = bytes(0xEF, 0xBB, 0xBF, 0xEF, 0xBB, 0xBF, 0x61);
    equal(decode("utf-8", input), "\uFEFFa");
    equal(decode("utf-8", input, { ignoreBOM: true }), "\uFEFF\uFEFFa");
    equal(decode("utf-16le", bytes(0xFF, 0xFE, 0x61, 0)), "a");
    equal(decode("utf-8", bytes(0xFF, 0xFE, 0x61)), "\uFFFD\uFFFDa");
    const decoder = new TextDecoder();
    same([decoder.decode(input), decoder.decode(input)], ["\uFEFFa", "\uFEFFa"]);
  },
  "broken input becomes U+FFFD, or throws when fatal"() {
    equal(decode("utf-8", bytes(0xF0, 0x90, 0x41, 0xC0, 0x80, 0xED, 0xA0, 0x80)), "\uFFFDA\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
    throws(TypeError, () => decode("utf-8", bytes(0xC0), { fatal: true }));
    throws(TypeError, () => decode("utf-16le", bytes(0x00), { fatal: true }));
    const decoder = new TextDecoder("utf-8", { fatal: true });
    throws(TypeError, () => decoder.decode(bytes(0xFF)));
    equal(decoder.decode(bytes(0x61)), "a");
  },
  "a stream may be cut anywhere"() {
    const decoder = new TextDecoder();
    const found = [...bytes(0xEF, 0xBB, 0xBF, 0xF0, 0x9F, 0x98, 0x80)].map((byte) =>
      decoder.decode(bytes(byte), { stream: true })
    );
    equal(found.join(""), "\u{1F600}");
    equal(decoder.decode(bytes(0xE2, 0x82), { stream: true }), "");
    equal(decoder.decode(), "\uFFFD");
    equal(decoder.decode(bytes(0xE2, 0x82), { stream: true }) + decoder.decode(bytes(0xAC)), "\u20AC");
  },
  "every kind of buffer is read"() {
    const { buffer } = bytes(0x61, 0x62, 0x63);
    equal(decode("utf-8", buffer), "abc");
    equal(decode("utf-8", new DataView(buffer, 1)), "bc");
    equal(decode("utf-8", new Uint8Array(buffer, 1, 1)), "b");
    equal(decode("utf-8", new SharedArrayBuffer(1)), "\0");
    equal(new TextDecoder().decode(undefined), "");
    throws(TypeError, () => new TextDecoder().decode("text"));
    throws(TypeError, () => new TextDecoder().decode(null));
  },
  "text is encoded as UTF-8"() {
    same([...new TextEncoder().encode("a\u00E9\u20AC\u{1F600}\uD800")],
      [0x61, 0xC3, 0xA9, 0xE2, 0x82, 0xAC, 0xF0, 0x9F, 0x98, 0x80, 0xEF, 0xBF, 0xBD]);
    equal(new TextEncoder().encode().length, 0);
    equal(new TextEncoder().encode(undefined).length, 0);
    equal(new TextEncoder().encode(null).length, 4);
    const target = new Uint8Array(5);
    same(new TextEncoder().encodeInto("a\u{1F600}b", target), { read: 3, written: 5 });
    same(new TextEncoder().encodeInto("\u20AC", new Uint8Array(2)), { read: 0, written: 0 });
    throws(TypeError, () => new TextEncoder().encodeInto("a", new Uint16Array(1)));
    throws(TypeError, () => new TextEncoder().encodeInto("a"));
  },
  async "streams decode and encode across chunks"() {
    same(await through(new TextDecoderStream(), [bytes(0xE2), bytes(0x82), bytes(0xAC, 0x61)]), ["\u20ACa"]);
    same(await through(new TextDecoderStream("utf-16le"), [bytes(0x61), bytes(0)]), ["a"]);
    same(await through(new TextDecoderStream(), [bytes(0xE2)]), ["\uFFFD"]);
    await rejects(TypeError, through(new TextDecoderStream("utf-8", { fatal: true }), [bytes(0xE2)]));
    await rejects(TypeError, through(new TextDecoderStream(), ["text"]));
    const encoded = await through(new TextEncoderStream(), ["\uD83D", "\uDE00", "", "\uD83D"]);
    same(encoded.map((chunk) => [...chunk]), [[0xF0, 0x9F, 0x98, 0x80], [0xEF, 0xBF, 0xBD]]);
    ok(encoded[0] instanceof Uint8Array, "it is no Uint8Array");
  },
};
