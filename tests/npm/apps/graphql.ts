// GraphQL Yoga: queries, mutations, errors, subscriptions over server-sent events.
import { createSchema, createYoga } from "graphql-yoga";

const books = [{ title: "Dune", year: 1965 }];

const yoga = createYoga({
  logging: false,
  schema: createSchema({
    typeDefs: /* GraphQL */ `
      type Book { title: String!, year: Int! }
      type Query { books(after: Int = 0): [Book!]!, fail: String }
      type Mutation { add(title: String!, year: Int!): Book! }
      type Subscription { countdown(from: Int!): Int! }
    `,
    resolvers: {
      Query: {
        books: (_: unknown, { after }: { after: number }) => books.filter((book) => book.year > after),
        fail: () => {
          throw new Error("hidden");
        },
      },
      Mutation: {
        add(_: unknown, book: { title: string; year: number }) {
          books.push(book);
          return book;
        },
      },
      Subscription: {
        countdown: {
          async *subscribe(_: unknown, { from }: { from: number }) {
            for (let n = from; n >= 0; n--) yield { countdown: n };
          },
        },
      },
    },
  }),
});

export default { fetch: yoga.fetch };
