//! What is written to a stream before anybody reads from it: where the standard leaves room, as on Workers.

use serde_json::json;

use crate::TestSupervisor;
use crate::harness::free_address;
use crate::harness::workerd::Both;

/// Small programs. Each tells how far a writer comes without a reader, or what a reader gets.
const PROGRAMS: &str = r"
  const encode = (text) => new TextEncoder().encode(text);
  const bytes = (size) => new Uint8Array(size).fill(65);
  const after = async (promise) => {
    let state = 'waits';
    promise.then(() => state = 'done', (error) => state = error.name);
    for (let turn = 0; turn < 60 && state === 'waits'; turn++) await scheduler.wait(1);
    return state;
  };
  const writes = async (writable, chunk, times) => {
    const writer = writable.getWriter();
    const states = [writer.desiredSize];
    for (let i = 0; i < times; i++) states.push(await after(writer.write(chunk)));
    const closed = writer.close();
    states.push(await after(closed));
    return states;
  };
  const length = async (readable) => {
    let length = 0;
    for await (const chunk of readable) length += chunk.length;
    return length;
  };
  const source = (times, chunk = bytes(1000)) => {
    let i = 0;
    return new ReadableStream({ pull: (controller) => i++ < times ? controller.enqueue(chunk) : controller.close() });
  };
  const gzipped = async (body) => new Uint8Array(await new Response(new Response(body).body.pipeThrough(new CompressionStream('gzip'))).arrayBuffer());
  const random = () => crypto.getRandomValues(new Uint8Array(60000));
  const pages = (writable) => writes(writable, encode('<a>x</a>'), 3);
  const rewritten = async (body) => {
    let seen = 0;
    const page = new HTMLRewriter().on('a', { element() { seen++; } }).transform(new Response(body));
    for (let turn = 0; turn < 30 && seen === 0; turn++) await scheduler.wait(1);
    return [seen > 0, (await page.text()).length, seen];
  };
  const programs = {};
  for (const format of ['gzip', 'deflate', 'deflate-raw']) {
    programs[`compress ${format}`] = async () => {
      const { readable, writable } = new CompressionStream(format);
      const states = await writes(writable, bytes(1000), 3);
      return [states, await length(readable.pipeThrough(new DecompressionStream(format)))];
    };
  }
  Object.assign(programs, {
    'compress much': async () => { const { readable, writable } = new CompressionStream('gzip');
      const states = await writes(writable, random(), 10);
      return [states, await length(readable.pipeThrough(new DecompressionStream('gzip')))]; },
    'decompress much': async () => { const { readable, writable } = new DecompressionStream('gzip');
      return [await writes(writable, await gzipped(bytes(1000000)), 1), await length(readable)]; },
    'decompress what is not': async () => { const { readable, writable } = new DecompressionStream('gzip');
      return [await after(writable.getWriter().write(bytes(100))), await after(length(readable))]; },
    'pipe into compression': async () => { const { readable, writable } = new CompressionStream('gzip');
      return [await after(source(3).pipeTo(writable)), await length(readable) > 0]; },
    'pipe through both': () => length(source(300).pipeThrough(new CompressionStream('gzip')).pipeThrough(new DecompressionStream('gzip'))),
    transform: async () => writes(new TransformStream().writable, 'a', 2),
    'transform of an own': async () => writes(new TransformStream({ transform(chunk, controller) { controller.enqueue(chunk); } }).writable, 'a', 2),
    'text to bytes': async () => writes(new TextEncoderStream().writable, 'a', 2),
    'bytes to text': async () => writes(new TextDecoderStream().writable, bytes(1), 2),
    'pipe into a transform': () => after(source(3).pipeTo(new TransformStream().writable)),
    'pipe into an identity': () => after(source(3).pipeTo(new IdentityTransformStream().writable)),
    'pipe into a known length': () => after(source(3).pipeTo(new FixedLengthStream(3000).writable)),
    'pipe into an identity that is read': async () => { const { readable, writable } = new IdentityTransformStream();
      const piped = source(3).pipeTo(writable); return [await length(readable), await after(piped)]; },
    identity: () => writes(new IdentityTransformStream().writable, bytes(10), 2),
    'identity with room for one': () => writes(new IdentityTransformStream({ highWaterMark: 10 }).writable, bytes(10), 1),
    'identity is always ready': async () => { const writer = new IdentityTransformStream().writable.getWriter();
      writer.write(bytes(10)); writer.write(bytes(10)); return [writer.desiredSize, await after(writer.ready)]; },
    'identity of nothing': async () => { const writer = new IdentityTransformStream().writable.getWriter();
      return [await after(writer.write(bytes(0))), await after(writer.close())]; },
    'identity of a number': () => after(new IdentityTransformStream().writable.getWriter().write(5)),
    'known length': () => writes(new FixedLengthStream(20).writable, bytes(10), 2),
    'too little': async () => { const { readable, writable } = new FixedLengthStream(20); const writer = writable.getWriter();
      const read = length(readable); read.catch(() => {});
      const written = await after(writer.write(bytes(10)));
      writer.close().catch(() => {});
      return [written, await after(read)]; },
    lengths: () => [5n, '7', 1.5, 0, true, -1, NaN, 'x', 2 ** 60].map((length) => {
      try { return String(new FixedLengthStream(length)); } catch (error) { return error.name; } }),
    'rewriter of text': () => rewritten('<a>x</a>'.repeat(10)),
    'rewriter of a stream': () => rewritten(source(10, encode('<a>x</a>'))),
    'rewriter of an identity': async () => { const { readable, writable } = new IdentityTransformStream();
      const page = new HTMLRewriter().on('a', { element(element) { element.remove(); } }).transform(new Response(readable));
      return [await pages(writable), await page.text()]; },
    'rewriter of a transform': async () => { const { readable, writable } = new TransformStream();
      const page = new HTMLRewriter().on('b', { element() {} }).transform(new Response(readable));
      return [await pages(writable), await page.text()]; },
    'rewriter that fails': async () => { const page = new HTMLRewriter().on('a', { element() { throw new RangeError('x'); } }).transform(new Response('<a>'));
      await scheduler.wait(1); return after(page.text()); },
    digest: async () => writes(new crypto.DigestStream('MD5'), bytes(10), 3),
  });
  export default { async fetch() {
    const results = {};
    for (const [name, run] of Object.entries(programs)) {
      try { results[name] = (await run()) ?? null; } catch (error) { results[name] = `throws ${error.name}`; }
    }
    return Response.json(results);
  } };
";

#[tokio::test]
async fn a_writer_without_a_reader_comes_as_far_as_on_workers() {
    let Some(both) = Both::serve(PROGRAMS, free_address()).await else { return };
    let ours = both.assert_same_results(25).await;
    // What hung before.
    assert_eq!(ours["compress gzip"], json!([[1, "done", "done", "done", "done"], 3000]));
}

#[tokio::test]
async fn a_pipe_into_compression_waits_for_its_reader() {
    let supervisor = TestSupervisor::with(
        "export default { async fetch() {
           const { readable, writable } = new CompressionStream('gzip');
           let pulled = 0;
           const endless = new ReadableStream({ pull(controller) {
             pulled++;
             controller.enqueue(crypto.getRandomValues(new Uint8Array(16384)));
           } });
           endless.pipeTo(writable).catch(() => {});
           let before = -1;
           for (let calm = 0; calm < 20; calm++) {
             if (before !== pulled) calm = 0;
             before = pulled;
             await scheduler.wait(2);
           }
           const reader = readable.getReader();
           while (pulled === before) await reader.read();
           return Response.json([before > 1, before < 40]);
         } }",
    )
    .await;
    assert_eq!(supervisor.get("app", "/").await.json(), json!([true, true]));
}

#[tokio::test]
async fn a_writer_into_compression_waits_for_a_slow_reader() {
    let supervisor = TestSupervisor::with(
        "export default { async fetch() {
           const { readable, writable } = new CompressionStream('gzip');
           const writer = writable.getWriter();
           const chunk = () => crypto.getRandomValues(new Uint8Array(16384));
           for (let i = 0; i < 40; i++) await writer.write(chunk());
           const reader = readable.getReader();
           let written = 0;
           const writing = (async () => { while (written < 100) { await writer.write(chunk()); written++; } await writer.close(); })();
           for (let turn = 0; turn < 30; turn++) await scheduler.wait(1);
           const before = written;
           let read = 0;
           for (;;) {
             const { done, value } = await reader.read();
             if (done) break;
             read += value.length;
           }
           await writing;
           return Response.json([before, read > 140 * 16384]);
         } }",
    )
    .await;
    assert_eq!(supervisor.get("app", "/").await.json(), json!([0, true]));
}

#[tokio::test]
async fn at_least_so_many_bytes_are_read() {
    const READS: &str = r"
      const of = (...sizes) => { let i = 0; return new ReadableStream({ type: 'bytes', pull(controller) {
        if (i < sizes.length) return controller.enqueue(new Uint8Array(sizes[i]).fill(++i));
        controller.close();
        controller.byobRequest?.respond(0);
      } }); };
      const identity = (...sizes) => { const { readable, writable } = new IdentityTransformStream(); const writer = writable.getWriter();
        (async () => { for (const size of sizes) await writer.write(new Uint8Array(size)); await writer.close(); })();
        return readable; };
      const body = (...sizes) => new Response(new Blob(sizes.map((size) => new Uint8Array(size)))).body;
      const told = ({ done, value }) => [done, value?.byteLength ?? null, value?.byteOffset ?? null];
      export default { async fetch() {
        const results = {};
        const it = async (name, run) => {
          try { results[name] = await run(); } catch (error) { results[name] = error.name; }
        };
        for (const [name, make] of Object.entries({ of, identity, body })) {
          const reader = (...sizes) => make(...sizes).getReader({ mode: 'byob' });
          await it(`${name} in parts`, async () => { const bytes = reader(3, 3, 3); const reads = [];
            for (let i = 0; i < 3; i++) reads.push(told(await bytes.readAtLeast(5, new Uint8Array(8))));
            return name === 'body' ? [reads[0][1] >= 5, reads[0][0], reads[2]] : reads; });
          await it(`${name} in the middle`, async () => {
            const view = new Uint8Array(new ArrayBuffer(16), 2, 10);
            const [done, length, offset] = told(await reader(3, 3, 3).readAtLeast(4, view));
            return [done, length >= 4, offset, view.byteLength]; });
          await it(`${name} less`, async () => told(await reader(3).readAtLeast(5, new Uint8Array(8))));
          await it(`${name} none`, async () => told(await reader().readAtLeast(5, new Uint8Array(8))));
          for (const least of [9, 0, -1, 'x', undefined]) await it(`${name} ${least}`, () => reader(3).readAtLeast(least, new Uint8Array(8)));
          await it(`${name} without a view`, () => reader(3).readAtLeast(1));
          await it(`${name} into nothing`, () => reader(3).readAtLeast(1, new Uint8Array(0)));
          await it(`${name} into a buffer`, () => reader(3).readAtLeast(1, new ArrayBuffer(8)));
          await it(`${name} released`, () => { const bytes = reader(3); bytes.releaseLock(); return bytes.readAtLeast(1, new Uint8Array(8)); });
        }
        results.where = [typeof of().getReader().readAtLeast, 'readAtLeast' in ReadableStreamBYOBReader.prototype];
        return Response.json(results);
      } };
    ";
    let Some(both) = Both::serve(READS, free_address()).await else { return };
    let [ours, theirs] = both.send("GET", "/", &[], "").await.map(|reply| reply.unwrap().json());
    assert_eq!(ours, theirs);
    assert_eq!(ours["of in parts"], json!([[false, 6, 0], [false, 3, 0], [true, 0, 0]]));
}
