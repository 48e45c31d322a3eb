import { initTRPC, TRPCError } from "@trpc/server";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { used } from "../used.js";

const t = initTRPC.context().create();
const router = t.router({
  hello: t.procedure.input((value) => String(value)).query(({ input, ctx }) => `hello ${input} from ${ctx.who}`),
  add: t.procedure.mutation(() => { throw new TRPCError({ code: "FORBIDDEN", message: "not you" }); }),
  count: t.procedure.subscription(async function* () { yield 1; yield 2; }),
});

export default used(async () => {
  const ask = async (path, init) => fetchRequestHandler({ endpoint: "/trpc", req: new Request(`https://x.example/trpc/${path}`, init), router, createContext: () => ({ who: "ada" }) });
  const batch = await (await ask(`hello,hello?batch=1&input=${encodeURIComponent('{"0":"a","1":"b"}')}`)).json();
  const refused = await ask("add", { method: "POST", body: "{}", headers: { "content-type": "application/json" } });
  const counted = await (await ask("count")).text();
  return [batch.map((one) => one.result.data), refused.status, (await refused.json()).error.message, counted.match(/^data: \d$/gm)];
}, [["hello a from ada", "hello b from ada"], 403, "not you", ["data: 1", "data: 2"]]);
