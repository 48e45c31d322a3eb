import { Effect, Result, Schema, Stream } from "effect";
import { used } from "../used.js";

const Person = Schema.Struct({ name: Schema.NonEmptyString, age: Schema.NumberFromString });

export default used(async () => {
  let tries = 0;
  const flaky = Effect.suspend(() => (++tries < 3 ? Effect.fail("not yet") : Effect.succeed(tries)));
  const retried = await Effect.runPromise(Effect.retry(flaky, { times: 5 }));
  const all = await Effect.runPromise(Effect.all([1, 2, 3].map((n) => Effect.delay(Effect.succeed(n * 2), "1 millis")), { concurrency: 2 }));
  const sum = await Effect.runPromise(Stream.runFold(Stream.filter(Stream.range(1, 100), (n) => n % 2 === 0), () => 0, (a, b) => a + b));
  const failed = await Effect.runPromise(Effect.result(Effect.fail("lost")));
  return [retried, all, sum, Result.isFailure(failed), Schema.decodeUnknownSync(Person)({ name: "ada", age: "36" }), Schema.is(Person)({ name: "" })];
}, [3, [2, 4, 6], 2550, true, { name: "ada", age: 36 }, false]);
