//! Which answers are encoded and which are not: events as they are sent, caches, and the reason phrase of a status.

use std::io::Read as _;

use flate2::read::GzDecoder;
use http_body_util::BodyExt as _;
use serde_json::json;

use crate::harness::{App, Origin, raw};
use crate::{TestSupervisor, within};

#[tokio::test]
async fn events_under_a_coding_arrive_one_by_one() {
    let supervisor = TestSupervisor::with(
        "let next;
         export default { async fetch(request) {
           if (new URL(request.url).pathname === '/go') { next(); return new Response(); }
           const encoder = new TextEncoder();
           const body = new ReadableStream({ async start(controller) {
             for (let i = 0; i < 3; i++) {
               controller.enqueue(encoder.encode(`data: ${i}\\n\\n`));
               await new Promise((resolve) => next = resolve);
             }
             controller.close();
           } });
           return new Response(body, { headers: { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' } });
         } }",
    )
    .await;
    let client = supervisor.client("app").await;
    let request = client.request("GET", "/").body(http_body_util::Empty::<bytes::Bytes>::new()).unwrap();
    let response = within(client.begin(request)).await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let (mut body, mut bytes, mut expected) = (response.into_body(), Vec::new(), String::new());
    for event in 0..3 {
        expected += &format!("data: {event}\n\n");
        // The app sends the next event only after this one has been read.
        let mut text = String::new();
        while text != expected {
            bytes.extend(within(body.frame()).await.unwrap().unwrap().into_data().unwrap());
            text.clear();
            // The stream has not ended, so the decoder reports an error after the text.
            let _ = GzDecoder::new(&bytes[..]).read_to_string(&mut text);
        }
        within(client.get("/go")).await.unwrap();
    }
    bytes.extend(within(body.collect()).await.unwrap().to_bytes());
    let mut text = String::new();
    GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text, expected);
}

#[tokio::test]
async fn long_bodies_are_encoded_under_the_clients_credit() {
    let supervisor = TestSupervisor::with(
        "const line = Array.from({ length: 1 << 18 }, (_, i) => String.fromCharCode(33 + i * i % 89)).join('');
         const text = line.repeat(16);
         export default { fetch: (request) => new Response(
           new URL(request.url).pathname === '/bytes' ? new TextEncoder().encode(text) : text,
           { headers: { 'content-encoding': 'gzip' } }) }",
    )
    .await;
    let client = supervisor.client("app").await;
    for path in ["/text", "/bytes"] {
        let reply = within(client.get(path)).await.unwrap();
        let mut text = String::new();
        GzDecoder::new(&reply.body[..]).read_to_string(&mut text).unwrap();
        assert_eq!((text.len(), &text[..3]), (1 << 22, "!\"%"), "{path}");
    }
}

#[tokio::test]
async fn encode_body_is_automatic_or_manual_and_stays_with_a_response() {
    let supervisor = TestSupervisor::with(
        "const manual = () => new Response('abc', { headers: { 'content-encoding': 'gzip' }, encodeBody: 'manual' });
         const shapes = {
           manual,
           copied: () => new Response('abc', manual()),
           clone: () => manual().clone(),
           json: () => Response.json('abc', { headers: { 'content-encoding': 'gzip' }, encodeBody: 'manual' }),
           later: () => {
             const response = new Response('abc', { encodeBody: 'manual' });
             response.headers.set('content-encoding', 'gzip');
             return response;
           },
           automatic: () => new Response('abc', { headers: { 'content-encoding': 'gzip' }, encodeBody: 'automatic' }),
           other: () => { try { return new Response('', { encodeBody: 'none' }) } catch (error) { return new Response(String(error)) } },
         };
         export default { fetch: (request) => shapes[new URL(request.url).pathname.slice(1)]() }",
    )
    .await;
    let client = supervisor.client("app").await;
    for (path, body) in
        [("/manual", "abc"), ("/copied", "abc"), ("/clone", "abc"), ("/json", "\"abc\""), ("/later", "abc")]
    {
        let reply = client.get(path).await.unwrap();
        assert_eq!((reply.header("content-encoding"), reply.text()), ("gzip", body), "{path}");
        assert_eq!(reply.header("content-length"), body.len().to_string(), "{path}");
    }
    let mut text = String::new();
    let reply = client.get("/automatic").await.unwrap();
    GzDecoder::new(&reply.body[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text, "abc");
    assert_eq!(
        client.get("/other").await.unwrap().text(),
        "TypeError: Failed to construct 'Response': 'encodeBody' of 'ResponseInit' (Argument 2) is not one of \
         \"automatic\" and \"manual\""
    );
}

#[tokio::test]
async fn a_cache_keeps_what_would_leave() {
    let gzip = {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(b"from the upstream").unwrap();
        encoder.finish().unwrap()
    };
    let bytes = gzip.clone();
    let origin = Origin::http(move |_| {
        let response = hyper::Response::builder().header("content-encoding", "gzip");
        let response =
            response.header("content-length", bytes.len()).body(crate::harness::origin::whole(bytes.clone()));
        async { response.unwrap() }
    })
    .await;
    let app = "export default { async fetch(request, env) {
        const { pathname } = new URL(request.url);
        const key = (name) => new Request('http://cache/' + name);
        if (pathname === '/put') {
          const response = await fetch(env.UP);
          await caches.default.put(key('fetched'), response.clone());
          await caches.default.put(key('changed'), new Response((await response.text()).toUpperCase(), response));
          return new Response();
        }
        if (pathname === '/texts') {
          return Response.json([await (await caches.default.match(key('fetched'))).text(),
            await (await caches.default.match(key('changed'))).text()]);
        }
        if (pathname === '/part') {
          return caches.default.match(new Request('http://cache/fetched', { headers: { range: 'bytes=2-5' } }));
        }
        const found = await caches.default.match(key(pathname.slice(1)));
        return new Response(found.body, found);
      } }";
    let app = App::new("app", app).set(&format!("env = {{ UP = 'http://{}' }}", origin.address));
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let client = supervisor.client("app").await;
    assert_eq!(within(client.get("/put")).await.unwrap().status, 200);
    assert_eq!(
        within(client.get("/texts")).await.unwrap().json(),
        json!(["from the upstream", "FROM THE UPSTREAM"])
    );
    let fetched = within(client.get("/fetched")).await.unwrap();
    assert_eq!((fetched.header("content-encoding"), &fetched.body), ("gzip", &gzip.clone().into()));
    assert_eq!(fetched.header("content-length"), gzip.len().to_string());
    let part = within(client.get("/part")).await.unwrap();
    assert_eq!((part.status, &part.body[..]), (206, &gzip[2..6]));
    let mut text = String::new();
    let changed = within(client.get("/changed")).await.unwrap();
    GzDecoder::new(&changed.body[..]).read_to_string(&mut text).unwrap();
    assert_eq!((changed.header("content-encoding"), &*text), ("gzip", "FROM THE UPSTREAM"));
}

#[tokio::test]
async fn the_text_of_a_status_is_the_apps() {
    let supervisor = TestSupervisor::with(
        "export default { fetch(request) {
           switch (new URL(request.url).pathname) {
             case '/own': return new Response('x', { status: 299, statusText: 'Fine Indeed' });
             case '/plain': return new Response('x', { statusText: 'Very Well' });
             case '/usual': return new Response('x', { statusText: 'OK' });
             case '/none': return new Response(null, { status: 404, statusText: 'Nowhere' });
             case '/stream': return new Response(new Blob(['x']).stream(), { statusText: 'Bit by Bit' });
             case '/json': return Response.json({}, { status: 201, statusText: 'Made' });
             case '/unknown': return new Response('x', { status: 299 });
             case '/latin': return new Response('x', { statusText: 'Sch\\u00f6n' });
           }
           return new Response('x', { status: 201 });
         } }",
    )
    .await;
    let address = supervisor.address("app").await;
    for (path, line) in [
        ("/own", "HTTP/1.1 299 Fine Indeed"),
        ("/plain", "HTTP/1.1 200 Very Well"),
        ("/usual", "HTTP/1.1 200 OK"),
        ("/none", "HTTP/1.1 404 Nowhere"),
        ("/stream", "HTTP/1.1 200 Bit by Bit"),
        ("/json", "HTTP/1.1 201 Made"),
        ("/latin", "HTTP/1.1 200 Sch\u{fffd}n"),
        ("/unknown", "HTTP/1.1 299 "),
        ("/", "HTTP/1.1 201 Created"),
    ] {
        let answer =
            raw::exchange(address, format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
        assert_eq!(answer.lines().next(), Some(line), "{path}");
    }
    // HTTP/2 has no reason phrase.
    let reply = crate::harness::Client::new(address, true).get("/own").await.unwrap();
    assert_eq!((reply.status, reply.text()), (299, "x"));
}
