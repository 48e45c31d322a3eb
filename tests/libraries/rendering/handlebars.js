import Handlebars from "handlebars";
import { used } from "../used.js";

// Templates become functions by their text, which Workers allow while a module is loaded and not in handlers.
Handlebars.registerHelper("loud", (text) => String(text).toUpperCase());
Handlebars.registerPartial("item", "<li>{{loud this}}</li>");
const template = Handlebars.compile("{{#each items}}{{> item}}{{else}}none{{/each}}{{{raw}}}");
template({ items: ["first"] });

export default used(() => [template({ items: ["<a>", "b"], raw: "<hr>" }), template({})], ["<li>&lt;A&gt;</li><li>B</li><hr>", "none"]);
