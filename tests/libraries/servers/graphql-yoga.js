import { createSchema, createYoga } from "graphql-yoga";
import { used } from "../used.js";

const yoga = createYoga({
  logging: false,
  schema: createSchema({
    typeDefs: "type Query { hello(name: String!): String! fail: Int } type Subscription { countdown(from: Int!): Int! }",
    resolvers: {
      Query: { hello: (_, { name }) => `hello ${name}`, fail: () => { throw new Error("secret"); } },
      Subscription: { countdown: { subscribe: async function* (_, { from }) { for (let n = from; n >= 0; n--) yield { countdown: n }; } } },
    },
  }),
});

export default used(async (env, ctx) => {
  const ask = async (query, accept = "application/json") => yoga.fetch(new Request("https://x.example/graphql", { method: "POST", headers: { "content-type": "application/json", accept }, body: JSON.stringify({ query }) }), env, ctx);
  const events = await (await ask("subscription { countdown(from: 2) }", "text/event-stream")).text();
  return [(await (await ask('{ hello(name: "ada") }')).json()).data, (await (await ask("{ fail }")).json()).errors[0].message, [2, 1, 0].every((n) => events.includes(`"countdown":${n}`))];
}, [{ hello: "hello ada" }, "Unexpected error.", true]);
