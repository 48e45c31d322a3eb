import initSqlJs from "sql.js";
import wasm from "sql.js/dist/sql-wasm-browser.wasm";
import { used } from "../used.js";

export default used(async () => {
  const sql = await initSqlJs({
    instantiateWasm(imports, done) {
      WebAssembly.instantiate(wasm, imports).then(done);
      return {};
    },
  });
  const db = new sql.Database();
  db.run("create table t (n integer, s text); insert into t values (1, 'one'), (2, 'two');");
  const statement = db.prepare("select * from t where n = :n");
  return [db.exec("select sum(n), group_concat(s, '-') from t")[0].values[0], statement.getAsObject({ ":n": 2 }), new sql.Database(db.export()).exec("select count(*) from t")[0].values[0][0]];
}, [[3, "one-two"], { n: 2, s: "two" }, 2]);
