import { ClientError, gql, GraphQLClient } from "graphql-request";
import { used } from "../used.js";

export default used(async (env) => {
  const client = new GraphQLClient(`${env.UP}/graphql`, { headers: { "x-own": "1" } });
  const failed = await client.request(gql`{ none }`).catch((error) => [error instanceof ClientError, error.response.errors[0].message]);
  return [await client.request(gql`query ($name: String!) { hello(name: $name) }`, { name: "ada" }), failed];
}, [{ hello: "hello ada" }, [true, 'Cannot query field "none" on type "Query".']]);
