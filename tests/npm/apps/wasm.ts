// WebAssembly packages: an SVG renderer, and a database.
import { initWasm, Resvg } from "@resvg/resvg-wasm";
import resvgWasm from "@resvg/resvg-wasm/index_bg.wasm";
import sqlWasm from "sql.js/dist/sql-wasm-browser.wasm";

const ready = initWasm(resvgWasm);

// The build for browsers asks at once where it was loaded from; it gets its module from here, so that any place will do.
Object.assign(globalThis, { location: new URL("https://app.example/") });

async function database() {
  const { default: initSqlJs } = await import("sql.js");
  const sql = await initSqlJs({
    instantiateWasm(imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) {
      WebAssembly.instantiate(sqlWasm, imports).then(done);
      return {};
    },
  });
  const db = new sql.Database();
  db.run("create table t (n integer, s text); insert into t values (1, 'one'), (2, 'two');");
  return db.exec("select sum(n), group_concat(s, '-') from t")[0].values[0];
}

export default {
  async fetch(request: Request) {
    if (new URL(request.url).pathname === "/sql") return Response.json(await database());
    await ready;
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><rect width="20" height="10" fill="red"/></svg>';
    const image = new Resvg(svg).render();
    return new Response(image.asPng(), { headers: { "content-type": "image/png", "x-size": `${image.width}x${image.height}` } });
  },
};
