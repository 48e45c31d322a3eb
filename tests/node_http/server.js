// What servers of node:http do, by name, and how they are reached.
import { connectHandler, handleAsNodeConnection, handleAsNodeRequest, httpServerHandler } from "cloudflare:node";
import http, { createServer, IncomingMessage, ServerResponse } from "node:http";
import https from "node:https";
import net from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

function told(value) {
  if (value instanceof Error) return { name: value.name, message: value.message, code: value.code };
  if (value instanceof Uint8Array) return String(Buffer.from(value));
  if (value instanceof IncomingMessage) return "request";
  if (value instanceof ServerResponse) return "response";
  return value;
}

const caught = (action) => {
  try {
    return ["returned", told(action())];
  } catch (error) {
    return told(error);
  }
};

const once = (emitter, name) => new Promise((resolve) => emitter.once(name, resolve));

/** What a client gets from a server that answers so. */
async function served(listener, init = {}, path = "/a/b?c=d", options = {}) {
  const server = createServer(options, listener);
  server.listen(0);
  try {
    const response = await handleAsNodeRequest(server.address(), new Request(`https://app.example${path}`, init), { A: 1 }, { waitUntil() {} });
    const fields = [...response.headers].filter(([name]) => name !== "date");
    return { status: response.status, statusText: response.statusText, fields, text: await response.text().catch(told) };
  } finally {
    server.close();
  }
}

const tells = {
  "a request": (req, res) => {
    const { method, url, httpVersion, rawHeaders, headers, complete, socket, connection, trailers, aborted } = req;
    res.end(JSON.stringify({
      method, url, httpVersion, rawHeaders, headers, complete, trailers, aborted, same: socket === connection,
      encrypted: socket.encrypted, address: socket.remoteAddress, family: socket.remoteFamily, local: socket.localAddress, port: socket.remotePort > 32767,
      env: req.cloudflare.env, ctx: typeof req.cloudflare.ctx.waitUntil, req: res.req === req, resSocket: res.socket ?? null,
    }));
  },
  "writeHead": (_, res) => res.writeHead(201, "Made", { "X-A": "1", "set-cookie": ["a=1", "b=2"] }).end("made"),
  "writeHead with a list": (_, res) => res.writeHead(202, ["x-a", "1", "x-a", "2"]).end(),
  "setHeader and writeHead": (_, res) => { res.setHeader("x-a", "1"); res.setHeader("x-b", "2"); res.writeHead(200, { "x-a": "3" }); res.end("x"); },
  "setHeader with a list": (_, res) => { res.setHeader("vary", ["a", "b"]); res.appendHeader("vary", "c"); res.statusCode = 418; res.end(); },
  "a message": (_, res) => { res.statusMessage = "Fine"; res.end(); },
  "flushHeaders": (_, res) => { res.setHeader("x-a", "1"); res.flushHeaders(); const sent = res.headersSent; res.end(String(sent)); },
  "several writes": (_, res) => { res.write("a"); res.write(Buffer.from("b")); res.write(new Uint8Array([99])); res.write("ZA==", "base64"); res.end("e"); },
  "late writes": (_, res) => { res.write("a"); setTimeout(() => { res.write("b"); setTimeout(() => res.end("c"), 5); }, 5); },
  "an async listener": async (_, res) => { await scheduler.wait(5); res.end("later"); },
  "a stream": (_, res) => { pipeline(Readable.from(["a", "b", "c"]), res); },
  "a large stream": (_, res) => { pipeline(Readable.from((function* () { for (let i = 0; i < 64; i++) yield Buffer.alloc(65_536, "x"); })()), res); },
  "the end, called back": (_, res) => { const list = []; res.on("finish", () => list.push("finish")); res.on("close", () => list.push("close")); res.write("x", () => list.push("written")); res.end("y", () => list.push("ended")); setTimeout(() => { globalThis.list = list; }, 5); },
  "content-length": (_, res) => { res.setHeader("content-length", 2); res.end("abcd"); },
  "a strict content-length": (_, res) => { res.strictContentLength = true; res.setHeader("content-length", 2); res.end(JSON.stringify(caught(() => res.end("abcd")))); },
  "204": (_, res) => { res.writeHead(204); res.end("not sent"); },
  "304": (_, res) => { res.writeHead(304, { etag: "\"a\"" }); res.end(); },
  "what is sent already": (_, res) => { res.write("a"); res.end(JSON.stringify([caught(() => res.setHeader("a", "b")), caught(() => res.writeHead(200)), caught(() => res.removeHeader("a")), res.headersSent, res.getHeaderNames()])); },
  "what is wrong": (_, res) => {
    const found = [
      caught(() => res.writeHead(99)), caught(() => res.writeHead(1000)), caught(() => res.writeHead(200, "a\nb")), caught(() => res.setHeader("a b", "c")),
      caught(() => res.setHeader("a", "\n")), caught(() => res.setHeader("a", undefined)), caught(() => res.writeContinue()), caught(() => res.writeProcessing()),
      caught(() => res.writeEarlyHints({})), caught(() => res.assignSocket()), caught(() => res.detachSocket()), caught(() => res.addTrailers({})), caught(() => res.write(5)), caught(() => res.writeHead(200, ["a"])),
    ];
    res.statusMessage = "OK";
    res.end(JSON.stringify(found));
  },
  "after the end": (_, res) => { const list = []; res.on("error", (error) => list.push(told(error))); res.end("x"); res.write("y", (error) => list.push(told(error))); res.end(() => list.push("again")); setTimeout(() => { globalThis.list = list; }, 5); },
  "destroyed": (_, res) => { res.destroy(); },
  "destroyed with an error": (_, res) => { res.destroy(new Error("given up")); },
  "destroyed in the middle": (_, res) => { res.write("a"); setTimeout(() => res.destroy(new Error("given up")), 5); },
  "a listener that throws": () => { throw new Error("thrown"); },
  "a listener that rejects": async () => { await 1; throw new Error("rejected"); },
  "a listener that rejects late": async (_, res) => { res.write("a"); await scheduler.wait(5); throw new Error("rejected"); },
  "a time-out of a response": (req, res) => { res.setTimeout(5, () => {}); req.setTimeout(5, () => {}); res.end("x"); },
  "cork": (_, res) => { res.cork(); res.write("a"); res.write("b"); res.uncork(); res.end("c"); },
};

const posted = {
  "a body, by events": (req, res) => { let text = ""; req.setEncoding("utf8"); req.on("data", (part) => text += part); req.on("end", () => res.end(`${text} ${req.complete}`)); },
  "a body, by iteration": async (req, res) => { const parts = []; for await (const part of req) parts.push(part); res.end(Buffer.concat(parts)); },
  "a body, piped": (req, res) => { req.pipe(res); },
  "a body that is not read": (_, res) => { res.end("done"); },
  "a body that is destroyed": (req, res) => { req.on("error", () => {}); req.on("close", () => res.end(`closed ${req.aborted} ${req.destroyed}`)); req.destroy(); },
};

export default {
  async fetch(incoming) {
    const results = {};
    const check = async (name, action) => {
      try {
        results[name] = await Promise.race([action(), scheduler.wait(20_000).then(() => "it never settles")]);
      } catch (error) {
        results[name] = { thrown: told(error) };
      }
    };
    const headers = [["x-one", "1"], ["cookie", "a=b"], ["cf-connecting-ip", "192.0.2.7"], ["host", "a.example, b.example"], ["user-agent", "me, too"], ["content-type", "text/plain; a=\"b,c\", x"]];
    for (const [name, listener] of Object.entries(tells)) {
      delete globalThis.list;
      await check(name, () => served(listener, { headers }));
      await scheduler.wait(20);
      if (globalThis.list) results[`${name}, events`] = globalThis.list;
    }
    for (const [name, listener] of Object.entries(posted)) {
      await check(name, () => served(listener, { method: "POST", body: "the body" }));
      await check(`${name}, none`, () => served(listener, { method: "POST" }));
      await check(`${name}, streamed`, () => served(listener, { method: "PUT", body: new Blob(["a".repeat(100_000)]).stream(), duplex: "half" }).then((got) => ({ ...got, text: got.text.length })));
    }
    await check("HEAD", () => served((_, res) => res.setHeader("x-a", "1").end("body"), { method: "HEAD" }));
    await check("no header fields", () => served((req, res) => res.end(JSON.stringify([req.headers, req.socket.remoteAddress, req.socket.encrypted]))));
    await check("names of cookies", () => served((_, res) => res.end(JSON.stringify([res.getHeader("x"), res.hasHeader("x"), res.getHeaders()]))));
    await check("own classes", () => {
      class Asked extends IncomingMessage { get own() { return `own ${this.method}`; } }
      class Answer extends ServerResponse { send(value) { this.end(JSON.stringify(value)); } }
      return served((req, res) => res.send([req.own, req instanceof Asked]), {}, "/", { IncomingMessage: Asked, ServerResponse: Answer });
    });
    await check("a server", async () => {
      const list = [];
      const server = createServer();
      for (const name of ["listening", "connection", "request", "close", "error"]) server.on(name, (...values) => list.push([name, values.length]));
      const before = [server.address(), server.listening, server.timeout, server.keepAliveTimeout, server.headersTimeout, server.requestTimeout, server.maxHeadersCount, server.maxConnections, server.connections];
      const same = [server.listen(4010, () => list.push(["called"])) === server, server.ref() === server, server.unref() === server, server.setTimeout(5) === server];
      const during = [server.address(), server.listening, caught(() => server.listen(4011)), server.timeout];
      const connections = await new Promise((resolve) => server.getConnections((error, count) => resolve([error, count])));
      server.on("request", (_, res) => res.end("x"));
      const handler = httpServerHandler({ port: 4010 });
      const answers = [await (await handler.fetch(new Request("http://a/"), {}, {})).text(), Object.keys(handler)];
      const other = caught(() => createServer().listen(4010));
      await new Promise((resolve) => server.close(resolve));
      const after = [server.address(), server.listening, server.closeAllConnections() ?? null, server.closeIdleConnections() ?? null];
      const gone = await handler.fetch(new Request("http://a/"), {}, {}).catch(told);
      return { before, same, during, connections, answers, other, after, gone, list };
    });
    await check("a server that is disposed", async () => {
      const server = createServer().listen(4012);
      await server[Symbol.asyncDispose]();
      return server.listening;
    });
    await check("a server as the descriptor", async () => {
      const server = createServer((_, res) => res.end("mine"));
      const handler = httpServerHandler(server);
      return [await (await handler.fetch(new Request("http://a/"), {}, {})).text(), server.listening, server.close() === server];
    });
    await check("of https", async () => {
      const server = https.createServer({}, (_, res) => res.end("safe")).listen(4013);
      const text = await (await handleAsNodeRequest(4013, new Request("https://a/"), {}, {})).text();
      const more = ["addContext", "getTicketKeys", "setSecureContext", "setTicketKeys"].map((name) => caught(() => server[name]()));
      server.close();
      return [text, more, server instanceof http.Server];
    });
    await check("descriptors", async () => {
      const found = [];
      for (const value of [undefined, null, {}, { port: "80" }, { port: -1 }, { port: 65536 }, NaN, 4099]) {
        found.push(caught(() => typeof httpServerHandler(value).fetch), await handleAsNodeRequest(value, new Request("http://a/"), {}, {}).catch(told));
      }
      return [...found, typeof connectHandler().connect, await handleAsNodeConnection({ opened: Promise.resolve({}) }).catch(told), await handleAsNodeConnection({ opened: Promise.resolve({ localAddress: "a:4099" }) }).catch(told)];
    });
    await check("options", () => [
      { maxHeaderSize: 5 }, { insecureHTTPParser: 5 }, { requestTimeout: "x" }, { headersTimeout: 5, requestTimeout: 1 }, { keepAliveTimeout: 5 }, { connectionsCheckingInterval: 5 },
      { requireHostHeader: 5 }, { joinDuplicateHeaders: 5 }, { highWaterMark: "x" }, { rejectNonStandardBodyWrites: 5 }, { uniqueHeaders: ["a"] }, 5, "x", { requestTimeout: 5, headersTimeout: 5 },
    ].map((options) => caught(() => createServer(options) instanceof http.Server)));
    await check("http as a class without new", () => [caught(() => http.Server()), caught(() => http.IncomingMessage.call({})), caught(() => new http.ServerResponse({ httpVersionMajor: 1, httpVersionMinor: 1 }).writableEnded)]);
    await check("a message without a connection", async () => {
      const message = new IncomingMessage();
      const before = [message.method, message.url, message.headers, message.httpVersion, message.complete, message.readable, message.socket ?? null];
      message.headers["x-a"] = "1";
      message.push("text");
      message.push(null);
      const parts = [];
      for await (const part of message) parts.push(String(part));
      return [before, parts];
    });
    await check("a server of net", async () => {
      const list = [];
      const server = net.createServer({ allowHalfOpen: true }, () => {});
      server.on("listening", () => list.push("listening")).on("close", () => list.push("close"));
      const before = [server.listening, server.address(), server.allowHalfOpen, server.pauseOnConnect, server.maxConnections];
      server.listen(4020, () => list.push("called"));
      const during = [server.listening, server.address(), caught(() => server.listen(1))];
      const error = await once(net.createServer().listen(4020), "error");
      const count = await new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
      await new Promise((resolve) => server.close(resolve));
      const closed = await new Promise((resolve) => server.close(resolve));
      return [before, during, told(error), count, told(closed), list];
    });
    await check("a bound socket", () => {
      const bound = new net.BoundSocket({ port: 4021 });
      const found = [bound.address(), bound.fd(), caught(() => new net.BoundSocket({ port: 4021 })), net.BoundSocket.isBoundSocket(bound)];
      bound.close();
      return [...found, caught(() => bound.close()), caught(() => new net.BoundSocket({ host: "a" }))];
    });
    await check("ports that nobody chose", () => {
      const servers = [createServer().listen(), createServer().listen(0)];
      const ports = servers.map((server) => server.address().port);
      for (const server of servers) server.close();
      return [ports[0] !== ports[1], ports.every((port) => port >= 49152)];
    });
    return Response.json(results);
  },
};
