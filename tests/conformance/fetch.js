// Headers, Request, Response, their bodies, and fetch() of URLs that need no network. https://fetch.spec.whatwg.org/
import { equal, ok, rejects, same, throws } from "./harness.js";

const bytes = (...values) => new Uint8Array(values);
const SOMEWHERE = "https://origin.example/path";
const post = (body, init) => new Request(SOMEWHERE, { method: "POST", body, ...init });
const readAll = async (stream) => {
  const chunks = [];
  for await (const chunk of stream) chunks.push(...chunk);
  return chunks;
};

export default {
  "header values are joined by commas, also empty ones"() {
    const headers = new Headers([["a", ""], ["a", "x"], ["b", "1"], ["B", ""], ["b", "2"]]);
    same([headers.get("a"), headers.get("b")], [", x", "1, , 2"]);
    same([...headers], [["a", ", x"], ["b", "1, , 2"]]);
  },
  "set-cookie fields stay apart"() {
    const headers = new Headers({ "set-cookie": "a=1", x: "y" });
    headers.append("Set-Cookie", "b=2");
    same([...headers.keys()], ["set-cookie", "set-cookie", "x"]);
    same(headers.getSetCookie(), ["a=1", "b=2"]);
  },
  "names and values of headers are checked"() {
    for (const name of ["", "a b", "a:", "ä"]) throws(TypeError, () => new Headers([[name, "x"]]));
    for (const value of ["a\0", "a\nb", "a\rb", "\u0100"]) throws(TypeError, () => new Headers([["a", value]]));
    equal(new Headers([["a", " \t\r\n x y \n"]]).get("a"), "x y");
  },
  "an iterator over headers sees changes"() {
    const headers = new Headers({ a: "1", c: "3" });
    const seen = [];
    for (const [name] of headers) {
      seen.push(name);
      headers.set("b", "2");
    }
    same(seen, ["a", "b", "c"]);
  },

  "bodies of strings and buffers are byte streams"() {
    for (const body of ["text", bytes(1), new ArrayBuffer(1), new DataView(new ArrayBuffer(1)), new URLSearchParams("a=b")]) {
      for (const message of [new Response(body), post(body)]) {
        ok(message.body instanceof ReadableStream, "the body is no stream");
        message.body.getReader({ mode: "byob" }).releaseLock();
      }
    }
  },
  async "a reader with its own buffer gets the bytes and then the end"() {
    const reader = new Response("abc").body.getReader({ mode: "byob" });
    const first = await reader.read(new Uint8Array(2));
    same([first.done, [...first.value]], [false, [97, 98]]);
    const second = await reader.read(new Uint8Array(2));
    same([second.done, [...second.value]], [false, [99]]);
    const end = await reader.read(new Uint8Array(2));
    same([end.done, end.value.byteLength, end.value.buffer.byteLength], [true, 0, 2]);
  },
  async "an empty body is a stream that ends"() {
    for (const body of ["", bytes()]) {
      const response = new Response(body);
      same(await readAll(response.body), []);
      equal(response.bodyUsed, true, "bodyUsed");
    }
  },
  async "a body is a copy of the buffer"() {
    const source = bytes(1, 2, 3);
    const response = new Response(source);
    source.fill(9);
    same(await readAll(response.body), [1, 2, 3]);
    same([...source], [9, 9, 9]);
  },
  async "a response made of a body's stream has that very stream"() {
    const first = new Response("text", { headers: { "x-a": "1" } });
    const { body } = first;
    const second = new Response(body, first);
    equal(second.body, body, "the second body");
    equal(await second.text(), "text");
    equal(first.bodyUsed, true, "bodyUsed of the first");
    await rejects(TypeError, first.text());
  },
  async "a request made of another takes its body along"() {
    for (const body of ["text", new TextEncoder().encode("text"), new Blob(["text"]), new Response("text").body]) {
      const first = post(body, { duplex: "half" });
      const before = first.body;
      const second = new Request(first, { headers: { "x-a": "1" } });
      same([first.bodyUsed, second.bodyUsed], [true, false]);
      equal(first.body, before, "the body of the first");
      ok(second.body !== before, "both have the same stream");
      equal(await second.text(), "text");
      throws(TypeError, () => new Request(first));
    }
  },
  async "clones share no memory"() {
    for (const message of [new Response(bytes(1, 2)), post(bytes(1, 2))]) {
      const clone = message.clone();
      const [a, b] = [await message.bytes(), await clone.bytes()];
      a[0] = 9;
      same([[...a], [...b]], [[9, 2], [1, 2]]);
    }
  },
  async "cloning a stream leaves both halves whole"() {
    const response = new Response(new Blob(["ab", "c"]).stream());
    const { body } = response;
    const clone = response.clone();
    equal(body.locked, true, "the stream that was there is locked");
    same([await response.text(), await clone.text()], ["abc", "abc"]);
    throws(TypeError, () => response.clone());
  },
  async "text is UTF-8 without its byte order mark"() {
    equal(await new Response("\ufeffa\ud800b").text(), "a\ufffdb");
    equal(await new Response(bytes(0xef, 0xbb, 0xbf, 0x61, 0xff)).text(), "a\ufffd");
    equal(await new Response("\ufeff1").json(), 1);
    const { body } = new Response("\ufeff\udc00");
    same(await readAll(body), [0xef, 0xbb, 0xbf, 0xef, 0xbf, 0xbd]);
  },
  async "nothing on Object.prototype takes part in reading a body"() {
    const text = async (body) => {
      const response = new Response(body);
      Object.prototype.then = (resolve) => {
        delete Object.prototype.then;
        resolve({ done: false, value: new Uint8Array([1]) });
      };
      try {
        return await response.text();
      } finally {
        delete Object.prototype.then;
      }
    };
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(bytes(104, 105));
        controller.close();
      },
    });
    for (const body of ["hi", bytes(104, 105), stream]) equal(await text(body), "hi");
  },
  async "a body is read once"() {
    for (const read of ["text", "json", "bytes", "arrayBuffer", "blob", "formData"]) {
      const response = new Response("1");
      await response.text();
      await rejects(TypeError, response[read]());
      const locked = new Response("1");
      locked.body.getReader();
      await rejects(TypeError, locked[read]());
    }
  },
  async "a null body can be read again and again"() {
    const response = new Response(null);
    same([await response.text(), await response.text(), response.bodyUsed, response.body], ["", "", false, null]);
    await rejects(SyntaxError, response.json());
  },
  async "the type of a blob is the content type"() {
    const typed = (type) => new Response("", { headers: { "content-type": type } }).blob();
    equal((await typed("Text/HTML;Charset=UTF-8; x=\"a b\"")).type, 'text/html;charset=UTF-8;x="a b"');
    equal((await typed("a/b, text/plain;charset=x, text/plain")).type, "text/plain;charset=x");
    equal((await typed("nonsense")).type, "");
  },

  "duplex is read and checked"() {
    let asked = 0;
    new Request(SOMEWHERE, {
      method: "POST",
      body: new ReadableStream(),
      get duplex() {
        asked++;
        return "half";
      },
    });
    equal(asked, 1, "times it was read");
    throws(TypeError, () => post("x", { duplex: "full" }));
    throws(TypeError, () => new Request(SOMEWHERE, { duplex: "full" }));
  },
  "what a request refuses"() {
    throws(TypeError, () => new Request(SOMEWHERE, { body: "x" }));
    throws(TypeError, () => new Request(SOMEWHERE, { method: "TRACE" }));
    throws(TypeError, () => new Request(SOMEWHERE, { method: "a b" }));
    throws(TypeError, () => new Request(SOMEWHERE, { mode: "navigate" }));
    throws(TypeError, () => new Request("//relative"));
  },
  "methods are upper case where they are known"() {
    const methods = ["get", "delete", "head", "options", "post", "put", "patch", "other"];
    same(methods.map((method) => new Request(SOMEWHERE, { method }).method),
      ["GET", "DELETE", "HEAD", "OPTIONS", "POST", "PUT", "patch", "other"]);
  },

  async "a data: URL is a response of its own"() {
    const response = await fetch("data:text/plain;charset=x,a%20b");
    same([response.status, response.statusText, response.type, response.url],
      [200, "OK", "basic", "data:text/plain;charset=x,a%20b"]);
    same([...response.headers], [["content-type", "text/plain;charset=x"]]);
    equal(await response.text(), "a b");
    equal(await (await fetch("data:;base64,aGk=")).text(), "hi");
    await rejects(TypeError, fetch("data:;base64,*"));
    await rejects(TypeError, fetch("data:no-comma"));
  },
  async "a blob: URL is fetched with GET"() {
    const url = URL.createObjectURL(new Blob(["abc"], { type: "text/x" }));
    const response = await fetch(`${url}#fragment`);
    same([response.status, response.statusText, response.type, response.url], [200, "OK", "basic", url]);
    same([...response.headers], [["content-length", "3"], ["content-type", "text/x"]]);
    equal(await response.text(), "abc");
    equal(await (await fetch(new URL(url))).text(), "abc");
    equal(await (await fetch(` ${url.replace("blob:", "BLOB:")}`)).text(), "abc");
    for (const method of ["HEAD", "POST", "OTHER"]) await rejects(TypeError, fetch(url, { method }));
    const request = new Request(url);
    URL.revokeObjectURL(url);
    equal(await (await fetch(request)).text(), "abc");
    await rejects(TypeError, fetch(url));
    await rejects(TypeError, fetch("blob:nothing"));
  },
  async "the type of a blob: response is empty where the blob's is none"() {
    const url = URL.createObjectURL(new Blob([""], { type: "none" }));
    equal((await fetch(url)).headers.get("content-type"), "");
  },
  async "a blob: URL has ranges"() {
    const url = URL.createObjectURL(new Blob(["01234", "56789"], { type: "text/x" }));
    const ranges = {
      "bytes=2-4": [206, "234", "bytes 2-4/10"],
      "bytes=7-": [206, "789", "bytes 7-9/10"],
      "bytes=-3": [206, "789", "bytes 7-9/10"],
      "bytes=8-99": [206, "89", "bytes 8-9/10"],
      "bytes=-99": [206, "0123456789", "bytes 0-9/10"],
      "bytes \t=\t 0 - 0": [206, "0", "bytes 0-0/10"],
    };
    for (const [range, [status, text, contentRange]] of Object.entries(ranges)) {
      const response = await fetch(url, { headers: { range } });
      same([response.status, response.statusText], [status, "Partial Content"], range);
      same([...response.headers],
        [["content-length", String(text.length)], ["content-range", contentRange], ["content-type", "text/x"]], range);
      equal(await response.text(), text, range);
    }
    for (const range of ["bytes=10-", "bytes=4-2", "bytes=-", "bytes=1-2,4-5", "bytes 1-2", "items=1-2", "bytes=a-", ""]) {
      await rejects(TypeError, fetch(url, { headers: { range } }));
    }
  },
  async "an abort ends fetches and their bodies"() {
    const url = URL.createObjectURL(new Blob(["abc"]));
    for (const address of [url, "data:,abc"]) {
      const reason = { the: "reason" };
      equal(await fetch(address, { signal: AbortSignal.abort(reason) }).catch((error) => error), reason, "the reason");
      const controller = new AbortController();
      const response = await fetch(address, { signal: controller.signal });
      controller.abort(reason);
      equal(await response.text().catch((error) => error), reason, "the body's error");
    }
  },
  async "integrity is held against the body"() {
    const digest = async (name) =>
      btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest(name, new TextEncoder().encode("body")))));
    const [weak, strong] = [await digest("SHA-256"), await digest("SHA-512")];
    const get = async (integrity) => (await fetch("data:,body", { integrity })).text();
    const urlSafe = strong.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    const right = [`sha256-${weak}`, `SHA512-${strong}?option`, `sha512-AAAA  sha512-${strong}`, `sha512-${urlSafe}`, "md5-x", ""];
    for (const integrity of right) equal(await get(integrity), "body", integrity);
    // The stronger algorithm counts.
    for (const integrity of ["sha256-AAAA", `sha256-${weak} sha384-AAAA`]) await rejects(TypeError, get(integrity));
    equal(await (await fetch(new Request("data:,body", { integrity: `sha256-${weak}` }))).text(), "body");
    await rejects(TypeError, fetch(new Request("data:,body", { integrity: "sha256-AAAA" })));
    equal((await fetch("data:,body", { integrity: `sha256-${weak}` })).bodyUsed, false, "bodyUsed");
  },
  async "other schemes are network errors"() {
    for (const url of ["about:blank", "file:///", "ftp://origin.example/", "unknown:x"]) {
      await rejects(TypeError, fetch(url));
    }
    await rejects(TypeError, fetch());
    same([fetch.name, fetch.length], ["fetch", 1]);
  },
};
