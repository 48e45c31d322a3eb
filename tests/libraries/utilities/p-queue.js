import PQueue from "p-queue";
import { used } from "../used.js";

export default used(async () => {
  const queue = new PQueue({ concurrency: 1, autoStart: false });
  const order = [];
  for (const [name, priority] of [["low", 0], ["high", 9]]) queue.add(async () => order.push(name), { priority });
  const failed = queue.add(() => Promise.reject(new Error("lost"))).catch((error) => error.message);
  queue.start();
  await queue.onIdle();
  return [order, await failed, queue.size];
}, [["high", "low"], "lost", 0]);
