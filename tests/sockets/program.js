// What sockets do, by name. The server takes commands in lines: `echo TEXT` sends the text back; `fin` sends "bye" and ends its side;
// `count` reads to the end, says how many bytes there were, and closes; `rst` resets the connection.
import { connect } from "cloudflare:sockets";

const told = (error) => error instanceof Error ? `${error.name}: ${error.message}` : error;
const settled = (promise) => promise.then((value) => ["ok", value], (error) => ["failed", told(error)]);
const pends = (promise) => Promise.race([promise.then(() => "settled", () => "failed"), scheduler.wait(1).then(() => "pends")]);
const text = (bytes) => new TextDecoder().decode(bytes);
const bytes = (text) => new TextEncoder().encode(text);

function quiet(socket) {
  socket.opened.catch(() => {});
  socket.closed.catch(() => {});
  return socket;
}

export default {
  async fetch(_, env) {
    const server = new URL(env.UP).host;
    const port = +new URL(env.UP).port;
    const results = {};
    const check = async (name, action) => {
      try {
        results[name] = await Promise.race([action(), scheduler.wait(8_000).then(() => "it never settles")]);
      } catch (error) {
        results[name] = `threw ${told(error)}`;
      }
    };
    const open = (options) => {
      const socket = quiet(connect(server, options));
      const writer = socket.writable.getWriter();
      const reader = socket.readable.getReader();
      writer.closed.catch(() => {});
      reader.closed.catch(() => {});
      return {
        socket,
        writer,
        reader,
        send: (line) => writer.write(bytes(line)),
        read: async () => {
          const { value, done } = await reader.read();
          return done ? "the end" : text(value);
        },
      };
    };

    const addresses = [
      "", "x", "x:", ":80", "x:0", "x:99999", "a b:80", "http://x:80", "x:80/path", "u:p@x:80", "x:80?q", "x:25", "[::1]:1", 1, {},
      { hostname: "x" }, { port: 1 }, { hostname: "", port: 1 }, { hostname: "x", port: 0 }, { hostname: "x", port: 70000 },
      { hostname: "x", port: "80" }, { hostname: "x:80", port: 80 }, { hostname: "x/", port: 80 }, { hostname: "x", port: -1 },
      { hostname: "x".repeat(300), port: 80 },
    ];
    for (const address of addresses) {
      await check(`address ${JSON.stringify(address)}`, () => quiet(connect(address)) && "made");
    }
    const options = [
      undefined, {}, { secureTransport: "x" }, { secureTransport: 1 }, { secureTransport: "starttls" }, { allowHalfOpen: "x" },
      { highWaterMark: -1 }, { highWaterMark: "x" }, 1,
    ];
    for (const option of options) {
      await check(`options ${JSON.stringify(option)}`, () => quiet(connect(server, option)).secureTransport);
    }
    await check("shape", () => {
      const socket = quiet(connect({ hostname: "127.0.0.1", port }));
      const { constructor } = socket;
      return [
        constructor.name, Object.getOwnPropertyNames(constructor.prototype).sort(), String(socket), Object.keys(socket),
        socket.readable instanceof ReadableStream, socket.writable instanceof WritableStream, socket.upgraded,
        socket.secureTransport, typeof globalThis.Socket, constructor.length, connect.name,
      ];
    });
    await check("constructor", () => new (quiet(connect(server)).constructor)());
    await check("echo", async () => {
      const { socket, send, read } = open();
      await send("echo hello\n");
      const heard = await read();
      const { remoteAddress, localAddress } = await socket.opened;
      return [heard, remoteAddress === server, localAddress, await settled(socket.close()), await settled(socket.closed), await settled(socket.close())];
    });
    await check("after close", async () => {
      const { socket, writer, reader, send } = open();
      await socket.opened;
      const pending = settled(reader.read());
      await socket.close();
      return [await pending, (await settled(send("x")))[0], (await settled(reader.read()))[0], await settled(writer.closed)];
    });
    await check("the other side ends", async () => {
      const { socket, writer, send, read } = open();
      await send("fin\n");
      return [await read(), await read(), await settled(socket.closed), await settled(writer.closed), (await settled(send("x")))[0]];
    });
    await check("the other side ends, half open", async () => {
      const { socket, writer, send, read } = open({ allowHalfOpen: true });
      await send("fin\n");
      return [
        await read(), await read(), await pends(socket.closed), await pends(writer.closed), await settled(send("x")),
        await settled(writer.close()), await pends(socket.closed), await settled(socket.close()), await settled(socket.closed),
      ];
    });
    await check("the other side ends, and nobody reads", async () => {
      const { socket, writer, send } = open();
      await send("fin\n");
      return [await pends(socket.closed), await pends(writer.closed)];
    });
    for (const allowHalfOpen of [false, true]) {
      await check(`this side ends, half open ${allowHalfOpen}`, async () => {
        const { socket, writer, send, read } = open({ allowHalfOpen });
        await send("count\nabc");
        const closing = await settled(writer.close());
        return [closing, await read(), await read(), allowHalfOpen ? await pends(socket.closed) : await settled(socket.closed)];
      });
    }
    await check("reset", async () => {
      const { socket, send, read } = open();
      await send("rst\n");
      return [await settled(read()), await settled(socket.closed), await settled(send("x"))];
    });
    await check("kinds of chunks", async () => {
      const { writer, reader } = open();
      const lines = ["echo text\n", bytes("echo bytes\n").buffer, new DataView(bytes("echo view\n").buffer), bytes("echo array\n")];
      const heard = [];
      for (const line of lines) {
        await writer.write(line);
        heard.push(text((await reader.read()).value));
      }
      await writer.write(new Uint8Array(0));
      return heard;
    });
    await check("a reader with a buffer", async () => {
      const socket = quiet(connect(server));
      const writer = socket.writable.getWriter();
      await writer.write(bytes("echo abcdef\n"));
      const reader = socket.readable.getReader({ mode: "byob" });
      const first = await reader.read(new Uint8Array(3));
      const second = await reader.readAtLeast(4, new Uint8Array(10));
      await socket.close();
      return [text(first.value), text(second.value)];
    });
    await check("room for writes", () => [open(), open({ highWaterMark: 5 })].map(({ writer }) => writer.desiredSize));
    await check("cancel", async () => {
      const { socket, reader, send } = open();
      await send("echo x\n");
      return [await settled(reader.cancel("why")), await pends(socket.closed), await settled(send("echo y\n"))];
    });
    await check("abort", async () => {
      const { socket, writer, reader } = open();
      await socket.opened;
      return [await settled(writer.abort(new Error("why"))), await pends(socket.closed), await pends(reader.read())];
    });
    await check("startTls of a plain socket", () => quiet(connect(server)).startTls());
    await check("startTls of a socket with TLS", () => quiet(connect(server, { secureTransport: "on" })).startTls());
    await check("startTls", async () => {
      const socket = quiet(connect(server, { secureTransport: "starttls" }));
      const [reader, writer] = [socket.readable.getReader(), socket.writable.getWriter()];
      await writer.write(bytes("echo plain\n"));
      const heard = text((await reader.read()).value);
      reader.releaseLock();
      writer.releaseLock();
      const next = socket.startTls();
      const before = [next.upgraded, next.secureTransport, socket.secureTransport];
      // The server knows nothing of TLS.
      const [opened, closed] = [(await settled(next.opened))[0], (await settled(next.closed))[0]];
      await check("startTls again", () => socket.startTls());
      return [heard, before, await settled(socket.closed), opened, closed];
    });
    await check("refused", async () => {
      const socket = connect(env.CLOSED ?? "127.0.0.1:1");
      const [opened, closed] = [await settled(socket.opened), await settled(socket.closed)];
      const expected = "Error: proxy request failed, cannot connect to the specified address";
      return [opened[0], closed[0], opened[1].startsWith(expected), (await settled(socket.writable.getWriter().write("x")))[0], await settled(socket.close())];
    });
    return Response.json(results);
  },
};
