import { LRUCache } from "lru-cache";
import { used } from "../used.js";

export default used(async () => {
  const gone = [];
  const cache = new LRUCache({ max: 2, ttl: 60_000, dispose: (value, key, why) => gone.push([key, value, why]), fetchMethod: async (key) => key.toUpperCase() });
  cache.set("a", 1).set("b", 2).get("a");
  cache.set("c", 3);
  const keys = [...cache.keys()];
  return [keys, gone.slice(), await cache.fetch("d"), cache.has("b"), cache.getRemainingTTL("d") > 0];
}, [["c", "a"], [["b", 2, "evict"]], "D", false, true]);
