import pug from "pug";
import { used } from "../used.js";

const template = pug.compile("ul.list\n  each item in items\n    li(class=item.done ? 'done' : null)= item.name\np!= raw");

export default used(() => template({ items: [{ name: "<a>", done: true }, { name: "b" }], raw: "<hr>" }), '<ul class="list"><li class="done">&lt;a&gt;</li><li>b</li></ul><p><hr></p>');
