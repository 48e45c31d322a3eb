import { applyPatches, enableMapSet, enablePatches, produce, produceWithPatches } from "immer";
import { used } from "../used.js";

enablePatches();
enableMapSet();

export default used(() => {
  const before = { list: [{ done: false }], kept: {} };
  const [after, patches, inverse] = produceWithPatches(before, (draft) => {
    draft.list[0].done = true;
    draft.list.push({ done: false });
  });
  const map = produce(new Map([["a", 1]]), (draft) => void draft.set("b", 2));
  return [before.list[0].done, after.list.map((item) => item.done), after.kept === before.kept, Object.isFrozen(after), patches.length, applyPatches(after, inverse), [...map.keys()]];
}, [false, [true, false], true, true, 2, { list: [{ done: false }], kept: {} }, ["a", "b"]]);
