import { Kysely, PostgresDialect, sql } from "kysely";
import pg from "pg";
import { used } from "../used.js";

export default used(async (env) => {
  const db = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: env.POSTGRES, max: 1 }) }) });
  const table = `kysely_${crypto.randomUUID().slice(0, 8)}`;
  await db.schema.createTable(table).addColumn("id", "serial", (of) => of.primaryKey()).addColumn("title", "text").execute();
  const { id } = await db.insertInto(table).values([{ title: "Dune" }]).returning("id").executeTakeFirst();
  const rows = await db.selectFrom(table).select(["title", sql`upper(title)`.as("loud")]).where("id", "=", id).execute();
  await db.schema.dropTable(table).execute();
  const { sql: text, parameters } = db.selectFrom("a").innerJoin("b", "a.id", "b.id").selectAll().where("a.x", "in", [1, 2]).compile();
  await db.destroy();
  return [id, rows, text, parameters];
}, [1, [{ title: "Dune", loud: "DUNE" }], 'select * from "a" inner join "b" on "a"."id" = "b"."id" where "a"."x" in ($1, $2)', [1, 2]]);
