// Gives the other app requests, responses and streams, takes them from it, and says what came of each.
function shown(value) {
  if (value === undefined) return "undefined";
  if (typeof value === "function") return "function";
  if (value instanceof Error) return { error: [value.constructor.name, value.name, value.message, value.remote] };
  if (Array.isArray(value)) return value.map(shown);
  return value;
}
const bytes = (text) => new TextEncoder().encode(text);
const streamOf = (...parts) =>
  new ReadableStream({
    type: "bytes",
    start(controller) {
      for (const part of parts) controller.enqueue(bytes(part));
      controller.close();
    },
  });
const textOf = (stream) => new Response(stream).text();
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export default {
  async fetch(request, env) {
    const { STUBS } = env;
    const tried = {};
    const run = async (name, work) => {
      try {
        tried[name] = shown(await Promise.race([work(), wait(3000).then(() => "hangs")]));
      } catch (error) {
        tried[name] = { threw: shown(error) };
      }
    };
    await run("a stream", async () => textOf(await STUBS.stream("a", "bc", "d")));
    await run("an empty stream", async () => textOf(await STUBS.stream()));
    await run("a slow stream", async () => textOf(await STUBS.slow(5)));
    await run("kinds", async () => {
      const stream = await STUBS.stream("a");
      return [stream.constructor.name, stream instanceof ReadableStream, stream.locked, typeof stream[Symbol.dispose]];
    });
    await run("a stream in a result", async () => {
      const { stream, number } = await STUBS.inside();
      return [await textOf(stream), number];
    });
    await run("a stream that is given up", async () => {
      const reader = (await STUBS.slow(1000)).getReader();
      const { value } = await reader.read();
      await reader.cancel("enough");
      return [value.length > 0, (await reader.read()).done];
    });
    await run("a stream as an argument", () => STUBS.text(streamOf("x", "yz")));
    await run("it is locked", async () => {
      const stream = streamOf("x");
      const text = STUBS.text(stream);
      const { locked } = stream;
      return [locked, await text];
    });
    await run("a locked stream", async () => {
      const stream = streamOf("x");
      stream.getReader();
      return STUBS.text(stream);
    });
    await run("a stream there and back", async () => textOf(await STUBS.echo(streamOf("there", "back"))));
    await run("kinds there", async () => [await STUBS.kinds(streamOf("x")), await STUBS.kinds(new Request("http://x/")), await STUBS.kinds(new Response("x"))]);
    await run("an identity stream", async () => {
      const { readable, writable } = new TransformStream();
      const text = STUBS.text(readable);
      const writer = writable.getWriter();
      await writer.write(bytes("one"));
      await writer.write(bytes("two"));
      await writer.close();
      return text;
    });
    await run("a writable stream", async () => {
      const { readable, writable } = new IdentityTransformStream();
      const count = STUBS.write(writable, "a", "b", "c");
      return [await textOf(readable), await count];
    });
    await run("a writable stream of one's own", async () => {
      const got = [];
      const writable = new WritableStream({
        write: (chunk) => void got.push(new TextDecoder().decode(chunk)),
        close: () => void got.push("closed"),
      });
      return [await STUBS.write(writable, "a", "b"), got];
    });
    await run("a writable stream that fails", async () => {
      const writable = new WritableStream({
        write: () => {
          throw new RangeError("no more");
        },
      });
      return STUBS.write(writable, "a", "b");
    });
    await run("a request", () => STUBS.upper(new Request("http://x/path?q", { method: "POST", body: "text", headers: { "x-a": "1" } })));
    await run("a request without a body", () => STUBS.upper(new Request("http://x/path")));
    await run("a request of a stream", () => STUBS.upper(new Request("http://x/", { method: "PUT", body: streamOf("s", "t"), duplex: "half" })));
    await run("a used request", async () => {
      const used = new Request("http://x/", { method: "POST", body: "text" });
      await used.text();
      return STUBS.upper(used);
    });
    await run("the request of the client", () => STUBS.upper(new Request(request, { headers: {} })));
    await run("a response", async () => {
      const response = await STUBS.response(201, "made");
      return [response.status, response.statusText, [...response.headers].filter(([name]) => name !== "content-length"), await response.text(), response.constructor.name];
    });
    await run("an empty response", async () => {
      const response = await STUBS.empty();
      return [response.status, response.body, await response.text()];
    });
    await run("a large response", async () => (await (await STUBS.large(3 << 20)).arrayBuffer()).byteLength);
    await run("a large stream", async () => {
      let left = 40;
      return STUBS.count(new ReadableStream({
        type: "bytes",
        pull(controller) {
          if (left-- === 0) controller.close();
          else controller.enqueue(new Uint8Array(100_000));
        },
      }));
    });
    await run("a response as an argument", () => STUBS.read(new Response("given", { status: 202, statusText: "Own", headers: { "x-c": "d" } })));
    await run("a response there and back", async () => {
      const response = await STUBS.echo(new Response("abc", { status: 203 }));
      return [response.status, await response.text()];
    });
    await run("a fetched response there", async () => STUBS.text((await env.OTHER.fetch("http://x/f")).body));
    await run("a fetched response", async () => STUBS.read(await env.OTHER.fetch("http://x/g")));
    await run("a service as an argument", async () => [await STUBS.useService(env.STUBS), await STUBS.useService(env.OTHER)]);
    await run("a service there and back", async () => {
      const back = await STUBS.echo(env.OTHER);
      return [typeof back, await (await back.fetch("http://x/back")).text()];
    });
    await run("headers", () => STUBS.headers(new Headers({ a: "1", b: "2" })));
    await run("a stream that is read later", () => STUBS.later(streamOf("x", "y")));
    await run("a member of a response", async () => STUBS.response(200, "x").status);
    await run("two of one stream", () => {
      const stream = streamOf("x");
      return STUBS.echo([stream, stream]).then((all) => all.length);
    });
    return Response.json(tried);
  },
};
