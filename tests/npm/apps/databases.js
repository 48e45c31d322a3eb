// Uses a database through its usual drivers. The path says which. Each driver answers with what it has read.
import Redis from "ioredis";
import mysql from "mysql2/promise";
import pg from "pg";
import postgres from "postgres";
import { createClient } from "redis";

const LARGE = 1_000_000;

const drivers = {
  async pg({ DB }) {
    const client = new pg.Client({ connectionString: DB });
    await client.connect();
    await client.query("CREATE TEMP TABLE notes (id int, text text)");
    await client.query("INSERT INTO notes VALUES ($1, $2)", [1, "ä"]);
    const { rows } = await client.query("SELECT * FROM notes WHERE id = $1", [1]);
    const large = await client.query("SELECT repeat('x', $1::int) AS text", [LARGE]);
    const wrong = await client.query("SELECT nothing").catch((error) => error.code);
    await client.end();
    return [rows, large.rows[0].text.length, wrong];
  },
  async "pg-pool"({ DB }) {
    const { hostname: host, port, username: user, password, pathname } = new URL(DB);
    const database = pathname.slice(1);
    const pool = new pg.Pool({ host, port, user, password, database, max: 3 });
    const found = await Promise.all([1, 2, 3, 4, 5].map((n) => pool.query("SELECT $1::int * 2 AS n", [n])));
    await pool.end();
    return found.map(({ rows }) => rows[0].n);
  },
  async "pg-wrong"({ DB }) {
    const client = new pg.Client({ connectionString: DB.replace("secret", "wrong") });
    return client.connect().catch((error) => error.code);
  },
  async postgres({ DB }) {
    const sql = postgres(DB, { max: 2 });
    const [one, many] = await Promise.all([sql`SELECT ${"ä"} AS text`, sql`SELECT * FROM generate_series(1, ${1000}::int) AS n`]);
    await sql.end();
    return [one[0].text, many.length];
  },
  async mysql2({ DB }) {
    const client = await mysql.createConnection({ uri: DB, disableEval: true });
    await client.query("CREATE TEMPORARY TABLE notes (id int, text varchar(10))");
    await client.execute("INSERT INTO notes VALUES (?, ?)", [1, "ä"]);
    const [rows] = await client.execute("SELECT * FROM notes WHERE id = ?", [1]);
    const [large] = await client.query("SELECT repeat('x', ?) AS text", [LARGE]);
    const wrong = await client.query("SELECT nothing").catch((error) => error.code);
    await client.end();
    return [rows, large[0].text.length, wrong];
  },
  async "mysql2-pool"({ DB }) {
    const { hostname: host, port, username: user, password, pathname } = new URL(DB);
    const database = pathname.slice(1);
    const pool = mysql.createPool({ host, port, user, password, database, connectionLimit: 3, disableEval: true });
    const found = await Promise.all([1, 2, 3, 4, 5].map((n) => pool.query("SELECT ? * 2 AS n", [n])));
    await pool.end();
    return found.map(([rows]) => rows[0].n);
  },
  async ioredis({ DB }) {
    const client = new Redis(DB);
    await client.set("ioredis", "1");
    const found = [await client.get("ioredis"), await client.incr("ioredis"), await client.pipeline().get("ioredis").get("none").exec()];
    await client.quit();
    return found;
  },
  async redis({ DB }) {
    const client = createClient({ url: DB });
    client.on("error", () => {});
    await client.connect();
    await client.set("redis", "x".repeat(LARGE));
    const found = (await client.get("redis")).length;
    await client.close();
    return found;
  },
};

export default {
  async fetch(request, env) {
    try {
      return Response.json(await drivers[new URL(request.url).pathname.slice(1)](env));
    } catch (error) {
      return Response.json(`${error.stack}`);
    }
  },
};
