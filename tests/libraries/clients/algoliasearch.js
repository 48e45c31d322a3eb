import { algoliasearch } from "algoliasearch";
import { used } from "../used.js";

export default used(async (env) => {
  const client = algoliasearch("APP", "key", { hosts: [{ url: new URL(env.UP).host, accept: "readWrite", protocol: "http" }] });
  const { hits, nbHits, by } = await client.searchSingleIndex({ indexName: "books", searchParams: { query: "dune" } });
  return [hits[0].title, nbHits, by];
}, ["dune", 1, "APP"]);
