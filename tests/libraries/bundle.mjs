// Bundles uses of packages as wrangler does for a compatibility date that has all modules of Node. Run by Node:
//
//   node bundle.mjs FOLDER_WITH_ESBUILD INTO SOURCE...
//
// Each source becomes a folder INTO/NAME with index.js and the modules that are no JavaScript.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import path from "node:path";

const [tools, into, ...sources] = process.argv.slice(2);
const { build } = createRequire(`${tools}/package.json`)("esbuild");

/** Modules of Node are imported from the runtime, also where CommonJS requires them, which a bundle cannot do by itself. */
const node = {
  name: "node",
  setup({ onResolve, onLoad }) {
    const filter = /^[a-z][a-z\d_]*(:|\/|$)/;
    onResolve({ filter }, ({ path, kind }) => {
      const isOfNode = path.startsWith("node:") || isBuiltin(path);
      if (!isOfNode) return undefined;
      const name = path.startsWith("node:") ? path : `node:${path}`;
      return kind === "require-call" ? { path: name, namespace: "required" } : { path: name, external: true };
    });
    onLoad({ filter: /.*/, namespace: "required" }, ({ path }) => ({ contents: `import library from "${path}";\nmodule.exports = library;` }));
    onResolve({ filter: /^cloudflare:/ }, ({ path }) => ({ path, external: true }));
  },
};

/** WebAssembly is a module of its own beside the bundle. */
const wasm = (outputs) => ({
  name: "wasm",
  setup({ onResolve, resolve }) {
    onResolve({ filter: /\.wasm$/ }, async ({ path: name, pluginData, ...options }) => {
      if (pluginData === wasm) return undefined;
      const { path: file, errors } = await resolve(name, { ...options, pluginData: wasm });
      if (errors.length > 0) return { errors };
      const contents = readFileSync(file);
      const digest = createHash("sha1").update(contents).digest("hex").slice(0, 8);
      const output = `./${digest}-${path.basename(file)}`;
      outputs.push({ path: output, contents });
      return { path: output, external: true };
    });
  },
});

for (const source of sources) {
  const folder = path.join(into, path.basename(source, ".js"));
  const modules = [];
  const { outputFiles } = await build({
    entryPoints: [source],
    bundle: true,
    write: false,
    outfile: path.join(folder, "index.js"),
    format: "esm",
    target: "es2024",
    platform: "browser",
    conditions: ["workerd", "worker", "browser"],
    mainFields: ["browser", "module", "main"],
    define: { "process.env.NODE_ENV": '"production"', "global.process.env.NODE_ENV": '"production"' },
    loader: { ".js": "jsx", ".mjs": "jsx", ".cjs": "jsx" },
    keepNames: true,
    // knex asks for the driver that is used.
    external: ["mariadb/callback"],
    logLevel: "error",
    plugins: [node, wasm(modules)],
  });
  mkdirSync(folder, { recursive: true });
  for (const { path, contents } of outputFiles) writeFileSync(path, contents);
  for (const { path: name, contents } of modules) writeFileSync(path.join(folder, name), contents);
}
