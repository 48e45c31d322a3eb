import pLimit from "p-limit";
import { used } from "../used.js";

export default used(async () => {
  const limit = pLimit(2);
  let [running, most] = [0, 0];
  const work = (n) => limit(async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 1));
    running--;
    return n * n;
  });
  return [await Promise.all([1, 2, 3, 4, 5].map(work)), most, limit.pendingCount];
}, [[1, 4, 9, 16, 25], 2, 0]);
