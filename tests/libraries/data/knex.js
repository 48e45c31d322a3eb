import createKnex from "knex";
import { used } from "../used.js";

export default used(async (env) => {
  const knex = createKnex({ client: "pg", connection: env.POSTGRES, pool: { min: 0, max: 1 } });
  const table = `knex_${crypto.randomUUID().slice(0, 8)}`;
  await knex.schema.createTable(table, (of) => { of.increments("id"); of.string("title").notNullable(); of.integer("year"); });
  await knex(table).insert([{ title: "Emma", year: 1815 }, { title: "Dune", year: 1965 }]);
  const rows = await knex(table).where("year", ">", 1900).select("id", "title");
  const undone = await knex.transaction(async (trx) => { await trx(table).del(); throw new Error("undone"); }).catch((error) => error.message);
  const [{ count }] = await knex(table).count();
  await knex.schema.dropTable(table);
  await knex.destroy();
  return [rows, undone, count, knex("a").where({ b: 1 }).orWhereIn("c", [1, 2]).toString()];
}, [[{ id: 2, title: "Dune" }], "undone", "2", `select * from "a" where ("b" = 1) or "c" in (1, 2)`]);
