// Walks every object that an app can get hold of, and reports what it should not have found.

const FORBIDDEN_KEYS = new Set(["Deno", "__bootstrap", "__nano", "core", "ops", "primordials", "internals", "_linkedBinding"]);
const seen = new Map();
const queue = [];
const findings = [];

function found(path, what) {
  findings.push(`${path}: ${what}`);
}

function visit(value, path) {
  if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value)) return;
  seen.set(value, path);
  queue.push(value);
  if (typeof value === "function" && /^(async_)?op_/.test(value.name)) found(path, `is the raw op ${value.name}`);
}

function inspect(object) {
  const path = seen.get(object);
  visit(Reflect.getPrototypeOf(object), `${path}.__proto__`);
  for (const key of Reflect.ownKeys(object)) {
    const place = `${path}.${String(key)}`;
    if (path !== "own" && FORBIDDEN_KEYS.has(key)) found(place, "exists");
    let descriptor;
    try {
      descriptor = Reflect.getOwnPropertyDescriptor(object, key);
    } catch {
      continue;
    }
    if (descriptor === undefined) continue;
    visit(descriptor.get, `${place}[get]`);
    visit(descriptor.set, `${place}[set]`);
    visit(descriptor.value, place);
    if (descriptor.get) {
      try {
        const value = descriptor.get.call(object);
        value?.catch?.(() => {});
        visit(value, `${place}()`);
      } catch (error) {
        visit(error, `${place}(error)`);
      }
    }
  }
}

function walk(roots) {
  for (const name in roots) visit(roots[name], name);
  while (queue.length > 0) inspect(queue.shift());
}

// What internal code leaves on the stack when it calls back or throws.
const frames = [];
function capture(where) {
  const before = Error.prepareStackTrace;
  Error.prepareStackTrace = (_error, sites) => sites;
  const sites = new Error().stack;
  Error.prepareStackTrace = before;
  if (!Array.isArray(sites)) return;
  for (const site of sites) {
    frames.push({ where, thisValue: site.getThis?.(), callee: site.getFunction?.() });
  }
}

function callers(callback, where) {
  try {
    for (let caller = callback.caller, depth = 0; caller && depth < 20; caller = caller.caller, depth++) {
      visit(caller, `${where}.caller`);
      if (!OWN.has(caller)) found(`${where}.caller`, `is ${caller.name || "a function"}`);
      visit(caller.arguments, `${where}.caller.arguments`);
    }
  } catch {
    // A strict caller: nothing to see.
  }
}

// Sloppy functions, whose `caller` V8 tells: made where strict mode does not reach.
const sloppy = (name) => new Function("capture", "callers", `return function ${name}() { capture("${name}"); callers(${name}, "${name}"); }`)(capture, callers);
const OWN = new Set();

async function provoke() {
  const callback = (name) => {
    const made = sloppy(name);
    OWN.add(made);
    return made;
  };
  const tries = [
    () => setTimeout(callback("timer"), 0),
    () => queueMicrotask(callback("microtask")),
    () => new ReadableStream({ start: callback("start"), pull: callback("pull"), cancel: callback("cancel") }).cancel(),
    () => new TransformStream({ start: callback("transform") }),
    () => new WritableStream({ start: callback("write") }),
    () => new URL({ toString: callback("toString") }),
    () => new Headers({ [Symbol.iterator]: callback("iterator") }),
    () => new Request("http://a", { get method() { callback("getter")(); return "GET"; } }),
    () => new Response({ toString: callback("body") }),
    () => structuredClone({ get a() { callback("clone")(); return 1; } }),
    () => {
      const target = new EventTarget();
      target.addEventListener("x", callback("listener"));
      target.dispatchEvent(new Event("x"));
    },
    () => console.log({ [Symbol.for("nodejs.util.inspect.custom")]: callback("inspect"), get x() { callback("inspected")(); } }),
    () => new AbortController().signal.addEventListener("abort", callback("abort")),
    () => Promise.reject(new Error("unhandled")).catch(callback("catch")),
    () => crypto.subtle.digest({ get name() { callback("algorithm")(); return "SHA-1"; } }, new Uint8Array()),
    () => new Blob([{ toString: callback("blob") }]),
    () => new FormData().append({ toString: callback("form") }, "x"),
    () => new URLSearchParams({ [Symbol.iterator]: callback("params") }),
    () => performance.mark("x", { get detail() { callback("detail")(); } }),
    () => new TextDecoder({ toString: callback("label") }),
    () => new MessageChannel().port1.postMessage({ get x() { callback("message")(); } }),
    () => fetch({ toString: callback("fetched") }),
    () => reportError({ toString: callback("reported") }),
    () => new (class extends Request { constructor() { super({ toString: callback("subclass") }); } })(),
    () => HTMLRewriter && new HTMLRewriter().on({ toString: callback("selector") }, {}),
    () => import({ toString: callback("specifier") }),
  ];
  for (const attempt of tries) {
    try {
      await Promise.race([attempt(), new Promise((resolve) => setTimeout(resolve, 500))]);
    } catch (error) {
      visit(error, "thrown");
      if (/ext:|node_modules\/deno/.test(error?.stack ?? "")) found("thrown", `has an internal frame: ${error.stack}`);
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (const { where, thisValue, callee } of frames) {
    if (callee !== undefined && !OWN.has(callee) && !APP.has(callee)) found(where, `the stack gives ${callee.name || "a function"}`);
    visit(thisValue, `${where}.this`);
    visit(callee, `${where}.callee`);
  }
}
const APP = new Set([capture, visit, inspect, walk, callers, sloppy, provoke]);

const FORBIDDEN_IMPORTS = ["ext:core/ops", "ext:core/mod.js", "ext:nano_workers/app.js", "ext:deno_web/00_url.js", "node:none",
  "file:///etc/passwd", "/etc/passwd", "../nano.toml", "data:text/javascript,export default 1", "http://localhost/x.js"];

export default {
  async fetch(request, env, ctx) {
    const asyncFunction = async () => {};
    const roots = {
      globalThis,
      request,
      env,
      ctx,
      meta: import.meta,
      asyncFunction: asyncFunction.constructor,
      generator: (function* () {}).constructor,
      asyncGenerator: (async function* () {}).constructor,
      prepared: Error.prepareStackTrace,
      wasm: globalThis.WebAssembly,
    };
    const { builtinModules } = await import("node:module");
    for (const name of [...builtinModules, "sqlite", "test"]) roots[`node:${name}`] = await import(`node:${name}`);
    walk(roots);
    await provoke();
    walk({});
    for (const specifier of FORBIDDEN_IMPORTS) {
      await import(specifier).then(() => found(specifier, "can be imported"), () => {});
    }
    for (const name of ["fs", "natives", "spawn_sync"]) {
      try {
        process.binding(name);
        found(`process.binding("${name}")`, "returns");
      } catch (error) {
        if (error.code !== "ERR_METHOD_NOT_IMPLEMENTED") found("process.binding", `throws ${error}`);
      }
    }
    for (const source of ["Deno", "__bootstrap", "__nano", "require"]) {
      for (const make of [Function, asyncFunction.constructor]) {
        try {
          const value = await make(`return typeof ${source}`)();
          if (value !== "undefined") found(source, `is a ${value} to ${make.name}`);
        } catch {
          // Not there at all.
        }
      }
    }
    return Response.json({ findings, seen: seen.size, frames: frames.length });
  },
};
