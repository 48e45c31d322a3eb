// buffer, string_decoder: bytes and the strings they stand for.
import buffer, { Blob, Buffer, File, atob, btoa, constants, isAscii, isUtf8, transcode } from "node:buffer";
import { StringDecoder } from "node:string_decoder";

export default async function (is, throws) {
  const text = "z\u00df\u6c34\ud83c\udf0d";
  const encoded = {
    utf8: "7ac39fe6b0b4f09f8c8d",
    utf16le: "7a00df00346c3cd80ddf",
    latin1: "7adf343c0d",
    ascii: "7adf343c0d",
    hex: "",
  };
  for (const encoding of ["utf8", "utf16le", "latin1", "ascii", "hex"]) {
    is(`from ${encoding}`, Buffer.from(text, encoding).toString("hex"), encoded[encoding]);
  }
  is("ucs2", Buffer.from("a\u6c34", "ucs2").toString("hex"), "6100346c");
  const bytes = Buffer.from([0xfb, 0xff, 0x80, 0x41, 0xe6, 0xb0]);
  is("to utf8 replaces what is malformed", bytes.toString(), "\ufffd\ufffd\ufffdA\ufffd");
  is("to latin1", bytes.toString("latin1"), "\u00fb\u00ff\u0080A\u00e6\u00b0");
  is("to ascii", bytes.toString("ascii"), "{\u007f\u0000Af0");
  is("to utf16le", bytes.toString("utf16le"), "\ufffb\u4180\ub0e6");
  is("to base64", bytes.toString("base64"), "+/+AQeaw");
  is("to base64url", bytes.toString("base64url"), "-_-AQeaw");
  is("to hex", bytes.toString("hex"), "fbff8041e6b0");
  is("base64url without padding", Buffer.from("-_-AQQ", "base64url").toString("hex"), "fbff8041");
  is("base64 takes the url alphabet, blanks, and no padding", Buffer.from(" -_\n+A QQ", "base64").toString("hex"), "fbff8041");
  is("hex stops at the first wrong digit", Buffer.from("abcxef", "hex").toString("hex"), "ab");
  is("slice of a string", bytes.toString("hex", 1, 3), "ff80");
  is("JSON", JSON.stringify(Buffer.from("ab")), '{"type":"Buffer","data":[97,98]}');
  is("from JSON", Buffer.from({ type: "Buffer", data: [1, 2] }).toString("hex"), "0102");
  is("byteLength", [Buffer.byteLength(text), Buffer.byteLength("QUJD", "base64"), Buffer.byteLength("abc", "utf16le")], [10, 3, 6]);
  is("isBuffer", [Buffer.isBuffer(bytes), Buffer.isBuffer(new Uint8Array(1)), bytes instanceof Uint8Array], [true, false, true]);
  is("isEncoding", ["UTF-8", "base64url", "binary", "nope"].map((name) => Buffer.isEncoding(name)), [true, true, true, false]);
  is("concat", Buffer.concat([Buffer.from("ab"), Buffer.from("cd")], 3).toString(), "abc");
  is("alloc and fill", Buffer.alloc(5, "ab").toString(), "ababa");
  is("compare", [Buffer.compare(Buffer.from("a"), Buffer.from("b")), Buffer.from("b").compare(Buffer.from("a")), Buffer.from("a").equals(new Uint8Array([97]))], [-1, 1, true]);
  is("compare parts", Buffer.from("xabcx").compare(Buffer.from("abd"), 0, 3, 1, 4), -1);
  is("indexOf", [Buffer.from("hello").indexOf("l"), Buffer.from("hello").lastIndexOf("l"), Buffer.from("hello").includes("lo"), Buffer.from("hello").indexOf(0x6f)], [2, 3, true, 4]);
  is("copy", (() => { const target = Buffer.alloc(4, 0x2e); Buffer.from("abc").copy(target, 1, 1); return target.toString(); })(), ".bc.");
  is("write", (() => { const target = Buffer.alloc(4); return [target.write("\u6c34x", 1), target.toString("hex")]; })(), [3, "00e6b0b4"]);
  is("swap16", Buffer.from("0102", "hex").swap16().toString("hex"), "0201");
  is("subarray shares", (() => { const whole = Buffer.from("abc"); whole.subarray(1)[0] = 0x78; return whole.toString(); })(), "axc");
  const numbers = Buffer.alloc(24);
  numbers.writeUInt32BE(0xdeadbeef, 0);
  numbers.writeInt16LE(-2, 4);
  numbers.writeDoubleBE(Math.PI, 6);
  numbers.writeBigUInt64LE(0x0102030405060708n, 14);
  numbers.writeUInt8(255, 22);
  is("numbers", numbers.toString("hex"), "deadbeeffeff400921fb54442d180807060504030201ff00");
  is("read numbers", [numbers.readUInt32BE(0), numbers.readInt16LE(4), numbers.readDoubleBE(6), String(numbers.readBigUInt64LE(14)), numbers.readInt8(22), numbers.readUIntBE(0, 3), numbers.readUint16BE(0)],
    [0xdeadbeef, -2, Math.PI, "72623859790382856", -1, 0xdeadbe, 0xdead]);
  throws("read outside", () => numbers.readUInt32BE(22), "RangeError", "ERR_OUT_OF_RANGE");
  throws("write too much", () => numbers.writeUInt8(256, 0), "RangeError", "ERR_OUT_OF_RANGE");
  throws("from a number", () => Buffer.from(5), "TypeError", "ERR_INVALID_ARG_TYPE");
  throws("unknown encoding", () => bytes.toString("nope"), "TypeError", "ERR_UNKNOWN_ENCODING");
  is("transcode", transcode(Buffer.from("\u20ac\u00e4"), "utf8", "latin1").toString("latin1"), "?\u00e4");
  is("transcode wide", transcode(Buffer.from("\u20ac"), "utf8", "ucs2").toString("hex"), "ac20");
  is("isAscii, isUtf8", [isAscii(Buffer.from("a")), isAscii(Buffer.from("\u00e4")), isUtf8(Buffer.from("\u00e4")), isUtf8(bytes)], [true, false, true, false]);
  is("atob, btoa", [atob("YQ=="), btoa("a")], ["a", "YQ=="]);
  is("the globals are these", [globalThis.Buffer === Buffer, Blob === globalThis.Blob, File === globalThis.File, buffer.Buffer === Buffer], [true, true, true, true]);
  is("limits", [constants.MAX_LENGTH > 2 ** 31, constants.MAX_STRING_LENGTH], [true, 536870888]);
  is("of a Blob", Buffer.from(await new Blob(["a", Buffer.from("b")]).arrayBuffer()).toString(), "ab");
  is("iterates", [...Buffer.from("ab").entries()], [[0, 97], [1, 98]]);
  is("small buffers share a pool", [Buffer.from("a").buffer.byteLength, Buffer.alloc(1).buffer.byteLength], [8192, 1]);

  const decoder = new StringDecoder("utf8");
  is("decoder keeps what is unfinished", [decoder.write(Buffer.from([0xe6, 0xb0])), decoder.write(Buffer.from([0xb4])), decoder.end(Buffer.from([0xe6]))], ["", "\u6c34", "\ufffd"]);
  const base64 = new StringDecoder("base64");
  is("decoder of base64", [base64.write(Buffer.from("ab")), base64.write(Buffer.from("cd")), base64.end()], ["", "YWJj", "ZA=="]);
  const wide = new StringDecoder("utf16le");
  is("decoder of surrogates", [wide.write(Buffer.from("3cd8", "hex")), wide.end(Buffer.from("0ddf", "hex"))], ["", "\ud83c\udf0d"]);
}
