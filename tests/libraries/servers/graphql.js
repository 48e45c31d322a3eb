import { buildSchema, graphql, parse, printSchema, subscribe, validate, visit } from "graphql";
import { used } from "../used.js";

const schema = buildSchema("type Query { books(after: Int = 0): [Book!]! fail: Int } type Book { title: String! year: Int } type Subscription { tick: Int }");
const books = [{ title: "Emma", year: 1815 }, { title: "Dune", year: 1965 }];
const rootValue = { books: ({ after }) => books.filter((book) => book.year > after), fail: () => { throw new Error("failed"); }, tick: async function* () { yield { tick: 1 }; yield { tick: 2 }; } };

export default used(async () => {
  const ticks = [];
  for await (const { data } of await subscribe({ schema, document: parse("subscription { tick }"), rootValue })) ticks.push(data.tick);
  const names = [];
  visit(parse("{ a b { c } }"), { Field: (node) => void names.push(node.name.value) });
  const failed = await graphql({ schema, rootValue, source: "{ fail }" });
  return [(await graphql({ schema, rootValue, source: "query($y: Int) { books(after: $y) { title } }", variableValues: { y: 1900 } })).data, failed.data, failed.errors[0].path, validate(schema, parse("{ none }"))[0].message, printSchema(schema).length > 100, ticks, names];
}, [{ books: [{ title: "Dune" }] }, { fail: null }, ["fail"], 'Cannot query field "none" on type "Query".', true, [1, 2], ["a", "b", "c"]]);
