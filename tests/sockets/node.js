// What the sockets of node:net and node:tls do, by name. The server is that of program.js.
import net from "node:net";
import tls from "node:tls";

const EVENTS = [
  "lookup", "connectionAttempt", "connectionAttemptFailed", "connect", "ready", "data", "end", "drain", "timeout", "error", "close",
  "secure", "secureConnect",
];

function told(value) {
  if (value instanceof Uint8Array) return String(value);
  if (!(value instanceof Error)) return value;
  const { name, message, code, syscall, errno, address, port, hostname } = value;
  return { name, message, code, syscall, errno, address, port, hostname };
}

/** Returns a list to which every event of a socket is added. */
function events(socket) {
  const list = [];
  for (const name of EVENTS) socket.on(name, (...values) => list.push([name, ...values.map(told)]));
  return list;
}

const once = (emitter, name) => new Promise((resolve) => emitter.once(name, resolve));

export default {
  async fetch(_, env) {
    const { hostname, port } = new URL(env.UP);
    const results = {};
    const check = async (name, action) => {
      try {
        results[name] = await Promise.race([action(), scheduler.wait(8_000).then(() => "it never settles")]);
      } catch (error) {
        results[name] = { thrown: told(error) };
      }
    };
    await check("echo", async () => {
      const socket = net.connect(+port, hostname);
      const before = [socket.readyState, socket.pending, socket.connecting, socket.write("echo hello\n")];
      const list = events(socket);
      await once(socket, "data");
      const { remoteAddress, remoteFamily, localAddress, localFamily, bytesRead, bytesWritten, readyState } = socket;
      const during = { remoteAddress, remoteFamily, localAddress, localFamily, bytesRead, bytesWritten, readyState };
      const isPort = socket.remotePort === +port;
      socket.end();
      await once(socket, "close");
      return [before, during, isPort, list, socket.readyState, socket.destroyed];
    });
    await check("a reader that waits", async () => {
      const socket = net.createConnection({ port: +port, host: hostname });
      socket.write("echo one\n");
      socket.setEncoding("utf8");
      for await (const text of socket) {
        if (text === "two\n") break;
        socket.write("echo two\n");
      }
      return [socket.destroyed, socket.bytesRead];
    });
    await check("the other side ends", async () => {
      const socket = net.connect({ port: +port, host: hostname });
      const list = events(socket);
      socket.write("fin\n");
      await once(socket, "close");
      return list;
    });
    await check("half open", async () => {
      const socket = net.connect({ port: +port, host: hostname, allowHalfOpen: true });
      const list = events(socket);
      socket.write("fin\n");
      await once(socket, "end");
      const state = socket.readyState;
      socket.end();
      await once(socket, "close");
      return [state, list.at(-1)];
    });
    await check("this side ends", async () => {
      const socket = net.connect(+port, hostname);
      socket.write("count\n");
      socket.cork();
      for (const chunk of ["ä", Buffer.from("bcd"), new Uint8Array(200_000)]) socket.write(chunk);
      socket.uncork();
      socket.end("e");
      let text = "";
      socket.on("data", (data) => text += data);
      await once(socket, "close");
      return text;
    });
    await check("reset", async () => {
      const socket = net.connect(+port, hostname);
      const list = events(socket);
      socket.write("rst\n");
      await once(socket, "close");
      return list;
    });
    await check("refused", async () => {
      const socket = net.connect(1, "127.0.0.1");
      const list = events(socket);
      await once(socket, "close");
      return list;
    });
    await check("a lookup of its own", async () => {
      const socket = net.connect({ port: +port, host: "any", lookup: (name, options, found) => found(null, hostname, 4) });
      const list = events(socket);
      await once(socket, "connect");
      socket.destroy();
      await once(socket, "close");
      return list;
    });
    await check("destroyed at once", async () => {
      const socket = net.connect(+port, hostname);
      const list = events(socket);
      socket.destroy(new Error("why"));
      await once(socket, "close");
      return list;
    });
    await check("a signal", async () => {
      const controller = new AbortController();
      const socket = net.connect({ port: +port, host: hostname, signal: controller.signal });
      const list = events(socket);
      await once(socket, "connect");
      controller.abort();
      await once(socket, "close");
      return list.map(([name, value]) => [name, value?.name]);
    });
    await check("a time-out", async () => {
      const socket = net.connect(+port, hostname);
      socket.setTimeout(1);
      await once(socket, "timeout");
      socket.destroy();
      return socket.setNoDelay().setKeepAlive(true) === socket;
    });
    await check("onread", async () => {
      const heard = [];
      const socket = net.connect({
        port: +port,
        host: hostname,
        onread: { buffer: Buffer.alloc(4), callback: (length, buffer) => heard.push(String(buffer.subarray(0, length))) },
      });
      socket.write("fin\n");
      await once(socket, "close");
      return heard;
    });
    await check("TLS", async () => {
      const socket = tls.connect({ port: +port, host: hostname });
      const list = events(socket);
      await once(socket, "close");
      return list.map(([name]) => name);
    });
    const options = {
      rejectUnauthorized: false, checkServerIdentity() {}, ALPNProtocols: ["x"], requestCert: true, isServer: true, enableTrace: true,
      pskCallback() {}, SNICallback() {}, secureContext: {},
    };
    for (const name in options) {
      await check(`TLS with ${name}`, () => typeof tls.connect({ port: +port, host: hostname, [name]: options[name] }));
    }
    for (const [name, action] of Object.entries({
      "connect to a path": () => net.connect("/tmp/x"),
      "connect without a port": () => net.connect({ host: "x" }),
      "connect to a wrong port": () => net.connect(70000),
      "a socket of a descriptor": () => new net.Socket({ fd: 3 }),
      "a socket for objects": () => new net.Socket({ objectMode: true }),
      "isIP": () => ["127.0.0.1", "::1", "x", "1.2.3"].map((address) => [net.isIP(address), net.isIPv4(address), net.isIPv6(address)]),
      "settings": () => [net.getDefaultAutoSelectFamily(), net.getDefaultAutoSelectFamilyAttemptTimeout()],
      "BlockList": () => {
        const list = new net.BlockList();
        list.addAddress("1.2.3.4");
        list.addSubnet("10.0.0.0", 8);
        list.addRange("::1", "::5", "ipv6");
        return [list.check("1.2.3.4"), list.check("10.9.9.9"), list.check("::3", "ipv6"), list.check("1.2.3.5"), list.rules];
      },
      "SocketAddress": () => {
        const { address, family, port, flowlabel } = new net.SocketAddress({ address: "::1", family: "ipv6", port: 5 });
        return [address, family, port, flowlabel];
      },
      "checkServerIdentity": () => [
        tls.checkServerIdentity("::1", { subjectaltname: "IP Address:0:0:0:0:0:0:0:1" }),
        tls.checkServerIdentity("a.example", { subjectaltname: "DNS:*.example", subject: { CN: "a.example" } }),
        told(tls.checkServerIdentity("b.other", { subjectaltname: "DNS:a.example", subject: { CN: "a.example" } })),
      ],
      "getCiphers": () => tls.getCiphers(),
      "tls.createServer": () => tls.createServer(),
      "createSecureContext": () => Object.keys(tls.createSecureContext({ minVersion: "TLSv1.2" })),
      "convertALPNProtocols": () => {
        const out = {};
        tls.convertALPNProtocols(["h2", "http/1.1"], out);
        return String(out.ALPNProtocols);
      },
      "the constants of TLS": () => [tls.DEFAULT_MIN_VERSION, tls.DEFAULT_MAX_VERSION, tls.DEFAULT_CIPHERS, tls.rootCertificates],
      "methods of TLS sockets": () => {
        const socket = new tls.TLSSocket(new net.Socket());
        return ["getPeerCertificate", "getCipher", "getProtocol", "getSession", "isSessionReused", "renegotiate"].map((name) => {
          try {
            return [name, typeof socket[name]({})];
          } catch (error) {
            return [name, told(error)];
          }
        });
      },
    })) {
      await check(name, async () => action());
    }
    return Response.json(results);
  },
};
