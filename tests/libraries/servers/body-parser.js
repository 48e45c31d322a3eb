import { createServer } from "node:http";
import bodyParser from "body-parser";
import { httpServerHandler } from "cloudflare:node";
import { used } from "../used.js";

const form = bodyParser.urlencoded({ extended: true, limit: 100 });
const handler = httpServerHandler(createServer((request, response) => form(request, response, (error) => response.end(JSON.stringify(error ? error.type : request.body)))));

export default used(async (env, ctx) => {
  const post = async (body) => (await handler.fetch(new Request("https://x.example/", { method: "POST", body, headers: { "content-length": String(body).length } }), env, ctx)).json();
  return [await post(new URLSearchParams("a[b]=1&a[c]=ä")), await post(new URLSearchParams({ a: "x".repeat(200) }))];
}, [{ a: { b: "1", c: "ä" } }, "entity.too.large"]);
