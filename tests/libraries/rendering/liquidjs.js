import { Liquid } from "liquidjs";
import { used } from "../used.js";

const engine = new Liquid({ templates: { item: "<li>{{ item | escape }}</li>" }, outputEscape: undefined });

export default used(
  async () => [await engine.parseAndRender("{% for item in items %}{% render 'item', item: item %}{% endfor %}{{ at | date: '%Y-%m-%d' }}{{ 1 | plus: 2 }}", { items: ["<a>"], at: "2026-01-31T12:00:00Z" }), await engine.parseAndRender("{% if").catch((error) => error.name)],
  ["<li>&lt;a&gt;</li>2026-01-313", "TokenizationError"],
);
