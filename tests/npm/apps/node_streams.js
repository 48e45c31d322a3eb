// Node's streams, as the package and as the built-in, in a handler.
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { pipeline } from "node:stream/promises";
import { Readable as BuiltIn, Transform } from "node:stream";
import { promisify } from "node:util";
import { Readable } from "readable-stream";

class Upper extends Transform {
  _transform(chunk, _encoding, done) {
    done(null, chunk.toString().toUpperCase());
  }
}

export default {
  async fetch(request) {
    if (new URL(request.url).pathname === "/upper") {
      return new Response(BuiltIn.toWeb(BuiltIn.fromWeb(request.body).pipe(new Upper())));
    }
    const seen = [];
    await pipeline(BuiltIn.from(["a", "b"]), new Upper(), async (source) => {
      for await (const chunk of source) seen.push(String(chunk));
    });
    const emitter = new EventEmitter();
    const ready = once(emitter, "ready");
    queueMicrotask(() => emitter.emit("ready", 42));
    const packaged = [];
    for await (const chunk of Readable.from(["x", "y"])) packaged.push(chunk);
    return Response.json({
      seen,
      packaged,
      once: await ready,
      hash: createHash("sha256").update("abc").digest("hex").slice(0, 16),
      buffer: Buffer.from("héllo").toString("base64"),
      promisified: await promisify((value, done) => setTimeout(done, 1, null, value * 2))(21),
    });
  },
};
