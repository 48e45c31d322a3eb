import async, { mapLimit } from "async";
import { used } from "../used.js";

export default used(async () => {
  const squares = await mapLimit([1, 2, 3], 2, async (n) => n * n);
  const auto = await async.auto({ a: async () => 1, b: ["a", async ({ a }) => a + 1] });
  const seen = [];
  const queue = async.queue((task, done) => setImmediate(() => done(null, seen.push(task))), 1);
  queue.push([1, 2, 3]);
  await queue.drain();
  const series = await new Promise((resolve) => async.waterfall([(next) => next(null, 1), (n, next) => next(null, n + 1)], (error, n) => resolve([error, n])));
  return [squares, auto, seen, series];
}, [[1, 4, 9], { a: 1, b: 2 }, [1, 2, 3], [null, 2]]);
