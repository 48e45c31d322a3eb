import { eq, gt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { integer, pgTable, serial, text } from "drizzle-orm/pg-core";
import pg from "pg";
import { used } from "../used.js";

export default used(async (env) => {
  const books = pgTable(`drizzle_${crypto.randomUUID().slice(0, 8)}`, { id: serial().primaryKey(), title: text().notNull(), year: integer() });
  const pool = new pg.Pool({ connectionString: env.POSTGRES, max: 1 });
  const db = drizzle(pool);
  await db.execute(sql`CREATE TABLE ${books} (id serial PRIMARY KEY, title text NOT NULL, year int)`);
  const added = await db.insert(books).values([{ title: "Emma", year: 1815 }, { title: "Dune", year: 1965 }]).returning({ id: books.id });
  await db.update(books).set({ title: "Dune!" }).where(eq(books.id, 2));
  const found = await db.select().from(books).where(gt(books.year, 1900));
  await db.execute(sql`DROP TABLE ${books}`);
  await pool.end();
  return [added, found];
}, [[{ id: 1 }, { id: 2 }], [{ id: 2, title: "Dune!", year: 1965 }]]);
