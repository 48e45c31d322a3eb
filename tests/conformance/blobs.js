// Blob, File, FileReader and blob: URLs. https://w3c.github.io/FileAPI/
import { equal, event, ok, rejects, same, throws } from "./harness.js";

const bytesOf = async (blob) => [...new Uint8Array(await blob.arrayBuffer())];

export default {
  async "a blob joins its parts"() {
    const { buffer } = new Uint8Array([65, 66, 67]);
    const blob = new Blob(["a\u00E9", buffer, new Uint8Array(buffer, 1), new DataView(buffer, 2), new Blob(["!"]), 1], {
      type: "Text/X; Y",
    });
    same([blob.size, blob.type, await blob.text()], [11, "text/x; y", "a\u00E9ABCBCC!1"]);
    same([new Blob().size, new Blob().type], [0, ""]);
    equal(new Blob([], { type: "\u00E9" }).type, "");
    equal(await new Blob(["a\r\nb\nc\r"], { endings: "native" }).text(), "a\nb\nc\n");
    throws(TypeError, () => new Blob("text"));
    throws(TypeError, () => new Blob([], { endings: "other" }));
    throws(TypeError, () => new Blob(null));
  },
  async "what a blob was made of may change afterwards"() {
    const bytes = new Uint8Array([65]);
    const blob = new Blob([bytes]);
    bytes[0] = 66;
    equal(await blob.text(), "A");
  },
  async "slices count from either end"() {
    const blob = new Blob(["abc", "def"], { type: "x/y" });
    for (const [args, wanted] of [
      [[], "abcdef"],
      [[2], "cdef"],
      [[2, 4], "cd"],
      [[-2], "ef"],
      [[1, -1], "bcde"],
      [[4, 2], ""],
      [[0, 100], "abcdef"],
      [[NaN, 1], "a"],
    ]) {
      equal(await blob.slice(...args).text(), wanted, JSON.stringify(args));
    }
    same([blob.slice().type, blob.slice(0, 1, "A/B").type], ["", "a/b"]);
  },
  async "every way to read a blob"() {
    const blob = new Blob(["\u20AC"]);
    ok(await blob.arrayBuffer() instanceof ArrayBuffer, "arrayBuffer()");
    same([...await blob.bytes()], [0xE2, 0x82, 0xAC]);
    const reader = blob.stream().getReader({ mode: "byob" });
    same([...(await reader.read(new Uint8Array(8))).value], [0xE2, 0x82, 0xAC]);
    equal(await new Blob([new Uint8Array([0xFF])]).text(), "\uFFFD");
  },
  "a file has a name and a time"() {
    const file = new File(["a"], "a/b\uD800", { type: "x/Y", lastModified: 1.9 });
    same([file.name, file.lastModified, file.type, file.size], ["a/b\uFFFD", 1, "x/y", 1]);
    ok(Math.abs(new File([], "x").lastModified - Date.now()) < 60_000, "its time is not now");
    throws(TypeError, () => new File([]));
    equal(file.slice() instanceof File, false);
  },
  async "a reader tells of its progress"() {
    const reader = new FileReader();
    const seen = [];
    for (const type of ["loadstart", "progress", "load", "loadend", "error", "abort"]) {
      reader[`on${type}`] = (event) => seen.push(event.type, event instanceof ProgressEvent);
    }
    same([reader.readyState, reader.result, reader.error], [FileReader.EMPTY, null, null]);
    reader.readAsText(new Blob(["abc"]));
    equal(reader.readyState, FileReader.LOADING);
    throws("InvalidStateError", () => reader.readAsText(new Blob()));
    await event(reader, "loadend");
    same(seen, ["loadstart", true, "progress", true, "load", true, "loadend", true]);
    same([reader.readyState, reader.result], [FileReader.DONE, "abc"]);
    throws(TypeError, () => reader.readAsText());
  },
  async "a reader gives text, buffers and data: URLs"() {
    const read = async (method, blob, ...args) => {
      const reader = new FileReader();
      reader[method](blob, ...args);
      await event(reader, "load");
      return reader.result;
    };
    equal(await read("readAsDataURL", new Blob(["abc"], { type: "text/x" })), "data:text/x;base64,YWJj");
    equal(await read("readAsBinaryString", new Blob([new Uint8Array([0xFF])])), "\u00FF");
    equal(await read("readAsText", new Blob([new Uint8Array([0xE9])]), "latin1"), "\u00E9");
    equal((await read("readAsArrayBuffer", new Blob(["ab"]))).byteLength, 2);
  },
  async "a blob: URL leads to its blob until it is revoked"() {
    const url = URL.createObjectURL(new Blob(["x"], { type: "text/y" }));
    ok(url.startsWith("blob:"), url);
    const response = await fetch(url);
    same([response.status, response.headers.get("content-type"), await response.text()], [200, "text/y", "x"]);
    URL.revokeObjectURL(url);
    await rejects(TypeError, fetch(url));
    throws(TypeError, () => URL.createObjectURL({}));
  },
  async "line ends become native on request"() {
    equal(await new Blob(["a\r\nb\rc\n"], { endings: "native" }).text(), "a\nb\nc\n");
    equal(await new Blob(["a\r\n"]).text(), "a\r\n");
    throws(TypeError, () => new Blob([], { endings: "other" }));
  },
  async "a blob's stream is a byte stream"() {
    const reader = new Blob(["ab", "c"]).stream().getReader({ mode: "byob" });
    const read = [];
    for (let result; !(result = await reader.read(new Uint8Array(1))).done;) read.push(...result.value);
    same(read, [97, 98, 99]);
  },
  "what a blob is made of is a sequence"() {
    for (const parts of [null, "text", 1, new Date()]) throws(TypeError, () => new Blob(parts));
    same([new Blob().size, new Blob(new Set(["a", "b"])).size, new Blob(new Uint8Array([1, 2])).size], [0, 2, 2]);
  },
  async "structured clones"() {
    const { file, blob } = structuredClone({ file: new File(["x"], "n", { type: "t/x", lastModified: 5 }), blob: new Blob(["y"]) });
    ok(file instanceof File && blob instanceof Blob, "they are of another class");
    same([file.name, file.type, file.lastModified, await file.text(), await blob.text()], ["n", "t/x", 5, "x", "y"]);
  },
};
