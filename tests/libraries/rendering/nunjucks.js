import nunjucks from "nunjucks";
import { used } from "../used.js";

const templates = { "base.html": "<h1>{% block title %}{% endblock %}</h1>", "page.html": '{% extends "base.html" %}{% block title %}{{ name | upper }}{% for n in list %}{{ loop.index }}{{ n }}{% endfor %}{% endblock %}' };
const loader = { getSource: (name) => ({ src: templates[name], path: name, noCache: false }) };
const environment = new nunjucks.Environment(loader, { autoescape: true });
const page = environment.getTemplate("page.html", true);
environment.getTemplate("base.html", true);

export default used(() => page.render({ name: "<ada>", list: ["a", "b"] }), "<h1>&lt;ADA&gt;1a2b</h1>");
