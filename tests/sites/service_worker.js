// An app of the service worker format, which says what global variables its bindings are. Run here and in workerd.

const NAMES = ["VAR", "OBJ", "NUM", "a-b", "TEXT", "DATA", "WASM", "SVC", "__STATIC_CONTENT", "fetch", "URL", "NaN", "undefined", "Infinity", "gone", "console", "onerror", "dispatchEvent", "Array"];

const early = {};
for (const name of NAMES) {
  const { writable, enumerable, configurable, value, get } = Object.getOwnPropertyDescriptor(globalThis, name) ?? {};
  early[name] = [writable ?? null, enumerable ?? null, configurable ?? null, typeof value, typeof get];
}
early.values = [VAR, OBJ, NUM, globalThis["a-b"], fetch, URL, NaN, typeof undefined];
early.files = [[...TEXT].map((letter) => letter.codePointAt(0)), [...new Uint8Array(DATA)], WASM instanceof WebAssembly.Module];
early.wasm = new WebAssembly.Instance(WASM).exports.answer();
early.kinds = [SVC, __STATIC_CONTENT, DATA].map((value) => Object.prototype.toString.call(value));
early.listed = NAMES.filter((name) => Object.keys(globalThis).includes(name)).sort();
early.same = [self.VAR, globalThis.OBJ === OBJ, Object.isFrozen(OBJ)];
VAR = "changed";
early.deleted = [delete globalThis.NUM, typeof NUM];

const manifest = typeof __STATIC_CONTENT_MANIFEST === "string" ? JSON.parse(__STATIC_CONTENT_MANIFEST) : __STATIC_CONTENT_MANIFEST;

async function answer({ url }) {
  const later = {
    values: [VAR, OBJ, typeof NUM, fetch],
    file: await __STATIC_CONTENT.get(manifest["index.html"]),
    service: await (await SVC.fetch("http://other/path")).text(),
    url,
  };
  return Response.json({ early, later });
}

addEventListener("fetch", (event) => event.respondWith(answer(event.request)));
