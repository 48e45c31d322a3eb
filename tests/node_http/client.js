// What the clients of node:http and node:https do, by name. The server is that of tests/node_http.rs.
import http, { Agent, ClientRequest, IncomingMessage, request } from "node:http";
import https from "node:https";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

const EVENTS = ["socket", "information", "continue", "response", "upgrade", "timeout", "finish", "abort", "error", "close"];

function told(value) {
  if (value instanceof Uint8Array) return String(Buffer.from(value));
  if (value instanceof IncomingMessage) return `response ${value.statusCode}`;
  if (value instanceof Error) return { name: value.name, message: value.message, code: value.code };
  return value;
}

/** Returns a list to which every event of a request is added. */
function events(emitter, names = EVENTS) {
  const list = [];
  for (const name of names) emitter.on(name, (...values) => list.push([name, ...values.map(told)]));
  return list;
}

const once = (emitter, name) => new Promise((resolve) => emitter.once(name, resolve));
const caught = (action) => {
  try {
    return ["returned", told(action())];
  } catch (error) {
    return told(error);
  }
};

/** Sends a request and collects the text of its response. */
async function ask(options, body, send = http.request) {
  const asked = typeof options === "string" ? send(options) : send(options);
  const answered = new Promise((resolve, reject) => asked.once("response", resolve).once("error", reject));
  asked.end(body);
  const response = await answered;
  response.setEncoding("utf8");
  let text = "";
  for await (const part of response) text += part;
  return { response, text };
}

export default {
  async fetch(_, env) {
    const { hostname, port } = new URL(env.UP);
    const to = (path, more = {}) => ({ hostname, port, path, ...more });
    const results = {};
    const check = async (name, action) => {
      try {
        results[name] = await Promise.race([action(), scheduler.wait(20_000).then(() => "it never settles")]);
      } catch (error) {
        results[name] = { thrown: told(error) };
      }
    };
    await check("get", async () => {
      const { response, text } = await ask(to("/echo?a=1&b=%20", { headers: { "X-One": "1", "x-many": ["a", "b"] } }));
      const { method, url, headers } = JSON.parse(text);
      const { statusCode, statusMessage, httpVersion, complete, aborted, rawHeaders, trailers } = response;
      return {
        method, url, one: headers["x-one"], many: headers["x-many"], host: headers.host === `${hostname}:${port}`,
        type: response.headers["content-type"], distinct: response.headersDistinct["content-type"], own: response.url === `${env.UP}${url}`,
        statusCode, statusMessage, httpVersion, complete, aborted, rawHeaders, trailers,
      };
    });
    await check("get by URL", async () => {
      const response = await new Promise((resolve, reject) => http.get(`${env.UP}/echo?x`, resolve).on("error", reject));
      const parts = [];
      for await (const part of response) parts.push(part);
      return [Buffer.concat(parts).length > 0, parts[0] instanceof Buffer, JSON.parse(Buffer.concat(parts)).url];
    });
    await check("a URL and options", async () => {
      const asked = request(new URL(`${env.UP}/one`), { path: "/echo?two", method: "put" });
      asked.end("body");
      const response = await once(asked, "response");
      return JSON.parse(await new Response(Readable.toWeb(response)).text()).method;
    });
    await check("post", async () => {
      const asked = http.request(to("/echo", { method: "POST", headers: { "content-type": "text/plain" } }));
      const [list, closed] = [events(asked), once(asked, "close")];
      const returned = [asked.write("one "), asked.write(Buffer.from("two ")), asked.write(new Uint8Array([51, 32]))];
      asked.end("four", "utf8", () => list.push(["ended"]));
      const before = [asked.writableEnded, asked.finished, asked.headersSent, asked.destroyed];
      const response = await once(asked, "response");
      const text = await new Response(Readable.toWeb(response)).text();
      await closed;
      const { method, headers, body } = JSON.parse(text);
      return { returned, before, method, type: headers["content-type"], body, list, after: [asked.destroyed, asked.closed, asked.writableFinished] };
    });
    await check("a body from a stream", async () => {
      const asked = http.request(to("/echo", { method: "POST" }));
      const answered = once(asked, "response");
      await pipeline(Readable.from(["a", "b", "c"]), asked);
      const { body } = JSON.parse(await new Response(Readable.toWeb(await answered)).text());
      return body;
    });
    await check("a body of a GET", async () => JSON.parse((await ask(to("/echo"), "ignored")).text).body);
    await check("a large body both ways", async () => {
      const { text } = await ask(to("/whole", { method: "POST" }), "x".repeat(1 << 20));
      return [text.length, text === "x".repeat(1 << 20)];
    });
    await check("a response in parts", async () => {
      const response = await new Promise((resolve) => http.get(to("/parts"), resolve));
      const parts = [];
      response.on("data", (part) => parts.push(String(part)));
      await once(response, "end");
      return [parts.join(""), response.complete, response.headers["transfer-encoding"] ?? null];
    });
    await check("pausing", async () => {
      const response = await new Promise((resolve) => http.get(to("/parts"), resolve));
      response.pause();
      const before = response.isPaused();
      response.resume();
      let length = 0;
      response.on("data", (part) => length += part.length);
      await once(response, "end");
      return [before, length];
    });
    await check("compressed", async () => {
      const response = await new Promise((resolve) => http.get(to("/gzip"), resolve));
      const parts = [];
      for await (const part of response) parts.push(part);
      const bytes = Buffer.concat(parts);
      const plain = await new Response(new Response(bytes).body.pipeThrough(new DecompressionStream("gzip"))).text();
      return [response.headers["content-encoding"], response.headers["content-length"], bytes.length, plain];
    });
    for (const [path, code] of [["/moved", 302], ["/nothing", 204], ["/unchanged", 304], ["/missing", 404], ["/broken", 500]]) {
      await check(`status ${code}`, async () => {
        const { response, text } = await ask(to(path));
        return [response.statusCode, response.statusMessage, response.headers.location ?? null, text];
      });
    }
    await check("HEAD", async () => {
      const { response, text } = await ask(to("/whole", { method: "HEAD" }));
      return [response.statusCode, text, response.complete];
    });
    await check("several cookies", async () => {
      const { response } = await ask(to("/cookies"));
      return [response.headers["set-cookie"], response.headersDistinct["set-cookie"]];
    });
    await check("names of header fields", async () => {
      const asked = http.request(to("/echo"));
      asked.setHeader("X-Case", "1").setHeader("x-list", ["a", "b"]);
      asked.appendHeader("x-list", "c");
      const told = [asked.getHeader("x-case"), asked.getHeaderNames(), asked.getRawHeaderNames(), asked.hasHeader("X-LIST"), asked.getHeaders()["x-list"]];
      asked.removeHeader("x-case");
      asked.setHeaders(new Map([["x-map", "m"]]));
      told.push(asked.getHeaderNames());
      asked.end();
      const { headers } = JSON.parse(await new Response(Readable.toWeb(await once(asked, "response"))).text());
      return [told.map((value) => Array.isArray(value) ? value.filter((name) => name !== "host" && name !== "Host") : value), headers["x-list"], headers["x-map"], headers["x-case"] ?? null];
    });
    await check("header fields as a list", async () => JSON.parse((await ask(to("/echo", { headers: ["x-a", "1", "host", "example.com"] }))).text).headers["x-a"]);
    await check("no host", async () => {
      const { response, text } = await ask(to("/echo", { setHost: false }));
      return [response.statusCode, text];
    });
    await check("Basic", async () => JSON.parse((await ask(to("/echo", { auth: "ada:hush" }))).text).headers.authorization);
    await check("Expect", async () => {
      const asked = http.request(to("/echo", { method: "POST", headers: { expect: "100-continue" } }));
      const list = events(asked);
      asked.end("body");
      const response = await once(asked, "response");
      const { body } = JSON.parse(await new Response(Readable.toWeb(response)).text());
      return [body, list.map(([name]) => name).filter((name) => name === "continue")];
    });
    await check("fields that Fetch forbids", async () => {
      const headers = { connection: "close", te: "trailers", "keep-alive": "timeout=5", "accept-encoding": "identity", "user-agent": "own", cookie: "a=b", referer: "http://a/", origin: "http://b", date: "today" };
      const got = JSON.parse((await ask(to("/echo", { headers }))).text).headers;
      return ["accept-encoding", "user-agent", "cookie", "referer", "origin", "date"].map((name) => got[name] ?? null);
    });
    await check("an agent", async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const replies = await Promise.all([1, 2, 3].map((number) => ask(to(`/echo?${number}`, { agent }))));
      const names = [agent.getName(to("/")), agent.getName(), agent.getName({ host: "a", port: 1, localAddress: "b", family: 4 })];
      agent.destroy();
      return [replies.map(({ text }) => JSON.parse(text).url), names.map((name) => name.replace(port, "PORT")), agent.protocol, agent.defaultPort, agent.maxSockets, Object.keys(agent.sockets)];
    });
    await check("no agent", async () => JSON.parse((await ask(to("/echo", { agent: false }))).text).method);
    await check("agents of https", () => {
      const agent = new https.Agent({ rejectUnauthorized: false });
      return [agent.protocol, agent.defaultPort, agent instanceof http.Agent, agent.getName({ host: "a", servername: "b" }), https.globalAgent.options.timeout];
    });
    await check("a time-out", async () => {
      const asked = http.request(to("/hang", { timeout: 50 }));
      const list = events(asked);
      asked.end();
      await once(asked, "close");
      return [list, asked.destroyed];
    });
    await check("a time-out, set later", async () => {
      const asked = http.get(to("/hang"));
      const list = events(asked);
      asked.setTimeout(50, () => { list.push(["called"]); asked.destroy(new Error("too late")); });
      await once(asked, "close");
      return list;
    });
    await check("a time-out of a body", async () => {
      const asked = http.get(to("/stalls"));
      const [list, closed] = [events(asked, ["timeout", "error", "close"]), once(asked, "close")];
      const response = await once(asked, "response");
      const of = events(response, ["aborted", "end", "error", "close", "timeout"]);
      await once(response, "data");
      response.setTimeout(50);
      await closed;
      return [list, of];
    });
    await check("destroyed before", async () => {
      const asked = http.request(to("/hang"));
      const list = events(asked);
      asked.destroy();
      asked.end();
      await once(asked, "close");
      return [list, asked.destroyed, asked.errored ?? null];
    });
    await check("destroyed with an error", async () => {
      const asked = http.get(to("/hang"));
      const list = events(asked);
      await once(asked, "finish");
      asked.destroy(new Error("given up"));
      await once(asked, "close");
      return list;
    });
    await check("aborted", async () => {
      const asked = http.get(to("/hang"));
      const list = events(asked);
      await once(asked, "finish");
      asked.abort();
      await once(asked, "close");
      return [list, asked.aborted];
    });
    await check("a signal", async () => {
      const controller = new AbortController();
      const asked = http.get(to("/hang", { signal: controller.signal }));
      const list = events(asked);
      await once(asked, "finish");
      controller.abort();
      await once(asked, "close");
      return list;
    });
    await check("a response that is destroyed", async () => {
      const asked = http.get(to("/stalls"));
      const list = events(asked, ["error", "close"]);
      const response = await once(asked, "response");
      const of = events(response, ["aborted", "end", "error", "close"]);
      await once(response, "data");
      response.destroy();
      await once(asked, "close");
      return [list, of, response.aborted, response.complete];
    });
    await check("a response that breaks off", async () => {
      const asked = http.get(to("/cut"));
      const list = events(asked, ["error", "close"]);
      const response = await once(asked, "response");
      const of = events(response, ["aborted", "end", "close"]);
      response.on("error", () => of.push("error"));
      response.resume();
      await once(asked, "close");
      return [list.map(([name]) => name), of, response.complete];
    });
    await check("no server", async () => {
      const asked = http.get(`http://127.0.0.1:${env.CLOSED ?? 1}/`);
      const list = events(asked, ["response", "close"]);
      const closed = once(asked, "close");
      const error = await once(asked, "error");
      await closed;
      return [error instanceof Error, list];
    });
    await check("what nobody reads", async () => {
      const asked = http.get(to("/parts"));
      await once(asked, "close");
      return [asked.res.complete, asked.res._dumped];
    });
    await check("a write after the end", async () => {
      const asked = http.request(to("/echo", { method: "POST" }));
      const list = events(asked, ["error", "finish"]);
      asked.end("x");
      await once(asked, "finish");
      asked.write("y", (error) => list.push(told(error)));
      const response = await once(asked, "response");
      response.resume();
      await once(response, "end");
      return list;
    });
    await check("what may not be written", () => {
      const asked = http.request(to("/echo", { method: "POST" }));
      asked.on("error", () => {});
      const found = [caught(() => asked.write(5)), caught(() => asked.write(null)), caught(() => asked.write({}))];
      asked.destroy();
      return found;
    });
    await check("arguments", () => [
      caught(() => http.request(to("/a b"))), caught(() => http.request(to("//other"))),
      caught(() => http.request(to("http://other/"))), caught(() => http.request(to("/", { method: "A B" }))),
      caught(() => http.request(to("/", { method: 5 }))), caught(() => http.request(to("/", { agent: {} }))),
      caught(() => http.request(to("/", { protocol: "https:" }))), caught(() => http.request("https://localhost/")),
      caught(() => https.request("http://localhost/")), caught(() => http.request({ hostname: 5 })),
      caught(() => http.request(to("/", { timeout: "x" }))), caught(() => http.request(to("/", { timeout: -1 }))),
      caught(() => http.request(to("/", { headers: { "a b": "c" } }))), caught(() => http.request(to("/", { headers: { a: "\u0001" } }))),
      caught(() => http.request(to("/", { headers: { a: undefined } }))), caught(() => http.request(to("/", { headers: ["a"] }))),
      caught(() => http.request(to("/", { headers: { host: ["a"] } }))),
      caught(() => http.request(to("/", { createConnection() {} }))), caught(() => http.request(to("/", { lookup() {} }))),
      caught(() => http.request(to("/", { socketPath: "/a" }))), caught(() => http.request(to("/", { maxHeaderSize: 5 }))),
      caught(() => http.request(to("/", { insecureHTTPParser: 5 }))), caught(() => http.request(to("/", { joinDuplicateHeaders: 5 }))),
      caught(() => new Agent({ scheduling: "x" })), caught(() => new Agent({ maxTotalSockets: "x" })), caught(() => new Agent().createConnection()),
      caught(() => http.validateHeaderName("")), caught(() => http.validateHeaderValue("a", undefined)), caught(() => http.validateHeaderValue("a", "\n")),
      caught(() => http.setMaxIdleHTTPParsers(0)), caught(() => http._connectionListener()),
      caught(() => new ClientRequest({ port: 1 }).addTrailers()), caught(() => new ClientRequest({ port: 1 }).setNoDelay(5)),
    ]);
    await check("numbers and names", () => [
      http.METHODS, http.STATUS_CODES, http.maxHeaderSize, http.globalAgent.keepAlive, http.Agent.defaultMaxSockets,
      Object.getOwnPropertyNames(http.ClientRequest.prototype).sort(), Object.getOwnPropertyNames(http.IncomingMessage.prototype).sort(),
      Object.getOwnPropertyNames(http.OutgoingMessage.prototype).sort(), Object.getOwnPropertyNames(http.ServerResponse.prototype).sort(),
      Object.getOwnPropertyNames(http.Server.prototype).sort(), Object.getOwnPropertyNames(https.Server.prototype).sort(),
      Object.getPrototypeOf(http.ClientRequest) === http.OutgoingMessage,
    ]);
    return Response.json(results);
  },
};
