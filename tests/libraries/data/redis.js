import { createClient } from "redis";
import { used } from "../used.js";

export default used(async (env) => {
  const client = createClient({ url: env.REDIS });
  client.on("error", () => {});
  await client.connect();
  const key = crypto.randomUUID();
  await client.hSet(key, { a: "1", b: "ä" });
  const keys = [];
  for await (const batch of client.scanIterator({ MATCH: key })) keys.push(...batch);
  const found = [{ ...await client.hGetAll(key) }, await client.multi().hIncrBy(key, "a", 2).hLen(key).exec(), keys.length];
  await client.close();
  return found;
}, [{ a: "1", b: "ä" }, [3, 2], 1]);
