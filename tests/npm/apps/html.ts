// HTML taken apart by cheerio; an app of h3.
import * as cheerio from "cheerio";
import { defineEventHandler, getQuery, H3, readBody } from "h3";

const app = new H3();
app.get("/titles", async () => {
  const $ = cheerio.load("<ul><li class=a>one</li><li>two &amp; three</li></ul>");
  $("li.a").attr("id", "first").append("!");
  return { texts: $("li").map((_, element) => $(element).text()).get(), html: $("ul").html() };
});
app.post("/echo", defineEventHandler(async (event) => ({ body: await readBody(event), query: getQuery(event) })));
app.get("/user/:name", (event) => `hello ${event.context.params?.name}`);

export default { fetch: (request: Request) => app.fetch(request) };
