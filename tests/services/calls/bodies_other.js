// The app that is called: it gives and takes requests, responses and streams.
import { WorkerEntrypoint } from "cloudflare:workers";

const bytes = (text) => new TextEncoder().encode(text);

export class Stubs extends WorkerEntrypoint {
  fetch(request) {
    return new Response(`stubs ${new URL(request.url).pathname}`);
  }
  async text(stream) {
    return new Response(stream).text();
  }
  async kinds(value) {
    return [typeof value, value.constructor.name, Object.keys(value).length];
  }
  stream(...parts) {
    return new ReadableStream({
      type: "bytes",
      start(controller) {
        for (const part of parts) controller.enqueue(bytes(part));
        controller.close();
      },
    });
  }
  slow(count) {
    let left = count;
    return new ReadableStream({
      type: "bytes",
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        if (left-- === 0) controller.close();
        else controller.enqueue(bytes(`${left};`));
      },
    });
  }
  echo(value) {
    return value;
  }
  inside() {
    return { stream: this.stream("in", "side"), number: 1 };
  }
  async write(writable, ...parts) {
    const writer = writable.getWriter();
    for (const part of parts) await writer.write(bytes(part));
    await writer.close();
    return parts.length;
  }
  async abort(writable) {
    const writer = writable.getWriter();
    await writer.write(bytes("a"));
    await writer.abort(new RangeError("enough"));
    return "aborted";
  }
  async upper(request) {
    const { method, url } = request;
    return [method, new URL(url).pathname, [...request.headers].filter(([name]) => name !== "content-length"), await request.text(), request.constructor.name];
  }
  response(status, text) {
    return new Response(text, { status, statusText: "Mine", headers: { "x-a": "b", "content-type": "text/x" } });
  }
  empty() {
    return new Response(null, { status: 204 });
  }
  async read(response) {
    return [response.status, response.statusText, response.headers.get("x-c"), await response.text(), response.constructor.name, response.ok];
  }
  async useService(service) {
    const response = await service.fetch("http://x/used");
    return [response.status, await response.text(), typeof service];
  }
  headers(headers) {
    return [...headers];
  }
  large(size) {
    return new Response(new Uint8Array(size).fill(7));
  }
  async count(stream) {
    let total = 0;
    for await (const chunk of stream) total += chunk.length;
    return total;
  }
  later(stream) {
    this.ctx.waitUntil(this.count(stream));
    return "returned";
  }
}

export default { fetch: (request) => new Response(`default ${new URL(request.url).pathname}`) };
