import { ApolloServer, HeaderMap } from "@apollo/server";
import { used } from "../used.js";

const server = new ApolloServer({ typeDefs: "type Query { hello(name: String!): String! }", resolvers: { Query: { hello: (_, { name }, { who }) => `hello ${name} from ${who}` } }, introspection: false, csrfPrevention: true, includeStacktraceInErrorResponses: false });
server.startInBackgroundHandlingStartupErrorsByLoggingAndFailingAllRequests();

export default used(async () => {
  const ask = async (body, headers = { "content-type": "application/json" }) => {
    const answer = await server.executeHTTPGraphQLRequest({ httpGraphQLRequest: { method: "POST", headers: new HeaderMap(Object.entries(headers)), search: "", body }, context: async () => ({ who: "apollo" }) });
    return [answer.status ?? 200, JSON.parse(answer.body.string)];
  };
  const { body } = await server.executeOperation({ query: '{ hello(name: "x") }' }, { contextValue: { who: "y" } });
  return [await ask({ query: 'query Q($n: String!) { hello(name: $n) }', variables: { n: "ada" } }), (await ask({ query: "{ __schema { types { name } } }" }))[1].errors[0].extensions.code, body.singleResult.data];
}, [[200, { data: { hello: "hello ada from apollo" } }], "GRAPHQL_VALIDATION_FAILED", { hello: "hello x from y" }]);
