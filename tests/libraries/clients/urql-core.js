import { cacheExchange, Client, fetchExchange, gql } from "@urql/core";
import { used } from "../used.js";

export default used(async (env) => {
  let fetched = 0;
  const client = new Client({ url: `${env.UP}/graphql`, preferGetMethod: false, exchanges: [cacheExchange, fetchExchange], fetch: (...args) => (fetched++, fetch(...args)) });
  const ask = () => client.query(gql`query ($name: String!) { hello(name: $name) }`, { name: "ada" }).toPromise();
  const first = await ask();
  await ask();
  return [first.data.hello, fetched, (await client.mutation("mutation { add(n: 1) }", {}).toPromise()).data.add, (await client.query("{ none }", {}).toPromise()).error.graphQLErrors.length];
}, ["hello ada", 1, 2, 1]);
