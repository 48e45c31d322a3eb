import { decodeTime, monotonicFactory, ulid } from "ulid";
import { used } from "../used.js";

export default used(() => {
  const next = monotonicFactory();
  const ids = [next(1_800_000_000_000), next(1_800_000_000_000), next(1_800_000_000_000)];
  return [ulid().length, ids.every((id, at) => at === 0 || id > ids[at - 1]), decodeTime(ids[2]), ulid(1).slice(0, 10)];
}, [26, true, 1_800_000_000_000, "0000000001"]);
