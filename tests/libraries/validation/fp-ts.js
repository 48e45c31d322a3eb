import * as A from "fp-ts/Array";
import * as E from "fp-ts/Either";
import { pipe } from "fp-ts/function";
import * as O from "fp-ts/Option";
import * as TE from "fp-ts/TaskEither";
import { used } from "../used.js";

export default used(async () => {
  const parse = (text) => (Number.isNaN(Number(text)) ? E.left(`not a number: ${text}`) : E.right(Number(text)));
  const task = pipe(TE.tryCatch(() => Promise.reject(new Error("lost")), (error) => error.message), TE.orElse((message) => TE.right(message.length)));
  return [pipe(["1", "2"], A.traverse(E.Applicative)(parse)), A.traverse(E.Applicative)(parse)(["1", "x"]), await task(), pipe(O.fromNullable(null), O.getOrElse(() => "none"))];
}, [{ _tag: "Right", right: [1, 2] }, { _tag: "Left", left: "not a number: x" }, { _tag: "Right", right: 4 }, "none"]);
