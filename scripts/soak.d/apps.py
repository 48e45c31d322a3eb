"""The apps under the soak test: those that are well, with what they answer, and those that are not."""

# Answers fetches and calls of other apps, and takes its time, so that it is killed in the midst of some.
CALLED = """
import { WorkerEntrypoint } from "cloudflare:workers";
export default class extends WorkerEntrypoint {
  async fetch(request) {
    await scheduler.wait(Math.random() * 30);
    return new Response(request.body);
  }
  async join(values, { separator }) {
    await scheduler.wait(Math.random() * 30);
    return { joined: [...values].join(separator), values };
  }
}
"""
# Fetches and calls, and says what has come back of each.
CALLER = """
const TRIES = {
  async fetch(service, text) {
    const body = text.padEnd(8_000, text);
    const response = await service.fetch("http://x/", { method: "POST", body });
    const got = await response.text();
    if (response.status !== 200) throw new Error(`status ${response.status}`);
    return got === body ? text : `wrong: ${got.slice(0, 99)}`;
  },
  async call(service, text) {
    const { joined, values } = await service.join(new Set(["a", text]), { separator: ":" });
    return joined === `a:${text}` && values instanceof Set ? text : `wrong: ${joined}`;
  },
};
export default {
  async fetch(request, { CALLED, KILLED }) {
    const text = await request.text();
    const seen = { text };
    for (const [of, service] of Object.entries({ CALLED, KILLED })) {
      for (const [how, run] of Object.entries(TRIES)) {
        seen[`${of} ${how}`] = await run(service, text).catch((error) => ({ error: String(error.message) }));
      }
    }
    return Response.json(seen);
  },
};
"""
# Sends back every message, and says of each which one it is.
SOCKETS = """
export default {
  fetch(request) {
    if (request.headers.get("upgrade") !== "websocket") return new Response("no WebSocket", { status: 426 });
    const { 0: client, 1: server } = new WebSocketPair();
    let count = 0;
    server.accept();
    server.addEventListener("message", ({ data }) => server.send(`${count++} ${data}`));
    return new Response(null, { status: 101, webSocket: client });
  },
};
"""
WELL = {
    "hello": ("export default { fetch: () => new Response('hello') }", "GET", b"", b"hello"),
    "echo": ("export default { fetch: async (r) => new Response(await r.arrayBuffer()) }", "POST", b"e" * 20_000, None),
    "stream": ("export default { fetch: (r) => new Response(r.body) }", "POST", b"s" * 70_000, None),
    "later": ("export default { async fetch(r, env, ctx) { ctx.waitUntil(new Promise((f) => setTimeout(f, 20)));"
              " await new Promise((f) => setTimeout(f, 5)); return new Response('later') }, async scheduled({ scheduledTime })"
              " { console.log(`due ${scheduledTime / 60_000}`); await new Promise((f) => setTimeout(f, 500)) } }",
              "GET", b"", b"later"),
    "called": (CALLED, "POST", b"c" * 5_000, None),
    "caller": (CALLER, None, None, None),
    "sockets": (SOCKETS, None, None, None),
}
# How many apps there are of each kind that is well.
NUMBERS = {"called": 1, "caller": 2}
ILL = {
    "crash": "export default { fetch: () => { throw new Error('crash') } }",
    "killed": "export default { fetch: () => new Response('about to be killed') }",
    "spin": "export default { fetch: () => { for (;;); }, scheduled: () => { for (;;); } }",
    "leak": "const kept = []; export default { fetch: () => { for (;;) kept.push(new Array(1000).fill(kept)) } }",
    "hoard": "const kept = []; export default { fetch: () => { for (let i = 0; i < 64; i++) "
             "kept.push(new Uint8Array(1 << 20).fill(1)); return new Response('more') } }",
    "hang": "export default { fetch: () => new Promise(() => {}), scheduled: () => new Promise(() => {}) }",
    "flood": "export default { fetch: () => { for (let i = 0; i < 2000; i++) console.log('flood', i, 'x'.repeat(200));"
             " return new Response('flooded') } }",
    "broken": "export default {",
    # These two do nothing ill, but are killed.
    "dying": CALLED,
    "dropped": SOCKETS,
}
# The kinds of apps whose `scheduled` handler runs every minute.
SCHEDULED = ("later", "spin", "hang")
