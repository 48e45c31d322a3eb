import { Redis } from "@upstash/redis/cloudflare";
import { used } from "../used.js";

export default used(async (env) => {
  const redis = new Redis({ url: env.UP, token: "t", enableTelemetry: false });
  const key = crypto.randomUUID();
  await redis.set(key, { a: 1 });
  const pipeline = redis.pipeline();
  pipeline.incr(`${key}-n`);
  pipeline.incr(`${key}-n`);
  return [await redis.get(key), await pipeline.exec(), await redis.get("none")];
}, [{ a: 1 }, [1, 2], null]);
