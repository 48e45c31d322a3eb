import Mustache from "mustache";
import { used } from "../used.js";

export default used(
  () => [Mustache.render("{{#items}}<li>{{.}}</li>{{/items}}{{^none}}none{{/none}}{{{raw}}}{{> part}}", { items: ["<a>"], raw: "<hr>", n: 1 }, { part: "{{n}}" }), Mustache.parse("{{a}}")[0].slice(0, 2)],
  ["<li>&lt;a&gt;</li>none<hr>1", ["name", "a"]],
);
