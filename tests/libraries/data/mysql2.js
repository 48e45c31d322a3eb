import mysql from "mysql2/promise";
import { used } from "../used.js";

export default used(async (env) => {
  const client = await mysql.createConnection({ uri: env.MARIADB, disableEval: true });
  await client.query("CREATE TEMPORARY TABLE notes (id int, text varchar(10))");
  await client.execute("INSERT INTO notes VALUES (?, ?)", [1, "ä"]);
  const [rows] = await client.execute("SELECT * FROM notes WHERE id = ?", [1]);
  const wrong = await client.query("SELECT nothing").catch((error) => error.code);
  await client.end();
  return [rows, wrong, mysql.format("SELECT ?? = ?", ["a", "it's"])];
}, [[{ id: 1, text: "ä" }], "ER_BAD_FIELD_ERROR", "SELECT `a` = 'it\\'s'"]);
