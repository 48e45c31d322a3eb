import * as cheerio from "cheerio";
import { used } from "../used.js";

export default used(() => {
  const $ = cheerio.load('<ul><li class="a">one</li><li>two &amp; three</li></ul>');
  $("li.a").attr("id", "first").append("!");
  return [$("li").map((_, item) => $(item).text()).get(), $("ul").html(), $("li:nth-child(2)").prev().attr("id"), $.extract({ items: ["li"] })];
}, [["one!", "two & three"], '<li class="a" id="first">one!</li><li>two &amp; three</li>', "first", { items: ["one!", "two & three"] }]);
