const tried = (work) => {
  try {
    return String(work());
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
};

const upgrade = { headers: { Upgrade: "websocket" } };

/** Tells what happens to a WebSocket. Settles with its end. */
const listen = (ws, seen) =>
  new Promise((resolve) => {
    ws.addEventListener("message", ({ data }) =>
      seen.push(typeof data === "string" ? (data.length > 50 ? data.length : data) : [data.constructor.name, data.byteLength ?? data.size]));
    ws.addEventListener("close", ({ code, reason, wasClean }) => {
      seen.push(["close", code, reason, wasClean, ws.readyState]);
      resolve();
    });
    ws.addEventListener("error", () => {
      seen.push(["error"]);
      resolve();
    });
  });

/** Each opens a WebSocket by `open`, and pushes what it sees. */
const stories = {
  async shape(open, seen) {
    const response = await open("how=echo");
    const ws = response.webSocket;
    seen.push(response.status, response.statusText, response.ok, response.redirected, response.body === null, [...response.headers]);
    seen.push(ws instanceof WebSocket, ws.readyState, ws.url, ws.protocol, ws.extensions, response.webSocket === ws, ws.binaryType);
    seen.push(tried(() => ws.send("early")), tried(() => ws.close()), tried(() => response.clone()), await response.text());
    ws.accept();
    const ended = listen(ws, seen);
    ws.send("a");
    ws.send(new Uint8Array(5));
    ws.send('close [3000,"bye"]');
    await ended;
    seen.push(tried(() => ws.send("late")), tried(() => ws.close()), tried(() => ws.accept()));
  },
  async greeted(open, seen) {
    const ws = (await open("how=greet")).webSocket;
    ws.accept();
    await listen(ws, seen);
  },
  async greetedBefore(open, seen) {
    const ws = (await open("how=greet")).webSocket;
    await scheduler.wait(50);
    ws.accept();
    await listen(ws, seen);
  },
  async closes(open, seen) {
    const ws = (await open("how=echo")).webSocket;
    ws.accept();
    const ended = new Promise((resolve) => ws.addEventListener("close", resolve));
    listen(ws, seen);
    ws.close(4444, "done");
    seen.push(ws.readyState);
    await ended;
  },
  async closesWithoutCode(open, seen) {
    const ws = (await open("how=echo")).webSocket;
    ws.accept();
    const ended = new Promise((resolve) => ws.addEventListener("close", resolve));
    listen(ws, seen);
    ws.close();
    await ended;
  },
  async closesBehindMessages(open, seen) {
    const ws = (await open("how=echo")).webSocket;
    ws.accept();
    const ended = new Promise((resolve) => ws.addEventListener("close", resolve));
    listen(ws, []);
    for (let i = 0; i < 200; i++) ws.send(String(i));
    ws.close(1000, "all");
    await ended;
    seen.push("ended");
  },
  async isClosedWithoutCode(open, seen) {
    const ws = (await open("how=echo")).webSocket;
    ws.accept();
    const ended = listen(ws, seen);
    ws.send("close []");
    await ended;
  },
  async halfOpen(open, seen) {
    const ws = (await open("how=half")).webSocket;
    ws.accept();
    ws.send("a");
    ws.close(3001, "mine");
    seen.push(ws.readyState);
  },
  async manyInOrder(open, seen) {
    const ws = (await open("how=echo")).webSocket;
    ws.accept();
    const got = [];
    const ended = new Promise((resolve) => ws.addEventListener("close", resolve));
    ws.addEventListener("message", ({ data }) => got.push(data));
    for (let i = 0; i < 1000; i++) ws.send(String(i).padStart(1 + (i % 7) * 300, "0"));
    ws.send('close [1000,"k"]');
    await ended;
    seen.push(got.length, got.every((data, i) => Number(data) === i && data.length >= 1 + (i % 7) * 300));
  },
  async large(open, seen) {
    const ws = (await open("how=echo")).webSocket;
    ws.accept();
    const ended = listen(ws, seen);
    ws.send("x".repeat(900_000));
    ws.send(new Uint8Array(20 << 20));
    ws.send('close [1000,"k"]');
    await ended;
  },
  async buffers(open, seen) {
    const ws = (await open("how=echo")).webSocket;
    ws.binaryType = "arraybuffer";
    ws.accept();
    const ended = listen(ws, seen);
    ws.send(new Uint8Array([1, 2]));
    ws.send(new ArrayBuffer(3));
    ws.send(new DataView(new ArrayBuffer(4), 1));
    ws.send('close [1000,"k"]');
    await ended;
  },
  async text(open, seen) {
    const ws = (await open("how=echo")).webSocket;
    ws.accept();
    const ended = listen(ws, seen);
    for (const data of ["é\u{1f600}", "", "a\0b", 7]) ws.send(data);
    ws.send(new Uint8Array());
    ws.send('close [1000,"é"]');
    await ended;
  },
  async both(open, seen) {
    const sockets = [await open("how=echo"), await open("how=echo")].map(({ webSocket }) => webSocket);
    const ended = sockets.map((ws) => {
      ws.accept();
      return listen(ws, seen);
    });
    sockets[0].send("first");
    sockets[0].send('close [1000,"1"]');
    await ended[0];
    sockets[1].send("second");
    sockets[1].send('close [1000,"2"]');
    await ended[1];
  },
  async never(open, seen) {
    const ws = (await open("how=never")).webSocket;
    ws.accept();
    ws.send("a");
    seen.push(ws.readyState);
    ws.close(1000, "x");
    seen.push(ws.readyState);
  },
  async refused(open, seen) {
    const response = await open("how=refuse");
    seen.push(response.status, response.webSocket, await response.text());
  },
  async unasked(open, seen) {
    await open("how=echo", {}).catch(({ name, message, remote }) => seen.push(name, message, remote));
  },
  async otherProtocol(open, seen) {
    await open("how=echo", { headers: { Upgrade: "h2c" } }).catch(({ name, message }) => seen.push(name, message));
  },
  async list(open, seen) {
    await open("how=echo", { headers: { Upgrade: "websocket, x" } }).catch(({ name, message }) => seen.push(name, message));
  },
  async otherMethods(open, seen) {
    for (const method of ["POST", "HEAD", "PATCH"]) {
      const { status, webSocket } = await open("how=echo", { method, headers: { upgrade: "WebSocket" } });
      seen.push(method, status);
      webSocket.accept();
      const ended = listen(webSocket, seen);
      webSocket.send("a");
      webSocket.send('close [1000,"k"]');
      await ended;
    }
  },
  async headers(open, seen, { OTHER }) {
    const headers = { Upgrade: "websocket", "Sec-WebSocket-Protocol": "chat", "sec-websocket-version": "13", "x-a": "1" };
    seen.push(await (await OTHER.fetch("http://chat.example/headers", { headers })).json());
  },
  async aborted(open, seen) {
    const controller = new AbortController();
    const ws = (await open("how=echo", { ...upgrade, signal: controller.signal })).webSocket;
    ws.accept();
    const heard = new Promise((resolve) => ws.addEventListener("message", resolve, { once: true }));
    const ended = listen(ws, seen);
    ws.send("a");
    await heard;
    controller.abort();
    await ended;
  },
  async forgotten(open, seen) {
    seen.push((await open("how=echo")).status);
  },
  async anotherResponse(open, seen) {
    const { webSocket } = await open("how=echo");
    seen.push(tried(() => new Response(null, { webSocket })), new Response(null, { status: 101, webSocket }).webSocket === webSocket);
    webSocket.accept();
    const ended = listen(webSocket, seen);
    webSocket.send('close [1000,"k"]');
    await ended;
  },
};

/** Stories in which the other app hears of no end, in at least one of the two. */
const unlogged = ["never", "halfOpen", "refused", "unasked", "otherProtocol", "list", "otherMethods", "headers", "both"];

/** Holds as many as asked for until the client goes, and tells how opening them went, and what each hears. */
async function hold(env, searchParams, writer) {
  const encoder = new TextEncoder();
  const write = (value) => writer.write(encoder.encode(`${JSON.stringify(value)}\n`)).catch(() => {});
  const many = Number(searchParams.get("many"));
  const held = [];
  const statuses = {};
  const open = async () => {
    const opening = env.OTHER.fetch(`http://chat.example/?${searchParams}`, upgrade);
    const { status, webSocket } = await opening.catch((error) => ({ status: error.message }));
    statuses[status] = (statuses[status] ?? 0) + 1;
    if (!webSocket) return;
    if (!searchParams.has("unread")) webSocket.accept();
    held.push(webSocket);
  };
  for (let left = many; left > 0; left -= 50) await Promise.all(Array.from({ length: Math.min(left, 50) }, open));
  write(statuses);
  for (const webSocket of held) {
    webSocket.addEventListener("close", ({ code, reason }) => write([code, reason]));
    webSocket.addEventListener("message", ({ data }) => write(typeof data === "string" ? data : data.size));
    if (searchParams.has("say")) webSocket.send(searchParams.get("say"));
    for (let left = Number(searchParams.get("flood")); left > 0; left--) {
      webSocket.send(new Uint8Array(65536));
      // What the other side takes leaves meanwhile, so that only what it does not take waits.
      if (left % 16 === 0) await scheduler.wait(10);
    }
  }
}

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/names") return Response.json(Object.keys(stories));
    if (pathname === "/log" || pathname === "/pass") return env.OTHER.fetch(request);
    if (pathname === "/anew") {
      const { webSocket } = await env.OTHER.fetch(request);
      return new Response(null, { status: 101, webSocket, headers: { "x-anew": "1" } });
    }
    if (pathname.startsWith("/story/")) {
      const name = pathname.slice(7);
      const seen = [];
      const open = (query, init = upgrade) => env.OTHER.fetch(`http://chat.example/?story=${name}&${query}`, init);
      try {
        await stories[name](open, seen, env);
      } catch (error) {
        seen.push("failed", error.name, error.message);
      }
      return Response.json({ seen, logged: !unlogged.includes(name) });
    }
    if (pathname === "/hold") {
      const { readable, writable } = new TransformStream();
      hold(env, searchParams, writable.getWriter());
      return new Response(readable);
    }
    return new Response("fine");
  },
};
