import Redis from "ioredis";
import { used } from "../used.js";

export default used(async (env) => {
  const [client, listener] = [new Redis(env.REDIS), new Redis(env.REDIS)];
  const key = crypto.randomUUID();
  const heard = new Promise((resolve) => listener.on("message", (channel, text) => resolve(text)));
  await listener.subscribe(key);
  await client.publish(key, "news");
  await client.set(key, "1", "EX", 60);
  const found = [await client.incr(key), await client.multi().get(key).get("none").exec(), await client.eval("return ARGV[1] .. 'x'", 0, "a"), await heard];
  await Promise.all([client.quit(), listener.quit()]);
  return found;
}, [2, [[null, "2"], [null, null]], "ax", "news"]);
