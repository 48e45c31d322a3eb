import { Eta } from "eta/core";
import { used } from "../used.js";

const eta = new Eta({ cache: true });
eta.loadTemplate("@item", "<li><%= it.name %></li>");
eta.loadTemplate("@page", "<% it.items.forEach((name) => { %><%~ include('@item', { name }) %><% }) %>");

export default used(() => eta.render("@page", { items: ["<a>", "b"] }), "<li>&lt;a&gt;</li><li>b</li>");
