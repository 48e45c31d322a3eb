// What the packages talk to: web services, as far as their clients' uses need them, and a mail server. Run by Node in the folder with
// the packages of a group. Prints the ports of both servers as JSON, and ends with its standard input.

import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/package.json`);
const [objects, mails, redis, tries] = [new Map(), [], new Map(), new Map()];

const json = (value, status = 200, headers = {}) => [status, { "content-type": "application/json", ...headers }, JSON.stringify(value)];
const events = (list) => [200, { "content-type": "text/event-stream" }, list.map((event) => `${event.type ? `event: ${event.type}\n` : ""}data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`).join("")];

/** Whether the signature of a request is the one that AWS asks for (Signature Version 4). */
function signed({ method, headers }, url, secret) {
  const [, key, names, signature] = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=(\w+)$/.exec(headers.authorization ?? "") ?? [];
  if (!key) return false;
  const [, date, region, service] = key.split("/");
  const query = [...url.searchParams].map((pair) => pair.map(encodeURIComponent).join("=")).sort().join("&");
  const fields = names.split(";").map((name) => `${name}:${headers[name].trim()}\n`).join("");
  const asked = [method, url.pathname, query, fields, names, headers["x-amz-content-sha256"]].join("\n");
  const mac = (key, text) => createHmac("sha256", key).update(text).digest();
  const signing = [date, region, service, "aws4_request"].reduce(mac, `AWS4${secret}`);
  const scope = [date, region, service, "aws4_request"].join("/");
  const text = ["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, createHash("sha256").update(asked).digest("hex")].join("\n");
  return mac(signing, text).toString("hex") === signature;
}

function s3(request, url, body) {
  if (!signed(request, url, "hush")) return [403, { "content-type": "application/xml" }, "<Error><Code>SignatureDoesNotMatch</Code><Message>no</Message></Error>"];
  if (request.method === "PUT") objects.set(url.pathname, [request.headers["content-type"], body]);
  if (request.method === "PUT") return [200, { etag: `"${createHash("md5").update(body).digest("hex")}"` }, ""];
  if (url.searchParams.has("list-type")) {
    const found = [...objects].map(([path, [, { length }]]) => `<Contents><Key>${path.slice("/bucket/".length)}</Key><Size>${length}</Size></Contents>`);
    return [200, { "content-type": "application/xml" }, `<?xml version="1.0"?><ListBucketResult><KeyCount>${found.length}</KeyCount>${found.join("")}</ListBucketResult>`];
  }
  const [type, data] = objects.get(url.pathname) ?? [];
  if (!data) return [404, { "content-type": "application/xml" }, "<Error><Code>NoSuchKey</Code><Message>none</Message></Error>"];
  return [200, { "content-type": type }, data];
}

async function answer(request, url, body) {
  const { method, headers } = request;
  const [path, text] = [url.pathname, body.toString()];
  const sent = () => JSON.parse(text);
  const issuer = `http://${headers.host}`;
  if (path.startsWith("/bucket")) return s3(request, url, body);
  switch (`${method} ${path}`) {
    case "GET /font.woff": return [200, {}, readFileSync(require.resolve("@fontsource/inter/files/inter-latin-400-normal.woff"))];
    case "GET /missing": return json({ error: "none" }, 404);
    case "GET /moved": return [302, { location: "/echo?moved" }, ""];
    case "GET /packed": return [200, { "content-type": "text/plain", "content-encoding": "gzip" }, require("node:zlib").gzipSync("unpacked")];
    case "GET /flaky": {
      const key = url.searchParams.get("key");
      tries.set(key, (tries.get(key) ?? 0) + 1);
      return tries.get(key) < 3 ? json({}, 503, { "retry-after": "0" }) : json({ tries: tries.get(key) });
    }
    case "GET /.well-known/oauth-authorization-server":
    case "GET /.well-known/openid-configuration": return json({ issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/keys`, response_types_supported: ["code"], subject_types_supported: ["public"], id_token_signing_alg_values_supported: ["RS256"] });
    case "POST /token": {
      const form = new URLSearchParams(text);
      const [id, secret] = atob((headers.authorization ?? "").split(" ")[1] ?? "").split(":");
      if ((form.get("client_secret") ?? secret) !== "hush") return json({ error: "invalid_client" }, 401);
      return json({ access_token: `token for ${form.get("code")} of ${form.get("client_id") ?? id}`, token_type: "Bearer", expires_in: 3600 });
    }
    case "POST /v1/customers": return json({ id: "cus_1", object: "customer", email: new URLSearchParams(text).get("email"), key: headers["idempotency-key"] });
    case "GET /v1/customers": {
      const first = url.searchParams.get("starting_after") ? 3 : 1;
      return json({ object: "list", url: "/v1/customers", has_more: first === 1, data: [{ id: `cus_${first}`, object: "customer" }, { id: `cus_${first + 1}`, object: "customer" }] });
    }
    case "POST /v1/chat/completions": {
      const said = sent().messages.at(-1).content;
      const of = (part) => ({ id: "c1", object: "chat.completion.chunk", created: 1, model: sent().model, choices: [{ index: 0, finish_reason: null, ...part }] });
      if (sent().stream) return events([...["you ", "said ", said].map((content) => of({ delta: { role: "assistant", content } })), of({ delta: {}, finish_reason: "stop" }), "[DONE]"]);
      return json({ ...of({ message: { role: "assistant", content: `you said ${said}` }, finish_reason: "stop" }), object: "chat.completion", usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } });
    }
    case "POST /v1/messages": {
      if (headers["x-api-key"] !== "hush" && headers.authorization !== "Bearer hush") return json({ type: "error", error: { type: "authentication_error", message: "who?" } }, 401);
      const said = sent().messages.at(-1).content;
      const message = { id: "m1", type: "message", role: "assistant", model: sent().model, stop_reason: "end_turn", stop_sequence: null, usage: { input_tokens: 1, output_tokens: 2 } };
      if (!sent().stream) return json({ ...message, content: [{ type: "text", text: `you said ${said}` }] });
      const deltas = ["you ", "said ", said].map((text) => ({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }));
      return events([{ type: "message_start", message: { ...message, content: [], stop_reason: null } }, { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }, ...deltas, { type: "content_block_stop", index: 0 }, { type: "message_delta", delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: 2 } }, { type: "message_stop" }]);
    }
    case "POST /graphql": {
      const { buildSchema, graphql } = require("graphql");
      const schema = buildSchema("type Query { hello(name: String!): String! } type Mutation { add(n: Int!): Int! }");
      const { query: source, variables: variableValues, operationName } = sent();
      return json(await graphql({ schema, source, variableValues, operationName, rootValue: { hello: ({ name }) => `hello ${name}`, add: ({ n }) => n + 1 } }), 200, { "content-type": "application/graphql-response+json" });
    }
    case "POST /emails": return json({ id: "email_1", sent: sent(), by: headers.authorization });
    case "POST /v3/mail/send": return json({}, headers.authorization === "Bearer SG.key" && sent().personalizations[0].to[0].email === "a@b.c" ? 202 : 400, { "x-message-id": "sg_1" });
    case "GET /mails": return json(mails.filter((mail) => mail.includes(url.searchParams.get("with"))));
    case "POST /1/indexes/books/query": return json({ hits: [{ objectID: "1", title: sent().query }], nbHits: 1, by: headers["x-algolia-application-id"] ?? url.searchParams.get("x-algolia-application-id") });
    case "POST /2010-04-01/Accounts/AC1/Messages.json": return json({ sid: "SM1", body: new URLSearchParams(text).get("Body"), status: atob(headers.authorization.split(" ")[1]) === "AC1:token" ? "queued" : "failed" }, 201);
    case "POST /api/chat.postMessage": return json({ ok: headers.authorization === "Bearer xoxb", ts: "1.2", message: { text: new URLSearchParams(text).get("text") ?? sent().text } });
    case "GET /repos/a/b/issues": {
      const page = Number(url.searchParams.get("page") ?? 1);
      return json([{ number: page }], 200, page < 3 ? { link: `<${issuer}/repos/a/b/issues?page=${page + 1}>; rel="next"` } : {});
    }
    case "GET /rest/v1/books": return json([{ title: url.searchParams.get("title") ?? "all", select: url.searchParams.get("select") }], 200, { "content-range": "0-0/1" });
    case "POST /auth/v1/token": return json({ access_token: "a.b.c", refresh_token: "r", token_type: "bearer", expires_in: 3600, user: { id: "1", email: sent().email } });
    case "POST /pipeline": return json(sent().map((command) => ({ result: store(command) })));
    case "POST /": return json({ result: store(sent()) });
    default: return json({ method, path: path + url.search, body: text, type: headers["content-type"], own: headers["x-own"], agent: headers["user-agent"] !== undefined });
  }
}

/** What Redis answers to a command. */
function store([name, key, value]) {
  if (/^set$/i.test(name)) return redis.set(key, value) && "OK";
  if (/^incr$/i.test(name)) return redis.set(key, Number(redis.get(key) ?? 0) + 1).get(key);
  return redis.get(key) ?? null;
}

const server = createServer(async (request, response) => {
  try {
    const body = Buffer.concat(await request.toArray());
    const [status, headers, content] = await answer(request, new URL(request.url, "http://origin"), body);
    response.writeHead(status, headers).end(content);
  } catch (error) {
    response.writeHead(500).end(String(error.stack));
  }
});

async function mail() {
  let SMTPServer;
  try {
    ({ SMTPServer } = require("smtp-server"));
  } catch {
    return 0;
  }
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onAuth: ({ username, password }, session, done) => (password === "hush" ? done(null, { user: username }) : done(new Error("no"))),
    onData: async (stream, { envelope }, done) => {
      mails.push(`${envelope.mailFrom.address} ${envelope.rcptTo.map((to) => to.address)} ${Buffer.concat(await stream.toArray())}`);
      done();
    },
  });
  await new Promise((resolve) => smtp.listen(0, "127.0.0.1", resolve));
  return smtp.server.address().port;
}

await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
console.log(JSON.stringify({ http: server.address().port, smtp: await mail() }));
process.stdin.resume().on("end", () => process.exit());
