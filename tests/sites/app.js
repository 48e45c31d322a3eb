// A Workers Site as wrangler's template had it, which also says what its namespace does. Run here and in workerd.

import { getAssetFromKV } from "@cloudflare/kv-asset-handler";
import manifestJSON from "__STATIC_CONTENT_MANIFEST";

const manifest = JSON.parse(manifestJSON);
const paths = Object.fromEntries(Object.entries(manifest).map(([path, key]) => [key, path]));

/** Returns a value as JSON can show it. */
async function shown(value) {
  if (value instanceof ArrayBuffer) return ["ArrayBuffer", [...new Uint8Array(value)]];
  if (value instanceof ReadableStream) return ["ReadableStream", await new Response(value).text()];
  if (value === undefined) return "undefined";
  return value;
}

async function checks(kv) {
  const results = {};
  const key = manifest["index.html"];
  const check = async (name, does) => {
    try {
      const returned = does();
      results[name] = [returned instanceof Promise, await shown(await returned)];
    } catch (error) {
      results[name] = `${error.constructor.name} ${error.name}: ${error.message}`;
    }
  };
  for (const method of ["get", "getWithMetadata"]) {
    const on = (name, does) => check(`${method} ${name}`, does);
    await on("text", () => kv[method](key));
    await on("named text", () => kv[method](key, "text"));
    for (const type of ["text", "json", "arrayBuffer", "stream"]) {
      await on(`${type} by option`, async () => {
        const got = await kv[method](manifest["data.json"], { type, cacheTtl: 60 });
        return method === "get" ? shown(got) : { ...got, value: await shown(got.value) };
      });
      await on(`nothing as ${type}`, () => kv[method]("nothing", type));
      await on(`what is empty as ${type}`, async () => {
        const got = await kv[method](manifest["empty.txt"], type);
        return shown(method === "get" ? got : got.value);
      });
    }
    await on("no JSON", () => kv[method](manifest["index.html"], { type: "json" }));
    for (const type of ["blob", 5, null, "", "TEXT", {}]) {
      await on(`type ${JSON.stringify(type)}`, () => kv[method](key, { type }));
    }
    for (const options of [null, undefined, {}, { type: undefined }, 5, true, "stream"]) {
      await on(`options ${JSON.stringify(options) ?? "undefined"}`, async () => {
        const got = await kv[method](key, options);
        return shown(method === "get" ? got : got.value);
      });
    }
    for (const name of ["", ".", "..", "x".repeat(512), "x".repeat(513), "é".repeat(257), "/etc/passwd", "a?b#c", undefined, null, 5]) {
      await on(`key ${JSON.stringify(name) ?? "undefined"}`, () => kv[method](name));
    }
    await on("an object as key", () => kv[method]({ toString: () => key }));
    await on("no key", () => kv[method]());
  }
  await check("byte order mark", async () => [...(await kv.get(manifest["bom.txt"]))].map((letter) => letter.codePointAt(0)));
  await check("large", async () => {
    const digest = await crypto.subtle.digest("SHA-256", await kv.get(manifest["large.bin"], "arrayBuffer"));
    return [...new Uint8Array(digest)];
  });
  await check("large in pieces", async () => {
    let length = 0;
    for await (const piece of await kv.get(manifest["large.bin"], "stream")) length += piece.byteLength;
    return length;
  });
  await check("many at once", async () => {
    const got = await Promise.all(Array.from({ length: 40 }, () => kv.get(manifest["data.json"], "json")));
    return got.every(({ a }) => a === 1);
  });

  const names = ({ keys }) => keys.map(({ name }) => paths[name]).sort();
  await check("list", async () => names(await kv.list()));
  await check("fields of a list", async () => {
    const { keys, ...rest } = await kv.list();
    return [Object.keys(keys[0]), rest];
  });
  await check("pages", async () => {
    const pages = [];
    let page;
    do {
      page = await kv.list({ limit: 3, cursor: page?.cursor });
      pages.push([page.keys.length, page.list_complete, typeof page.cursor]);
      if (pages.length > 9) break;
    } while (!page.list_complete);
    return pages;
  });
  await check("list of nothing", () => kv.list({ prefix: "nothing" }));
  for (const options of [null, undefined, {}, { limit: undefined, prefix: null, cursor: null }, { limit: 0 }, { limit: -1 }, { limit: "2" }, { limit: 2.5 }, { limit: "x" }, { limit: 1000 }, { cursor: "" }]) {
    await check(`list ${JSON.stringify(options) ?? "undefined"}`, async () => (await kv.list(options)).keys.length);
  }
  await check("list 5", () => kv.list(5));
  await check("list text", () => kv.list("x"));

  for (const args of [["a"], [""], [".."], []]) await check(`delete ${JSON.stringify(args)}`, () => kv.delete(...args));
  for (const args of [["", "x"], ["a"], []]) await check(`put ${JSON.stringify(args)}`, () => kv.put(...args));

  await check("shape", () => [
    Object.prototype.toString.call(kv),
    kv.constructor.name,
    typeof KvNamespace,
    Object.keys(kv),
    JSON.stringify(kv),
    Object.getOwnPropertyNames(Object.getPrototypeOf(kv)).sort(),
    kv.get.length,
    kv.list.length,
    kv.put.length,
  ]);
  await check("new", () => new kv.constructor());
  await check("clone", async () => {
    try {
      structuredClone(kv);
    } catch ({ name }) {
      return name;
    }
  });
  results.manifest = [typeof manifestJSON, Object.keys(manifest).sort()];
  return results;
}

export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    if (pathname === "/-/checks") return Response.json(await checks(env.__STATIC_CONTENT));
    if (pathname === "/-/env") return Response.json(Object.keys(env));
    try {
      return await getAssetFromKV(
        { request, waitUntil: (promise) => ctx.waitUntil(promise) },
        { ASSET_NAMESPACE: env.__STATIC_CONTENT, ASSET_MANIFEST: manifest, cacheControl: { bypassCache: true } },
      );
    } catch (error) {
      return new Response(`${error.name}: ${error.message}`, { status: error.status ?? 500 });
    }
  },
};
