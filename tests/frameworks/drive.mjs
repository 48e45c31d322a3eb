// What every app of this folder does, whatever framework it is made with: asked over HTTP, and used in a Chromium. The same build is
// driven here and under workerd, which wrangler starts as it does for whoever develops the app, and what is seen must be the same.
// Without WORKERD, where wrangler has the app, it is driven here alone.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { compare } from "./compare.mjs";
import { requests } from "./requests.mjs";

const { APP, FRAMEWORK, PACKAGES, PATH, WORKERD } = process.env;
const { chromium } = createRequire(`${PACKAGES}/`)("playwright-core");

/** Far beyond what anything takes. */
const DEADLINE = 60_000;

/** Pages are streamed to people only. A robot gets them whole, and a browser is one if it says that it is headless. */
const userAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

/** Waits until `find` finds something. */
async function until(what, find) {
  for (const begun = Date.now(); Date.now() - begun < DEADLINE; ) {
    const found = await find();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`waited in vain until ${what}`);
}

/** A server that answers when it is opened: a page that waits for it shows what it sends before that. */
async function gate() {
  const waiting = [];
  const server = createServer((_, response) => waiting.push(response)).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    path: `/stream?gate=${encodeURIComponent(`http://127.0.0.1:${server.address().port}/`)}`,
    async open() {
      const response = await until("the app asks", () => waiting.shift());
      response.end("late");
    },
    close: () => server.close(),
  };
}

const executablePath = PATH.split(":").map((folder) => `${folder}/chromium`).find(existsSync);
// Root cannot use Chromium's sandbox; all it shows here are our pages.
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"], timeout: DEADLINE });
// The same for both, because its address is in what an app sends.
const late = await gate();

/**
 * Holds the app that is served at `base` to what each of these apps does. Returns what was seen, by the name of what was done.
 * `accepted` are headers of each request.
 */
async function drive(base, accepted) {
  const seen = new Map();
  let current = "";

  /** Runs one part. What fails in it is told with its name. */
  async function part(name, run) {
    current = name;
    try {
      await run();
    } catch (error) {
      throw new Error(`${base}: ${name}: ${error.message}`, { cause: error });
    }
  }

  /** Keeps what was seen, for a comparison. */
  function see(what, value) {
    const name = `${current}: ${what}`;
    assert.ok(!seen.has(name), `${name} is seen twice`);
    seen.set(name, value);
  }

  /** Asks for a path, and returns the answer with its text. */
  async function ask(path, { name = "", ...options } = {}) {
    const headers = { ...accepted, ...options.headers };
    const response = await fetch(new URL(path, base), { redirect: "manual", signal: AbortSignal.timeout(DEADLINE), ...options, headers });
    const { status } = response;
    const text = await response.text();
    see(`${options.method ?? "GET"} ${path}${name && ` ${name}`}`, { status, headers: Object.fromEntries(response.headers), text });
    return { response, status, type: response.headers.get("content-type") ?? "", text };
  }

  await part("server rendering", async () => {
    const { status, type, text } = await ask("/?visitor=%3Cb%3EAda");
    assert.equal(status, 200, text);
    assert.match(type, /^text\/html/);
    assert.match(text, /made for (<!-- -->)?&lt;b(&gt;|>)Ada/);
  });

  await part("assets", async () => {
    const note = await ask("/note.txt");
    assert.deepEqual([note.status, note.text], [200, "a note\n"]);
    const again = await ask("/note.txt", { name: "again", headers: { "if-none-match": note.response.headers.get("etag") } });
    assert.equal(again.status, 304);
    const { text } = await ask("/");
    const linked = [...text.matchAll(/(?:src|href|url)="([^"#]+\.(?:m?js|css))"/g)].map(([, path]) => path);
    assert.notEqual(linked.length, 0, "the page links no file");
    for (const path of new Set(linked)) {
      const file = await ask(path);
      assert.equal(file.status, 200, path);
      assert.match(file.type, path.endsWith("css") ? /^text\/css/ : /^(text|application)\/javascript/, path);
    }
  });

  await part("API", async () => {
    const got = await ask("/api/hello?name=Ada");
    assert.deepEqual([got.status, got.text], [200, '{"hello":"Ada"}']);
    assert.match(got.type, /^application\/json/);
    const headers = { "content-type": "application/json" };
    const posted = await ask("/api/hello", { method: "POST", headers, body: '{"name":"Grace"}' });
    assert.deepEqual([posted.status, posted.text], [200, '{"hello":"Grace"}']);
  });

  await part("404", async () => {
    for (const more of [{}, { "sec-fetch-mode": "navigate" }]) {
      const name = Object.keys(more).join();
      const { status, text } = await ask("/nowhere", { name, headers: { accept: "text/html", ...more } });
      assert.equal(status, 404, text);
      assert.match(text, /nothing here/);
    }
  });

  await part("streaming", async () => {
    const headers = { ...accepted, "user-agent": userAgent };
    const { status, body } = await fetch(new URL(late.path, base), { headers, signal: AbortSignal.timeout(DEADLINE) });
    let text = "";
    for await (const piece of body.pipeThrough(new TextDecoderStream())) {
      const waited = text.includes("waiting");
      text += piece;
      if (!waited && text.includes("waiting")) {
        assert.doesNotMatch(text, />late</);
        await late.open();
      }
    }
    assert.match(text, /late/);
    see("GET", { status, text });
  });

  await part("further requests", async () => {
    for (const { path, ...options } of requests) await ask(path, options);
  });

  /** Shows a page to `look`. Nothing may go wrong in it that a user of its developer tools would see. */
  async function show(path, look, options) {
    const context = await browser.newContext({ userAgent, extraHTTPHeaders: accepted, ...options });
    context.setDefaultTimeout(DEADLINE);
    const page = await context.newPage();
    const [problems, responses] = [[], new Map()];
    page.on("console", (message) => {
      // Chromium asks for this one if the page has not named its icon in time.
      if (new URL("/favicon.ico", base).href === message.location().url) return;
      if (["error", "warning"].includes(message.type())) problems.push(`${message.text()} (${message.location().url})`);
    });
    page.on("pageerror", (error) => problems.push(String(error.stack ?? error)));
    page.on("response", (response) => {
      const type = response.headers()["content-type"];
      // A page that is shown again asks whether its files have changed.
      if (response.status() !== 304) responses.set(`${response.request().method()} ${response.url()}`, `${response.status()} ${type}`);
      if (response.status() >= 400) problems.push(`${response.status()} for ${response.url()}`);
    });
    let content;
    try {
      await page.goto(new URL(path, base).href, { waitUntil: "commit" });
      await look(page);
      await page.waitForLoadState("networkidle");
      content = await page.content();
    } catch (error) {
      throw new Error(`${error.message}\n${problems.join("\n")}`, { cause: error });
    }
    await context.close();
    assert.deepEqual(problems, []);
    see("the page", { content, responses: [...responses] });
  }

  const says = (page, id, text) => until(`#${id} says ${text}`, async () => (await page.locator(`#${id}`).textContent()) === text);

  await part("hydration", () =>
    show("/?visitor=Ada", async (page) => {
      const count = page.locator("#count");
      assert.equal(await count.textContent(), "count 0");
      await says(page, "visitor", "made for Ada");
      // A click before the page is alive has no effect.
      await until("the page is alive", async () => {
        await count.click();
        return (await count.textContent()) === "count 1";
      });
      await count.click();
      await says(page, "count", "count 2");
      await says(page, "visitor", "made for Ada");
      assert.equal(await page.locator("h1").evaluate((heading) => getComputedStyle(heading).color), "rgb(0, 90, 0)", "the style sheet");
    }));

  await part("navigation", () =>
    show("/", async (page) => {
      await page.getByRole("link", { name: "about" }).click();
      await says(page, "about", "about this app");
      assert.equal(new URL(page.url()).pathname.replace(/\/$/, ""), "/about");
      await page.goBack();
      await says(page, "count", "count 0");
    }));

  for (const javaScriptEnabled of [true, false]) {
    await part(`form post ${javaScriptEnabled ? "with" : "without"} JavaScript in the browser`, () =>
      show("/form", async (page) => {
        await page.waitForLoadState("networkidle");
        await page.locator("#name").fill("Grace & Ada");
        await page.locator("#send").click();
        await says(page, "greeting", "hello Grace & Ada");
      }, { javaScriptEnabled }));
  }

  await part("streaming to the browser", () =>
    show(late.path, async (page) => {
      await page.getByText("waiting").waitFor();
      assert.equal(await page.getByText("late", { exact: true }).count(), 0);
      await late.open();
      await page.getByText("late", { exact: true }).waitFor();
    }));
  return seen;
}

const ours = { base: APP, seen: await drive(APP, {}) };
if (WORKERD) {
  // wrangler keeps the parts of a page that it compresses until there is enough of them.
  const theirs = { base: WORKERD, seen: await drive(WORKERD, { "accept-encoding": "identity" }) };
  compare(FRAMEWORK, ours, theirs);
}
late.close();
await browser.close();
console.log(WORKERD ? "all is well, and as under workerd" : "all is well");
