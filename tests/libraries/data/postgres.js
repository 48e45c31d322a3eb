import postgres from "postgres";
import { used } from "../used.js";

export default used(async (env) => {
  const sql = postgres(env.POSTGRES, { max: 2 });
  const [one] = await sql`SELECT ${"ä"} AS text, ${sql.json({ a: 1 })}::jsonb AS json`;
  const sum = await sql.begin(async (sql) => {
    await sql`CREATE TEMP TABLE numbers (n int) ON COMMIT DROP`;
    await sql`INSERT INTO numbers ${sql([{ n: 1 }, { n: 2 }])}`;
    return sql`SELECT sum(n)::int AS sum FROM numbers`;
  });
  const rows = [];
  for await (const batch of sql`SELECT * FROM generate_series(1, 5) AS n`.cursor(2)) rows.push(batch.length);
  await sql.end();
  return [one.text, one.json, sum[0].sum, rows];
}, ["ä", { a: 1 }, 3, [2, 2, 1]]);
