//! What apps written for Workers use beyond the web platform: scheduler, identity streams, streaming digests,
//! `cloudflare:workers`, and the context of a handler.

use serde_json::json;

use crate::harness::{App, Raw, checks, raw};
use crate::{TestSupervisor, until};

#[tokio::test]
async fn pauses_can_be_awaited_and_aborted() {
    let found = checks::results(
        "await it('waits', async () => { const begun = Date.now(); await scheduler.wait(20); return Date.now() - begun >= 19; });
         await it('yields', async () => {
           const order = [];
           const yielded = scheduler.yield().then(() => order.push('after'));
           queueMicrotask(() => order.push('microtask'));
           await yielded;
           return order;
         });
         await it('aborted', () => scheduler.wait(60000, { signal: AbortSignal.abort() }));
         await it('aborts', () => {
           const controller = new AbortController();
           setTimeout(() => controller.abort(new RangeError('enough')), 5);
           return scheduler.wait(60000, { signal: controller.signal });
         });
         await it('no delay', () => scheduler.wait());
         await it('no signal', () => scheduler.wait(1, { signal: {} }).catch((error) => error.name));
         await it('shape', () => [String(scheduler), Object.keys(Object.getPrototypeOf(scheduler)), scheduler.wait.length]);
         await it('illegal', () => new scheduler.constructor());
         await it('detached', () => { const { wait } = scheduler; return wait(1).catch((error) => error.name); });",
    )
    .await;
    assert_eq!(
        found,
        json!({
            "waits": true,
            "yields": ["microtask", "after"],
            "aborted": "AbortError: The signal has been aborted",
            "aborts": "RangeError: enough",
            "no delay": "TypeError: Failed to execute 'wait' on 'Scheduler': 1 argument required, but only 0 present",
            "no signal": "TypeError",
            "shape": ["[object Scheduler]", ["wait", "yield"], 1],
            "illegal": "TypeError: Illegal constructor",
            "detached": "TypeError",
        })
    );
}

#[tokio::test]
async fn digests_are_streamed_and_secrets_compared_in_constant_time() {
    let found = checks::results(
        "const equal = (a, b) => crypto.subtle.timingSafeEqual(a, b);
         await it('equal', () => [equal(encode('secret'), encode('secret')), equal(encode('secret'), encode('secreT')),
           equal(encode('ab').buffer, new DataView(encode('xabx').buffer, 1, 2)), equal(new Uint8Array(), new ArrayBuffer(0))]);
         await it('lengths', () => equal(encode('a'), encode('ab')));
         await it('texts', () => equal('a', 'a'));
         await it('shape', () => [crypto.subtle.timingSafeEqual.length, 'timingSafeEqual' in SubtleCrypto.prototype,
           Object.keys(crypto.DigestStream.prototype), String(new crypto.DigestStream('SHA-1'))]);
         for (const algorithm of ['MD5', 'sha-1', 'SHA-256', { name: 'SHA-384' }, 'SHA-512']) {
           await it(algorithm.name ?? algorithm, async () => {
             const stream = new crypto.DigestStream(algorithm);
             const writer = stream.getWriter();
             await writer.write(encode('The quick brown fox '));
             await writer.write('jumps over ');
             await writer.write(new Uint16Array(encode('the lazy dog').buffer));
             await writer.close();
             return hex(await stream.digest).slice(0, 16) + ' ' + stream.bytesWritten;
           });
         }
         await it('pipe', async () => {
           const stream = new crypto.DigestStream('SHA-256');
           await new Response('x'.repeat(1000000)).body.pipeTo(stream);
           const whole = await crypto.subtle.digest('SHA-256', encode('x'.repeat(1000000)));
           return [hex(await stream.digest) === hex(whole), typeof stream.bytesWritten, stream instanceof WritableStream];
         });
         await it('unknown', () => new crypto.DigestStream('SHA-3'));
         await it('none', () => new crypto.DigestStream());
         await it('aborted', async () => {
           const stream = new crypto.DigestStream('SHA-1');
           await stream.abort(new RangeError('no more'));
           return stream.digest;
         });
         await it('numbers', async () => {
           const stream = new crypto.DigestStream('SHA-1');
           const written = await stream.getWriter().write(1).catch((error) => error.name);
           return [written, await stream.digest.catch((error) => error.name)];
         });",
    )
    .await;
    assert_eq!(
        found,
        json!({
            "equal": [true, false, true, true],
            "lengths": "TypeError: Failed to execute 'timingSafeEqual' on 'SubtleCrypto': the arguments differ in length",
            "texts": "TypeError: Failed to execute 'timingSafeEqual' on 'SubtleCrypto': Argument 1 is not an ArrayBuffer or a view of one",
            "shape": [2, true, ["digest", "bytesWritten"], "[object DigestStream]"],
            "MD5": "9e107d9d372bb682 43",
            "sha-1": "2fd4e1c67a2d28fc 43",
            "SHA-256": "d7a8fbb307d78094 43",
            "SHA-384": "ca737f1014a48f4c 43",
            "SHA-512": "07e547d9586f6a73 43",
            "pipe": [true, "bigint", true],
            "unknown": "NotSupportedError: Failed to construct 'DigestStream': there is no digest SHA-3",
            "none": "TypeError: Failed to construct 'DigestStream': 1 argument required, but only 0 present",
            "aborted": "RangeError: no more",
            "numbers": ["TypeError", "TypeError"],
        })
    );
}

#[tokio::test]
async fn identity_streams_pass_bytes_on_as_they_are_read() {
    let found = checks::results(
        "const read = (readable) => new Response(readable).text();
         await it('passes', async () => {
           const { readable, writable } = new IdentityTransformStream();
           const writer = writable.getWriter();
           const writes = Promise.all([writer.write(encode('a')), writer.write(encode('bc').buffer), writer.write(new Uint8Array()), writer.close()]);
           const text = await read(readable);
           await writes;
           return text;
         });
         await it('is done when read', async () => {
           const { readable, writable } = new IdentityTransformStream();
           const log = [];
           const bytes = encode('abcd');
           const written = writable.getWriter().write(bytes).then(() => log.push('written'));
           await scheduler.wait(1);
           const reader = readable.getReader({ mode: 'byob' });
           for (let i = 0; i < 2; i++) {
             const { value } = await reader.read(new Uint8Array(2));
             log.push(new TextDecoder().decode(value));
             await scheduler.wait(1);
           }
           await written;
           return [log, bytes.byteLength];
         });
         await it('pipes', async () => read(new Response('x'.repeat(300000)).body.pipeThrough(new IdentityTransformStream())).then((text) => text.length));
         await it('aborts', async () => {
           const { readable, writable } = new IdentityTransformStream();
           const reason = new RangeError('enough');
           const failed = readable.getReader().read().catch((error) => error === reason);
           await writable.abort(reason);
           return failed;
         });
         await it('aborts a write', async () => {
           const { readable, writable } = new IdentityTransformStream();
           const writer = writable.getWriter();
           const write = writer.write(encode('x')).catch((error) => error.name);
           await scheduler.wait(1);
           await writer.abort(new RangeError('enough'));
           return [await write, await readable.getReader().read().catch((error) => error.name)];
         });
         await it('cancels', async () => {
           const { readable, writable } = new IdentityTransformStream();
           const writer = writable.getWriter();
           const write = writer.write(encode('x')).catch((error) => error.message);
           await readable.cancel();
           return [await write, await writer.closed.catch((error) => error.name)];
         });
         await it('texts', async () => {
           const { readable, writable } = new IdentityTransformStream();
           const write = writable.getWriter().write('text');
           const { value } = await readable.getReader().read();
           await write;
           return new TextDecoder().decode(value);
         });
         await it('numbers', async () => {
           const { readable, writable } = new IdentityTransformStream();
           const write = writable.getWriter().write(5).catch((error) => error.message);
           return [await write, await readable.getReader().read().catch((error) => error.name)];
         });
         await it('fixed', async () => {
           const stream = new FixedLengthStream(5n, { highWaterMark: 100 });
           const writer = stream.writable.getWriter();
           writer.write(encode('12345'));
           writer.close();
           return [writer.desiredSize, await read(stream.readable), stream instanceof IdentityTransformStream, stream instanceof TransformStream];
         });
         for (const [name, text, length] of [['more', 'abcd', 3], ['fewer', 'ab', 3]]) {
           await it(name, async () => {
             const { readable, writable } = new FixedLengthStream(length);
             const writer = writable.getWriter();
             const failed = Promise.all([writer.write(encode(text)), writer.close()]).catch((error) => error.message);
             const got = await read(readable).catch((error) => error.message);
             return [await failed, got];
           });
         }
         for (const length of [-1, 1.5, 'many', NaN]) await it(`length ${length}`, () => new FixedLengthStream(length).constructor.name);
         await it('shape', () => [FixedLengthStream.length, IdentityTransformStream.length, String(new FixedLengthStream(0)),
           'FixedLengthStream' in globalThis, Object.keys(IdentityTransformStream.prototype)]);",
    )
    .await;
    let more = "FixedLengthStream: more bytes were written than the 3 that were promised";
    let number = "IdentityTransformStream: what was written is neither bytes nor text, but number: encode it, as with JSON.stringify";
    let fewer = "FixedLengthStream: it was closed after 2 of the 3 bytes that were promised";
    let length = "TypeError: Failed to construct 'FixedLengthStream': Argument 1 is not a number of bytes";
    assert_eq!(
        found,
        json!({
            "passes": "abc",
            "is done when read": [["ab", "cd", "written"], 4],
            "pipes": 300_000,
            "aborts": true,
            "aborts a write": ["RangeError", "RangeError"],
            "cancels": ["IdentityTransformStream: the readable side was cancelled", "TypeError"],
            "texts": "text",
            "numbers": [number, "TypeError"],
            "fixed": [95, "12345", true, true],
            "more": [more, more],
            "fewer": [fewer, fewer],
            "length -1": length, "length 1.5": "FixedLengthStream", "length many": length, "length NaN": length,
            "shape": [1, 0, "[object FixedLengthStream]", true, ["readable", "writable"]],
        })
    );
}

#[tokio::test]
async fn a_fixed_length_is_announced_in_both_directions() {
    let upstream = TestSupervisor::with(
        "export default { async fetch(request) {
           const { headers } = request;
           return Response.json([headers.get('content-length'), headers.get('transfer-encoding'), await request.text()]);
         } }",
    )
    .await;
    let back = upstream.address("app").await;
    let supervisor = TestSupervisor::with(&format!(
        "const feed = (stream, parts) => {{
           const writer = stream.writable.getWriter();
           (async () => {{
             for (const part of parts) {{ await writer.write(new TextEncoder().encode(part)); await scheduler.wait(5); }}
             await writer.close();
           }})().catch(() => {{}});
           return stream.readable;
         }};
         export default {{ fetch(request) {{
           const {{ pathname }} = new URL(request.url);
           switch (pathname) {{
             case '/fixed': return new Response(feed(new FixedLengthStream(10), ['01234', '56789']));
             case '/none': return new Response(feed(new FixedLengthStream(0), []));
             case '/lies': return new Response(feed(new FixedLengthStream(3), ['abc']), {{ headers: {{ 'Content-Length': '99' }} }});
             case '/identity': return new Response(feed(new IdentityTransformStream(), ['ab', 'c']));
             case '/short': return new Response(feed(new FixedLengthStream(10), ['01234']));
             case '/blob': return new Response(new Blob(['blob']));
             case '/upload': return fetch('http://{back}/', {{
               method: 'POST', duplex: 'half', body: feed(new FixedLengthStream(6), ['abc', 'def']) }});
           }}
         }} }}"
    ))
    .await;
    let address = supervisor.address("app").await;
    let get = |path: &str| {
        raw::exchange(address, format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"))
    };
    for (path, length, body) in
        [("/fixed", 10, "0123456789"), ("/none", 0, ""), ("/lies", 3, "abc"), ("/blob", 4, "blob")]
    {
        let answer = get(path).to_lowercase();
        assert!(answer.contains(&format!("\r\ncontent-length: {length}\r\n")), "{path}: {answer}");
        assert_eq!(answer.matches("content-length").count(), 1, "{path}: {answer}");
        assert!(!answer.contains("transfer-encoding"), "{path}: {answer}");
        assert!(answer.ends_with(&format!("\r\n\r\n{body}")), "{path}: {answer}");
    }
    let answer = get("/identity").to_lowercase();
    assert!(answer.contains("transfer-encoding: chunked") && !answer.contains("content-length"), "{answer}");
    // The body is shorter than announced, so the client must not take it for complete.
    let mut connection = Raw::connect(address);
    let answer = connection.send("GET /short HTTP/1.1\r\nhost: x\r\n\r\n").rest();
    assert!(answer.contains("content-length: 10\r\n") && answer.ends_with("\r\n\r\n01234"), "{answer}");
    supervisor.log.record_with("it was closed after 5 of the 10 bytes that were promised").await;
    assert_eq!(supervisor.get("app", "/upload").await.json(), json!(["6", null, "abcdef"]));
}

#[tokio::test]
async fn a_handler_has_a_context() {
    let source = "import * as workers from 'cloudflare:workers';
         const { env, waitUntil, WorkerEntrypoint, DurableObject } = workers;
         const early = [env.WORD, env.LIST];
         let settled = 0;
         const attempt = (run) => { try { return run(); } catch (error) { return `${error.name}: ${error.message}`; } };
         export class Counter extends DurableObject {}
         export default class extends WorkerEntrypoint {
           async fetch(request, given) {
             if (new URL(request.url).pathname === '/settled') return Response.json(settled);
             const { ctx } = this;
             const later = async () => { await scheduler.wait(10); settled++; };
             waitUntil(later());
             ctx.waitUntil(later());
             ctx.waitUntil({ then(done) { settled++; done(); } });
             ctx.waitUntil(1);
             const dynamic = await import('cloudflare:workers');
             return Response.json({
               early, same: [env.WORD === given.WORD, given === this.env, dynamic.env === env], names: Object.keys(workers),
               props: [ctx.props, ctx.props === ctx.props, Object.isFrozen(ctx.props)],
               shape: [String(ctx), Object.keys(Object.getPrototypeOf(ctx)), ctx.waitUntil.length],
               illegal: attempt(() => new ctx.constructor()), detached: attempt(() => (0, ctx.waitUntil)(1)),
               nothing: attempt(() => ctx.waitUntil()), pass: attempt(() => ctx.passThroughOnException()) ?? null,
               counter: new Counter(1, 2), cf: request.cf ?? null,
             });
           }
         }";
    let app = App::new("app", source).set("env = { WORD = 'hi', LIST = [1, { a = true }] }");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    assert_eq!(
        supervisor.get("app", "/").await.json(),
        json!({
            "early": ["hi", [1, { "a": true }]], "same": [true, true, true],
            "names": [
                "DurableObject", "RpcPromise", "RpcProperty", "RpcStub", "RpcTarget", "ServiceStub", "WorkerEntrypoint",
                "WorkflowEntrypoint", "abortIsolate", "cache", "default", "env", "exports", "restore", "tracing", "waitUntil", "withEnv",
                "withEnvAndExports", "withExports",
            ],
            "props": [{}, true, true],
            "shape": ["[object ExecutionContext]", ["exports", "props", "waitUntil", "passThroughOnException"], 1],
            "illegal": "TypeError: Illegal constructor", "detached": "TypeError: Illegal invocation",
            "nothing": "TypeError: Failed to execute 'waitUntil' on 'ExecutionContext': 1 argument required, but only 0 present",
            "pass": null, "counter": { "ctx": 1, "env": 2 }, "cf": { "httpProtocol": "HTTP/1.1" },
        })
    );
    until("all is settled", async || (supervisor.get("app", "/settled").await.json() == 3).then_some(()))
        .await;
}

#[tokio::test]
async fn the_imported_env_cannot_be_made_unusable() {
    let supervisor = TestSupervisor::with(
        "import { env, withEnv } from 'cloudflare:workers';
         export default { fetch() {
           let refused;
           try { Object.freeze(env); } catch (error) { refused = error.name; }
           Object.setPrototypeOf(env, { inherited: 1 });
           const frozen = withEnv(Object.freeze({ A: 1 }), () => ({ ...env }));
           return Response.json([refused, env.inherited, withEnv({ A: 1 }, () => Object.keys(env)), frozen]);
         } }",
    )
    .await;
    assert_eq!(supervisor.get("app", "/").await.json(), json!(["TypeError", 1, ["A"], { "A": 1 }]));
}

#[tokio::test]
async fn listeners_get_an_event() {
    let supervisor = TestSupervisor::with(
        "const attempt = (run) => { try { return run() ?? null; } catch (error) { return `${error.name}: ${error.message}`; } };
         let late;
         addEventListener('scheduled', () => {});
         addEventListener('fetch', (event) => {
           if (late) return event.respondWith(Response.json(attempt(() => late.respondWith(new Response()))));
           late = event;
           event.waitUntil(Promise.resolve());
           event.passThroughOnException();
           event.respondWith((async () => (await 0, Response.json({
             is: [event instanceof FetchEvent, event instanceof Event, event.request instanceof Request, event.type, String(event)],
             twice: attempt(() => event.respondWith(new Response())),
             keys: Object.keys(FetchEvent.prototype), own: Object.keys(event).filter((key) => key !== 'isTrusted'),
             made: attempt(() => new FetchEvent('fetch', { request: new Request('http://x/') }).request.url),
             unmade: attempt(() => new FetchEvent('fetch', {})),
           })))());
         });",
    )
    .await;
    let failed = "InvalidStateError: Failed to execute 'respondWith' on 'FetchEvent'";
    assert_eq!(
        supervisor.get("app", "/").await.json(),
        json!({
            "is": [true, true, true, "fetch", "[object FetchEvent]"],
            "twice": format!("{failed}: it was already called"),
            "keys": ["request", "respondWith", "waitUntil", "passThroughOnException"], "own": [],
            "made": "http://x/",
            "unmade": "TypeError: Failed to construct 'FetchEvent': 'request' of Argument 2 is not of type Request",
        })
    );
    assert_eq!(supervisor.get("app", "/").await.json(), json!(format!("{failed}: it was already called")));
}

#[tokio::test]
async fn what_workers_add_to_requests_and_responses_is_tolerated() {
    let found = checks::results(
        "const headers = new Headers([['set-cookie', 'a=1'], ['Set-Cookie', 'b=2'], ['x-own', '1']]);
         await it('getAll', () => [headers.getAll('Set-Cookie'), headers.getSetCookie(), Headers.prototype.getAll.length]);
         await it('getAll of others', () => headers.getAll('x-own'));
         await it('init', async () => {
           const response = new Response('text', { encodeBody: 'manual', webSocket: null, cf: { a: 1 }, status: 201 });
           const request = new Request('http://x/', { cf: { cacheTtl: 5 } });
           return [response.status, await response.text(), request.url, request.cf?.country ?? null];
         });
         await it('statics', async () => [Response.json({ a: 1 }).headers.get('content-type'),
           Response.redirect('http://x/', 301).status, Response.error().type]);
         await it('names', () => [navigator.userAgent, self === globalThis, performance.now() > 0]);
         await it('sockets', () => [...new WebSocketPair()].length);",
    )
    .await;
    assert_eq!(
        found,
        json!({
            "getAll": [["a=1", "b=2"], ["a=1", "b=2"], 1],
            "getAll of others": "TypeError: Failed to execute 'getAll' on 'Headers': it is for \"Set-Cookie\" only; use get(\"x-own\")",
            "init": [201, "text", "http://x/", null],
            "statics": ["application/json", 301, "error"],
            "names": ["nano-supervisor", true, true],
            "sockets": 2,
        })
    );
}
