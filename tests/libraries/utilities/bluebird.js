import Bluebird from "bluebird";
import { used } from "../used.js";

export default used(async () => {
  const mapped = await Bluebird.map([3, 1, 2], (n) => Bluebird.delay(n).then(() => n * 2), { concurrency: 2 });
  const late = await Bluebird.delay(1000).timeout(5, "too late").catch(Bluebird.TimeoutError, (error) => error.message);
  const later = Bluebird.promisify((value, done) => setTimeout(done, 1, null, value + 1));
  return [mapped, late, await later(1), await Bluebird.props({ a: Bluebird.resolve(1), b: 2 }), await Bluebird.reduce([1, 2, 3], (a, b) => a + b, 0)];
}, [[6, 2, 4], "too late", 2, { a: 1, b: 2 }, 6]);
