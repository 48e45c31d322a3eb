// Channels and broadcasts. https://html.spec.whatwg.org/#web-messaging
import { equal, event, ok, same, task, throws } from "./harness.js";

/** All messages of a port, until `count` are there. */
const messages = (target, count) =>
  new Promise((resolve) => {
    const seen = [];
    target.onmessage = (event) => seen.push(event.data) === count && resolve(seen);
  });

export default {
  async "messages arrive in order, as clones, in tasks"() {
    const { port1, port2 } = new MessageChannel();
    const object = { a: 1 };
    let synchronous = true;
    const seen = messages(port2, 3);
    port1.postMessage(1);
    port1.postMessage(object);
    port1.postMessage("last");
    object.a = 2;
    port2.addEventListener("message", () => ok(!synchronous, "it came at once"));
    synchronous = false;
    same(await seen, [1, { a: 1 }, "last"]);
    port1.close();
  },
  async "each message is a task of its own: microtasks of one run before the next"() {
    const { port1, port2 } = new MessageChannel();
    const seen = [];
    const done = new Promise((resolve) =>
      port2.onmessage = ({ data }) => {
        seen.push(data);
        Promise.resolve().then(() => seen.push(`after ${data}`)).then(() => data === 2 && resolve());
      }
    );
    port1.postMessage(1);
    port1.postMessage(2);
    await done;
    same(seen, [1, "after 1", 2, "after 2"]);
    port1.close();
  },
  async "a message is a trusted MessageEvent"() {
    const { port1, port2 } = new MessageChannel();
    const arrived = event(port2, "message");
    port2.start();
    port1.postMessage("x");
    const message = await arrived;
    ok(message instanceof MessageEvent, "it is no MessageEvent");
    same(
      [message.isTrusted, message.origin, message.lastEventId, message.source, message.ports, message.bubbles],
      [true, "", "", null, [], false],
    );
    ok(message.target === port2 && message.cancelable === false, "its target");
  },
  async "a port keeps messages until it is started"() {
    const { port1, port2 } = new MessageChannel();
    let count = 0;
    port2.addEventListener("message", () => count++);
    port1.postMessage(1);
    port1.postMessage(2);
    await task();
    await task();
    equal(count, 0);
    port2.start();
    while (count < 2) await task();
  },
  async "ports move with a message, and with them what was sent before"() {
    const outer = new MessageChannel();
    const inner = new MessageChannel();
    inner.port1.postMessage("before");
    const arrived = event(outer.port2, "message");
    outer.port2.start();
    outer.port1.postMessage({ port: inner.port2 }, [inner.port2]);
    const { data, ports } = await arrived;
    equal(ports[0], data.port);
    const seen = messages(data.port, 2);
    inner.port1.postMessage("after");
    same(await seen, ["before", "after"]);
    inner.port2.postMessage("to nobody");
    throws("DataCloneError", () => outer.port1.postMessage(1, [inner.port2]));
  },
  async "a closed port neither sends nor receives, and its other end is told"() {
    const { port1, port2 } = new MessageChannel();
    let received = 0;
    port1.onmessage = () => received++;
    const closed = event(port2, "close");
    port2.postMessage("in vain");
    port1.close();
    port2.postMessage("in vain");
    port1.postMessage("in vain");
    equal((await closed).isTrusted, true);
    await task();
    equal(received, 0);
  },
  "a message must be cloneable, its transfer list in order"() {
    const { port1, port2 } = new MessageChannel();
    throws("DataCloneError", () => port1.postMessage(() => {}));
    throws("DataCloneError", () => port1.postMessage(1, [port1]));
    throws("DataCloneError", () => port1.postMessage(port2));
    throws(TypeError, () => port1.postMessage());
    throws(TypeError, () => port1.postMessage(1, 1));
    const buffer = new ArrayBuffer(2);
    port1.postMessage(1, { transfer: [buffer] });
    equal(buffer.byteLength, 0);
    throws("DataCloneError", () => port1.postMessage(1, [buffer]));
  },
  async "a broadcast reaches the other channels of its name"() {
    const channels = ["a", "a", "a", "b"].map((name) => new BroadcastChannel(name));
    const seen = [];
    channels.forEach((channel, index) => channel.onmessage = ({ data }) => seen.push([index, data.n]));
    channels[0].postMessage({ n: 1 });
    channels[2].close();
    channels[0].postMessage({ n: 2 });
    while (seen.length < 2) await task();
    await task();
    same(seen, [[1, 1], [1, 2]]);
    throws("DataCloneError", () => channels[0].postMessage(Symbol()));
    channels.forEach((channel) => channel.close());
    throws("InvalidStateError", () => channels[0].postMessage(1));
    equal(channels[0].name, "a");
    throws(TypeError, () => new BroadcastChannel());
  },
};
