// WebSockets of a headless Chromium, with compressed messages: over HTTP/1.1, and as streams of HTTP/2 over TLS, which a server in front
// of the supervisor ends here as it would for people. It counts what goes over the wire.

import assert from "node:assert/strict";
import { X509Certificate, createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import net from "node:net";
import tls from "node:tls";

const { APP, CERTIFICATES, PACKAGES, PATH } = process.env;
const { chromium } = createRequire(`${PACKAGES}/`)("playwright-core");

/** Far beyond what anything takes. */
const DEADLINE = 60_000;

const [cert, key] = ["localhost.pem", "localhost.key"].map((name) => readFileSync(`${CERTIFICATES}/${name}`));

/** Passes what it gets on to the supervisor and back. */
async function front(isSecure) {
  const wire = { connections: 0, received: 0, sent: 0 };
  const serve = (client) => {
    // A browser may open more than it uses, if one takes long.
    client.once("data", () => wire.connections++);
    if (isSecure) assert.equal(client.alpnProtocol, "h2");
    const server = net.connect({ host: "127.0.0.1", port: APP.split(":")[1] });
    client.on("data", (data) => (wire.received += data.length));
    server.on("data", (data) => (wire.sent += data.length));
    client.pipe(server).pipe(client);
    for (const [one, other] of [[client, server], [server, client]]) one.on("error", () => other.destroy());
  };
  // One that takes HTTP/2 only: a WebSocket that would not go over it fails.
  const listener = isSecure ? tls.createServer({ cert, key, ALPNProtocols: ["h2"] }, serve) : net.createServer(serve);
  listener.listen(0, "127.0.0.1");
  await new Promise((resolve) => listener.once("listening", resolve));
  return { wire, base: `${isSecure ? "https" : "http"}://localhost:${listener.address().port}`, close: () => listener.close() };
}

/** Runs in the page. Returns what it sees of WebSockets to its own server. */
async function talk() {
  const MIB = 1 << 20;
  const open = (path, protocols) => {
    const socket = new WebSocket(`${location.origin.replace("http", "ws")}${path}`, protocols);
    socket.binaryType = "arraybuffer";
    const [messages, waiting] = [[], []];
    socket.onmessage = ({ data }) => (waiting.length ? waiting.shift()(data) : messages.push(data));
    socket.ended = new Promise((resolve) => (socket.onclose = ({ code, reason, wasClean }) => resolve({ code, reason, wasClean })));
    socket.next = () => (messages.length ? messages.shift() : new Promise((resolve) => waiting.push(resolve)));
    socket.opened = new Promise((resolve) => {
      socket.onopen = () => resolve("open");
      socket.onerror = () => resolve("error");
    });
    return socket;
  };
  const bytesOf = (data) => new Uint8Array(data);
  const areEqual = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at]);
  const random = (length) => {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
    return bytes;
  };
  const seen = {};

  const socket = open("/socket", ["superchat", "chat"]);
  seen.opened = await socket.opened;
  seen.agreed = [socket.protocol, socket.extensions];
  seen.request = JSON.parse(await socket.next());

  seen.texts = [];
  for (const text of ["", "a", "Grüße, 🐈 \0 \u{10ffff}"]) {
    socket.send(text);
    seen.texts.push((await socket.next()) === text);
  }
  // Half a character cannot be sent as text.
  socket.send("\ud83d");
  seen.texts.push(await socket.next());

  const long = "compress me, ".repeat(MIB / 4);
  socket.send(long);
  seen.long = (await socket.next()) === long;

  seen.binary = [];
  const [large, zeros] = [random(MIB + 1), new Uint8Array(3 * MIB)];
  const small = [0, 1, 126, 65536].map(random).flatMap((bytes) => [bytes, bytes.buffer, new Blob([bytes])].map((data) => [data, bytes]));
  for (const [data, bytes] of [...small, [large, large], [zeros, zeros]]) {
    socket.send(data);
    seen.binary.push(areEqual(bytesOf(await socket.next()), bytes));
  }

  const count = 1000;
  for (let number = 0; number < count; number++) socket.send(number % 2 ? `${number}`.repeat(number) : Uint8Array.of(number >> 8, number));
  seen.inOrder = 0;
  for (let number = 0; number < count; number++) {
    const data = await socket.next();
    const isRight = number % 2 ? data === `${number}`.repeat(number) : areEqual(bytesOf(data), Uint8Array.of(number >> 8, number));
    if (isRight) seen.inOrder++;
  }

  // Beside others, and beside requests, over what may be the same connection.
  const others = [1, 2, 3].map(() => open("/socket"));
  for (const other of others) await other.opened, await other.next();
  const several = others.map(async (other, number) => {
    other.send(`${number}`.repeat(300_000));
    return (await other.next()) === `${number}`.repeat(300_000);
  });
  const page = fetch("/page").then((answer) => answer.text());
  seen.several = [...(await Promise.all(several)), await page];
  others[0].close();
  others[1].close(3001, "genug, 🐈");
  others[2].send("close 4000 done, ü");
  seen.ends = await Promise.all(others.map((other) => other.ended));

  socket.send("throw");
  seen.thrown = await socket.ended;
  const refused = open("/refused");
  seen.refused = [await refused.opened, await refused.ended];
  const tooLong = open("/socket");
  await tooLong.opened;
  tooLong.send(new Uint8Array(5 * MIB));
  seen.tooLong = await tooLong.ended;
  return seen;
}

const executablePath = PATH.split(":").map((folder) => `${folder}/chromium`).find(existsSync);
const trusted = createHash("sha256").update(new X509Certificate(cert).publicKey.export({ type: "spki", format: "der" })).digest("base64");
// Root cannot use Chromium's sandbox; all it shows here is our page.
const args = ["--no-sandbox", `--ignore-certificate-errors-spki-list=${trusted}`];
const browser = await chromium.launch({ executablePath, args, timeout: DEADLINE });

for (const isSecure of [false, true]) {
  const { wire, base, close } = await front(isSecure);
  const page = await browser.newPage();
  page.setDefaultTimeout(DEADLINE);
  await page.goto(`${base}/page`);
  const seen = await page.evaluate(talk);
  console.log(base, JSON.stringify(seen), JSON.stringify(wire));

  const alone = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
  assert.equal(seen.opened, "open");
  assert.deepEqual(seen.agreed, ["chat", alone]);
  // What the app sees: what the browser offers, and how it has come.
  const { extensions, protocols, http, host, upgrade } = seen.request;
  assert.match(extensions, /^permessage-deflate\b/);
  assert.deepEqual([protocols, http, upgrade], ["superchat, chat", isSecure ? "HTTP/2" : "HTTP/1.1", "websocket"]);
  assert.equal(host, new URL(base).host);

  assert.deepEqual(seen.texts, [true, true, true, "\ufffd"]);
  assert.equal(seen.long, true);
  assert.deepEqual(seen.binary, Array(14).fill(true));
  assert.equal(seen.inOrder, 1000);
  assert.deepEqual(seen.several, [true, true, true, "a page"]);
  assert.deepEqual(seen.ends, [
    { code: 1005, reason: "", wasClean: true },
    { code: 3001, reason: "genug, 🐈", wasClean: true },
    { code: 4000, reason: "done, ü", wasClean: true },
  ]);
  assert.deepEqual([seen.thrown.code, seen.thrown.wasClean], [1011, true]);
  assert.deepEqual(seen.refused, ["error", { code: 1006, reason: "", wasClean: false }]);
  assert.equal(seen.tooLong.code, 1009);

  // Random bytes take as many on the wire, 1.25 MB in each direction. Without compression, the others would take 9 MB more.
  for (const bytes of [wire.received, wire.sent]) assert.ok(bytes > 1_200_000 && bytes < 2_500_000, `${bytes} bytes`);
  if (isSecure) assert.equal(wire.connections, 1, "all of it is one connection");
  await page.close();
  close();
}

await browser.close();
console.log("all is well");
// What the browser has left open.
process.exit();
