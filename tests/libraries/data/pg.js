import pg from "pg";
import { used } from "../used.js";

export default used(async (env) => {
  const client = new pg.Client({ connectionString: env.POSTGRES });
  await client.connect();
  await client.query("CREATE TEMP TABLE notes (id int, text text, at timestamptz, list jsonb)");
  await client.query("INSERT INTO notes VALUES ($1, $2, $3, $4)", [1, "ä", new Date(0), JSON.stringify([1])]);
  const { rows } = await client.query("SELECT * FROM notes WHERE id = $1", [1]);
  const wrong = await client.query("SELECT nothing").catch((error) => error.code);
  await client.end();
  const pool = new pg.Pool({ connectionString: env.POSTGRES, max: 2 });
  const found = await Promise.all([1, 2, 3].map((n) => pool.query("SELECT $1::int * 2 AS n", [n])));
  await pool.end();
  return [rows, wrong, found.map(({ rows }) => rows[0].n)];
}, [[{ id: 1, text: "ä", at: "1970-01-01T00:00:00.000Z", list: [1] }], "42703", [2, 4, 6]]);
