// What WebSocket says without a connection. https://websockets.spec.whatwg.org/#the-websocket-interface
import { equal, event, same, throws } from "./harness.js";

// Nothing listens there.
const NOWHERE = "ws://127.0.0.1:1/";

export default {
  "a URL is absolute, of a scheme that can be one, and without fragment"() {
    for (const url of ["/path", "foo://127.0.0.1/", "ws://127.0.0.1:1/#", "ws://"]) {
      throws("SyntaxError", () => new WebSocket(url));
    }
    throws(TypeError, () => new WebSocket());
  },
  async "http and https stand for ws and wss"() {
    for (const [given, wanted] of [["http://127.0.0.1:1/a", "ws://127.0.0.1:1/a"], ["HTTPS://127.0.0.1:1", "wss://127.0.0.1:1/"]]) {
      const socket = new WebSocket(given);
      equal(socket.url, wanted);
      socket.close();
      await event(socket, "close");
    }
  },
  "protocols are tokens, each named once in whatever case"() {
    for (const protocols of ["a b", ["a", "a"], ["a", "A"], [""], "\u00E9"]) {
      throws("SyntaxError", () => new WebSocket(NOWHERE, protocols));
    }
  },
  async "without a connection it ends with error and close"() {
    const socket = new WebSocket(NOWHERE);
    same(
      [socket.readyState, socket.bufferedAmount, socket.extensions, socket.protocol, socket.binaryType],
      [WebSocket.CONNECTING, 0, "", "", "blob"],
    );
    throws("InvalidStateError", () => socket.send(""));
    const seen = [];
    socket.onerror = (error) => seen.push(error.type, error.isTrusted);
    const { code, wasClean } = await event(socket, "close");
    same([seen, code, wasClean, socket.readyState], [["error", true], 1006, false, WebSocket.CLOSED]);
  },
  async "close() takes codes and reasons that the protocol allows"() {
    const socket = new WebSocket(NOWHERE);
    for (const code of [0, 1001, 2999, 5000]) throws("InvalidAccessError", () => socket.close(code));
    throws("SyntaxError", () => socket.close(1000, "x".repeat(124)));
    socket.binaryType = "arraybuffer";
    equal(socket.binaryType, "arraybuffer");
    socket.binaryType = "other";
    equal(socket.binaryType, "arraybuffer");
    socket.close(3000, "x".repeat(123));
    equal(socket.readyState, WebSocket.CLOSING);
    await event(socket, "close");
  },
};
