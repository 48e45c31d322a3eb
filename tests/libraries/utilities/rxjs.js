import { concatMap, debounceTime, from, interval, lastValueFrom, map, mergeMap, of, retry, Subject, take, throwError, toArray } from "rxjs";
import { used } from "../used.js";

export default used(async () => {
  let tries = 0;
  const flaky = from([0]).pipe(mergeMap(() => (++tries < 3 ? throwError(() => new Error("no")) : of(tries))), retry(5));
  const subject = new Subject();
  const debounced = lastValueFrom(subject.pipe(debounceTime(1), toArray()));
  subject.next(1);
  subject.next(2);
  subject.complete();
  return [await lastValueFrom(interval(1).pipe(take(3), map((n) => n * 2), toArray())), await lastValueFrom(flaky), await debounced, await lastValueFrom(from([1, 2]).pipe(concatMap(async (n) => n + 1), toArray()))];
}, [[0, 2, 4], 3, [2], [2, 3]]);
