// form-data and handlebars, whose builds for Node need node:fs to load and to do their work.
import FormData from "form-data/lib/form_data.js";
import fs from "node:fs";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import Handlebars from "handlebars/lib/index.js";

export default {
  async fetch() {
    fs.writeFileSync("/tmp/page.hbs", "<p>Hello {{name}}</p>");
    const page = Handlebars.compile(await readFile("/tmp/page.hbs", "utf8"))({ name: "ada & co" });

    await promisify(fs.writeFile)("/tmp/greeting.txt", "hello files");
    const form = new FormData();
    form.append("file", fs.createReadStream("/tmp/greeting.txt"));
    const { size: length } = await promisify(fs.stat)("/tmp/greeting.txt");
    const body = [];
    form.on("data", (part) => body.push(Buffer.from(part)));
    await new Promise((resolve, reject) => form.on("end", resolve).on("error", reject).resume());
    const parsed = await new Response(Buffer.concat(body), { headers: form.getHeaders() }).formData();
    const parts = [];
    for (const [name, file] of parsed) parts.push([name, file.name, await file.text()]);
    return Response.json({ page, length, parts });
  },
};
