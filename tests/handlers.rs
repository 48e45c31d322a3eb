//! The arguments of a handler and the results of what it does: context, concurrency, errors, and the web API around it.

use crate::harness::App;
use crate::{TestSupervisor, until, within};

#[tokio::test]
async fn many_requests_run_concurrently_in_one_isolate() {
    let supervisor = TestSupervisor::with(
        "let now = 0, meet;
         const met = new Promise((resolve) => meet = resolve);
         export default { async fetch() {
           if (++now === 20) meet();
           await met;
           return new Response('met');
         } }",
    )
    .await;
    let client = supervisor.client("app").await;
    let requests: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.get("/").await })
        })
        .collect();
    for request in requests {
        assert_eq!(request.await.unwrap().unwrap().text(), "met");
    }
}

#[tokio::test]
async fn wait_until_outlives_the_response() {
    let supervisor = TestSupervisor::with(
        "let done = 0;
         export default { async fetch(request, env, ctx) {
           if (new URL(request.url).pathname === '/done') return Response.json(done);
           ctx.passThroughOnException();
           ctx.waitUntil((async () => { await new Promise((resolve) => setTimeout(resolve, 20)); done++; })());
           ctx.waitUntil(Promise.reject(new Error('in the background')));
           ctx.waitUntil('no promise');
           return Response.json(done);
         } }",
    )
    .await;
    let client = supervisor.client("app").await;
    assert_eq!(client.get("/").await.unwrap().json(), 0);
    until("it is done", async || (client.get("/done").await.unwrap().json() == 1).then_some(())).await;
    supervisor.log.record_with("Uncaught (in waitUntil) Error: in the background").await;
}

#[tokio::test]
async fn requests_are_standard_requests() {
    let supervisor = TestSupervisor::with(
        "export default { async fetch(request) {
           const copy = request.clone();
           const changed = new Request(request, { headers: { 'x-new': '1' } });
           return Response.json({
             is: request instanceof Request, method: request.method, url: request.url,
             header: request.headers.get('x-sent'), missing: request.headers.get('x-missing'),
             has: request.headers.has('X-SENT'), signal: request.signal instanceof AbortSignal,
             aborted: request.signal.aborted, redirect: request.redirect, cf: request.cf,
             immutable: (() => { try { request.headers.set('a', 'b'); return false; } catch { return true; } })(),
             used: [request.bodyUsed, (await copy.json()).a, request.bodyUsed], changed: changed.headers.get('x-new'),
             body: await changed.text(),
           });
         } }",
    )
    .await;
    let client = supervisor.client("app").await;
    let request = client
        .request("POST", "/path?query=1")
        .header("x-sent", "sent")
        .body(http_body_util::Full::<bytes::Bytes>::from(r#"{"a":1}"#))
        .unwrap();
    let address = supervisor.address("app").await;
    assert_eq!(
        client.send(request).await.unwrap().json(),
        serde_json::json!({
            "is": true, "method": "POST", "url": format!("http://{address}/path?query=1"), "header": "sent",
            "missing": null, "has": true, "signal": true, "aborted": false, "redirect": "manual", "cf": { "httpProtocol": "HTTP/1.1" },
            "immutable": true, "used": [true, 1, true], "changed": "1", "body": "{\"a\":1}"
        })
    );
}

#[tokio::test]
async fn every_way_to_read_a_body_works() {
    let supervisor = TestSupervisor::with(
        "export default { async fetch(request) {
           switch (new URL(request.url).pathname) {
             case '/text': return new Response(await request.text());
             case '/json': return Response.json(await request.json());
             case '/arrayBuffer': return new Response(await request.arrayBuffer());
             case '/bytes': return new Response(await request.bytes());
             case '/blob': return new Response(await request.blob());
             case '/stream': {
               let text = '';
               const decoder = new TextDecoder();
               for await (const chunk of request.body) text += decoder.decode(chunk, { stream: true });
               return new Response(text);
             }
             case '/byob': {
               const reader = request.body.getReader({ mode: 'byob' });
               let text = '', buffer = new Uint8Array(3000);
               for (;;) {
                 const { done, value } = await reader.read(buffer);
                 if (done) return new Response(text);
                 text += new TextDecoder().decode(value);
                 buffer = new Uint8Array(value.buffer);
               }
             }
             case '/transform':
               return new Response(request.body.pipeThrough(new TransformStream()));
             case '/form': {
               const form = new URLSearchParams(await request.text());
               return Response.json([...form]);
             }
             case '/twice': { await request.text(); try { await request.text(); } catch (error) { return new Response(error.name); } }
             case '/ignored': return new Response('ignored');
           }
         } }",
    )
    .await;
    let client = supervisor.client("app").await;
    let large = format!("[{}1]", "1,".repeat(300_000));
    for path in ["/text", "/json", "/arrayBuffer", "/bytes", "/blob", "/stream", "/transform"] {
        assert_eq!(client.post(path, "[1,2,3]").await.unwrap().text(), "[1,2,3]", "{path}");
        assert!(client.post(path, large.clone()).await.unwrap().text() == large, "{path}");
    }
    assert!(client.post("/byob", large.clone()).await.unwrap().text() == large);
    assert_eq!(
        client.post("/form", "a=1&b=2").await.unwrap().json(),
        serde_json::json!([["a", "1"], ["b", "2"]])
    );
    assert_eq!(client.post("/twice", "x").await.unwrap().text(), "TypeError");
    assert_eq!(client.post("/ignored", "x".repeat(100_000)).await.unwrap().text(), "ignored");
}

#[tokio::test]
async fn every_kind_of_response_body_works() {
    let supervisor = TestSupervisor::with(
        "const bytes = new TextEncoder().encode('bytes');
         export default { fetch(request) {
           switch (new URL(request.url).pathname) {
             case '/string': return new Response('string ü €');
             case '/bytes': return new Response(bytes);
             case '/view': return new Response(bytes.subarray(1, 3));
             case '/buffer': return new Response(bytes.buffer.slice(0));
             case '/blob': return new Response(new Blob(['blob'], { type: 'text/x-blob' }));
             case '/params': return new Response(new URLSearchParams({ a: '1 2' }));
             case '/form': { const form = new FormData(); form.set('a', 'b'); return new Response(form); }
             case '/stream': return new Response(new Blob(['stream']).stream());
             case '/json': return Response.json({ a: 1 }, { status: 201, headers: { 'x-own': '1' } });
             case '/redirect': return Response.redirect('http://example.com/there', 307);
             case '/gzip': return new Response(new Blob(['x'.repeat(1000)]).stream()
               .pipeThrough(new CompressionStream('gzip')), { headers: { 'content-encoding': 'gzip' }, encodeBody: 'manual' });
             case '/null': return new Response(null);
             case '/status': return new Response('teapot', { status: 418, statusText: 'ignored' });
             case '/typed': return new Response('<p>', { headers: { 'content-type': 'text/html' } });
           }
         } }",
    )
    .await;
    let client = supervisor.client("app").await;
    for (path, status, content_type, body) in [
        ("/string", 200, "text/plain;charset=UTF-8", "string ü €"),
        ("/bytes", 200, "", "bytes"),
        ("/view", 200, "", "yt"),
        ("/buffer", 200, "", "bytes"),
        ("/blob", 200, "text/x-blob", "blob"),
        ("/params", 200, "application/x-www-form-urlencoded;charset=UTF-8", "a=1+2"),
        ("/stream", 200, "", "stream"),
        ("/json", 201, "application/json", "{\"a\":1}"),
        ("/redirect", 307, "", ""),
        ("/null", 200, "", ""),
        ("/status", 418, "text/plain;charset=UTF-8", "teapot"),
        ("/typed", 200, "text/html", "<p>"),
    ] {
        let reply = client.get(path).await.unwrap();
        assert_eq!(
            (reply.status, reply.header("content-type"), reply.text()),
            (status, content_type, body),
            "{path}"
        );
    }
    assert_eq!(client.get("/redirect").await.unwrap().header("location"), "http://example.com/there");
    assert!(
        client
            .get("/form")
            .await
            .unwrap()
            .header("content-type")
            .starts_with("multipart/form-data; boundary=")
    );
    assert!(client.get("/gzip").await.unwrap().body.starts_with(&[0x1f, 0x8b]));
}

#[tokio::test]
async fn the_minimum_common_web_api_is_there_and_the_host_is_not() {
    let supervisor = TestSupervisor::with(
        "const names = ('AbortController AbortSignal Blob ByteLengthQueuingStrategy CompressionStream CountQueuingStrategy Crypto ' +
           'CryptoKey CustomEvent DecompressionStream DOMException ErrorEvent Event EventTarget File FormData Headers MessageChannel ' +
           'MessageEvent MessagePort Performance PromiseRejectionEvent ReadableStream ReadableStreamBYOBReader Request Response ' +
           'SubtleCrypto TextDecoder TextDecoderStream TextEncoder TextEncoderStream TransformStream URL URLPattern URLSearchParams ' +
           'WebAssembly WritableStream atob btoa clearInterval clearTimeout console crypto fetch globalThis navigator performance ' +
           'queueMicrotask reportError self setInterval setTimeout structuredClone').split(' ');
         export default { async fetch() {
           const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode('abc'));
           return Response.json({
             missing: names.filter((name) => !(name in globalThis)),
             leaked: ['Deno', '__bootstrap', '__nano', 'require', 'core'].filter((name) => name in globalThis),
             hash: [...new Uint8Array(hash)].slice(0, 3), uuid: crypto.randomUUID().length,
             clone: structuredClone(new Map([[1, { a: [1n] }]])).get(1).a[0] === 1n,
             pattern: new URLPattern({ pathname: '/:name' }).exec('http://x/you').pathname.groups.name,
           });
         } }",
    )
    .await;
    let expected = serde_json::json!({
        "missing": [], "leaked": [], "hash": [186, 120, 22], "uuid": 36, "clone": true, "pattern": "you"
    });
    assert_eq!(supervisor.get("app", "/").await.json(), expected);
}

#[tokio::test]
async fn an_app_can_fetch_from_another() {
    let upstream = TestSupervisor::plan().app(App::hello("back")).start().await;
    let back = upstream.address("back").await;
    let front = App::new(
        "front",
        &format!(
            "export default {{ async fetch(request) {{
               const answer = await fetch('http://{back}/', {{ method: 'POST', body: request.body, duplex: 'half' }});
               return new Response(answer.body, {{ status: answer.status }});
             }} }}"
        ),
    );
    let supervisor = TestSupervisor::plan().app(front).start().await;
    let reply = supervisor.client("front").await.post("/", "x".repeat(200_000)).await.unwrap();
    assert_eq!((reply.status, reply.text()), (200, "hello from back"));
}

#[tokio::test]
async fn timers_and_state_outlive_a_request() {
    let supervisor = TestSupervisor::with(
        "let ticks = 0;
         setInterval(() => ticks++, 5);
         export default { fetch: () => Response.json(ticks) }",
    )
    .await;
    let client = supervisor.client("app").await;
    until("it has ticked", async || (client.get("/").await.unwrap().json().as_u64() > Some(5)).then_some(()))
        .await;
}

#[tokio::test]
async fn every_body_is_a_byte_stream() {
    let supervisor = TestSupervisor::with(
        "async function lengths(stream) {
            const reader = stream.getReader({ mode: 'byob' });
            for (const lengths = [];;) {
                const { done, value } = await reader.read(new Uint8Array(4));
                lengths.push(value.byteLength);
                if (done) return lengths;
            }
        }
        export default { async fetch(request) {
            const shared = new Response(new Uint8Array([65, 66]));
            const clone = shared.clone();
            return Response.json([
                await lengths(request.body),
                await lengths(new Response('hello!').body),
                await lengths(new Response('').body),
                [await lengths(shared.body), await clone.text()],
                await new Response(new Response('unread').body).text(),
            ]);
        } }",
    )
    .await;
    let reply = within(supervisor.client("app").await.post("/", "ten  bytes")).await.unwrap();
    assert_eq!(reply.text(), r#"[[4,4,2,0],[4,2,0],[0],[[2,0],"AB"],"unread"]"#);
}
