//! Responses that an app fetches but does not read, and the connections that they hold.

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::admin::metrics;
use crate::harness::{App, Client, Origin, free_address};
use crate::{TestSupervisor, until, within};

/// Far more than the sockets on the way can buffer.
const LENGTH: usize = 16 << 20;

/// Reads the head of a request. Returns `false` if the connection has ended.
async fn head(stream: &mut TcpStream) -> bool {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return false;
        }
    }
    true
}

/// Answers 500 with a body that is too long to leave its connection before it has been read.
async fn origin() -> Origin {
    Origin::raw(|mut stream, _| async move {
        while head(&mut stream).await {
            let mut answer = format!("HTTP/1.1 500 Broken\r\ncontent-length: {LENGTH}\r\n\r\n");
            let _ = write!(answer, "{}", "x".repeat(LENGTH));
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    })
    .await
}

async fn serve(index: &str, origin: &Origin, max: usize) -> TestSupervisor {
    serve_and_count(index, origin, max).await.0
}

/// Serves the app like [`serve`] and returns a client for its metrics as well.
async fn serve_and_count(index: &str, origin: &Origin, max: usize) -> (TestSupervisor, Client) {
    let settings = format!("env = {{ UP = 'http://{}' }}\nmax_outbound = {max}", origin.address);
    let (app, admin) = (App::new("app", index).set(&settings), free_address());
    let supervisor = TestSupervisor::plan().app(app).set(&format!("admin = '{admin}'")).start().await;
    (supervisor, Client::afresh(admin))
}

/// Waits until the metrics count `over` bodies that were cancelled with their requests, and `room` to make room.
async fn counted(admin: &Client, over: f64, room: f64) {
    until("what was cancelled is counted", async || {
        let now = metrics(admin).await;
        let of =
            |why: &str| now.get(&format!("nano_worker_unread_bodies_total{{app=\"app\",why=\"{why}\"}}"));
        (of("over") == Some(&over) && of("room") == Some(&room)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_body_that_nobody_reads_ends_with_its_request() {
    let origin = origin().await;
    let (supervisor, admin) = serve_and_count(
        "export default { async fetch(request, env) {
           const response = await fetch(env.UP);
           if (!response.ok) return new Response('bad');
           return new Response('good');
         } }",
        &origin,
        2,
    )
    .await;
    let client = supervisor.client("app").await;
    for _ in 0..8 {
        assert_eq!(within(client.get("/")).await.unwrap().text(), "bad");
    }
    counted(&admin, 8.0, 0.0).await;
    // No body had to be cancelled to make room.
    assert!(supervisor.log.lines().iter().all(|line| !line.contains("max_outbound")));
}

#[tokio::test]
async fn it_lasts_as_long_as_what_wait_until_was_given_and_as_whoever_waits_for_its_bytes() {
    let go = Arc::new(Notify::new());
    let held = go.clone();
    let origin = Origin::raw(move |mut stream, _| {
        let held = held.clone();
        async move {
            head(&mut stream).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab").await;
            held.notified().await;
            let _ = stream.write_all(b"cd").await;
            head(&mut stream).await;
        }
    })
    .await;
    let supervisor = serve(
        "const found = {};
         let kept, later;
         export default { async fetch(request, env, ctx) {
           switch (new URL(request.url).pathname) {
             case '/wait': {
               const response = await fetch(env.UP);
               const wait = new Promise((resolve) => later = resolve);
               ctx.waitUntil(wait.then(() => response.text()).then((text) => found.wait = text));
               return new Response();
             }
             case '/read': {
               const response = await fetch(env.UP);
               response.text().then((text) => found.read = text);
               return new Response();
             }
             case '/keep': kept = await fetch(env.UP); return new Response();
             case '/kept': return new Response(await kept.text().catch((error) => error.message));
             case '/later': later(); return new Response();
           }
           while (found.wait === undefined || found.read === undefined) await scheduler.wait(5);
           return Response.json(found);
         } }",
        &origin,
        8,
    )
    .await;
    let client = supervisor.client("app").await;
    for path in ["/wait", "/read", "/keep", "/later"] {
        assert_eq!(within(client.get(path)).await.unwrap().status, 200, "{path}");
    }
    assert_eq!(
        within(client.get("/kept")).await.unwrap().text(),
        format!(
            "the response from http://{} ended with the request that fetched it, which is over: read its body before \
             that, or within waitUntil()",
            origin.address
        )
    );
    go.notify_waiters();
    let found = within(client.get("/")).await.unwrap().json();
    assert_eq!(found, json!({ "wait": "abcd", "read": "abcd" }));
}

#[tokio::test]
async fn the_oldest_makes_room_when_there_is_no_place_left() {
    let origin = origin().await;
    let (supervisor, admin) = serve_and_count(
        "export default { async fetch(request, env) {
           const responses = [];
           for (let i = 0; i < 5; i++) responses.push(await fetch(env.UP));
           const read = (response) => response.bytes().then((bytes) => bytes.length, (error) => error.message);
           return Response.json(await Promise.all(responses.map(read)));
         } }",
        &origin,
        3,
    )
    .await;
    let client = supervisor.client("app").await;
    let what = format!("the response from http://{}", origin.address);
    let cancelled = format!(
        "{what} was cancelled: nobody had read its body, and there was no place for another connection"
    );
    let found = within(client.get("/")).await.unwrap().json();
    assert_eq!(found, json!([cancelled, cancelled, LENGTH, LENGTH, LENGTH]));
    let warning =
        format!("{what} was cancelled to make room for another connection: nobody had read its body");
    let lines = until("both are warned of", async || {
        let lines = supervisor.log.lines();
        (lines.iter().filter(|line| line.contains(&warning)).count() >= 2).then_some(lines)
    })
    .await;
    let warnings = lines.iter().filter(|line| line.contains(&warning));
    assert!(
        warnings.clone().all(|line| line.contains("await response.body?.cancel()") && line.contains("WARN"))
    );
    assert_eq!(warnings.count(), 2, "{lines:?}");
    counted(&admin, 0.0, 2.0).await;
}

#[tokio::test]
async fn a_connection_whose_peer_has_closed_it_holds_no_place() {
    // As much as the sockets buffer, so that all of it is sent before the peer closes.
    const SENT: usize = 64 << 10;
    let origin = Origin::raw(|mut stream, _| async move {
        head(&mut stream).await;
        let answer = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", "x".repeat(SENT));
        let _ = stream.write_all(answer.as_bytes()).await;
    })
    .await;
    let supervisor = serve(
        "export default { async fetch(request, env) {
           const responses = [];
           for (let i = 0; i < 6; i++) responses.push(await fetch(env.UP));
           return Response.json(await Promise.all(responses.map(async (response) => (await response.bytes()).length)));
         } }",
        &origin,
        2,
    )
    .await;
    let reply = within(supervisor.get("app", "/")).await;
    assert_eq!(reply.json(), json!(vec![SENT; 6]));
}

/// Begins every body but does not end it until it is told to.
async fn stalled(go: Arc<Notify>) -> Origin {
    Origin::raw(move |mut stream, _| {
        let go = go.clone();
        async move {
            while head(&mut stream).await {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab").await;
                go.notified().await;
                let _ = stream.write_all(b"cd").await;
            }
        }
    })
    .await
}

#[tokio::test]
async fn what_the_handler_of_a_cancelled_request_waits_for_holds_no_place() {
    let go = Arc::new(Notify::new());
    let origin = stalled(go.clone()).await;
    let supervisor = serve(
        "export default { async fetch(request, env, ctx) {
           switch (new URL(request.url).pathname) {
             case '/text': return new Response(await (await fetch(env.UP)).text());
             case '/begun': {
               const reader = (await fetch(env.UP)).body.getReader();
               await reader.read();
               await reader.read();
             }
             case '/kept': {
               const response = await fetch(env.UP);
               ctx.waitUntil(response.text());
               return new Promise(() => {});
             }
           }
           // Begun, so that none has to go to make room for the next.
           const begin = async () => new TextDecoder().decode((await (await fetch(env.UP)).body.getReader().read()).value);
           return new Response((await Promise.all([begin(), begin(), begin()])).join());
         } }",
        &origin,
        4,
    )
    .await;
    let client = supervisor.client("app").await;
    let mut gone = Vec::new();
    for path in ["/text", "/begun", "/kept"] {
        let client = client.clone();
        gone.push(tokio::spawn(async move { client.get(path).await }));
    }
    until("all have fetched", async || (origin.connections() == 3).then_some(())).await;
    for request in gone {
        request.abort();
    }
    supervisor.in_flight("app", 0).await;
    // The body that waitUntil uses stays, because its work is not over.
    assert_eq!(within(client.get("/")).await.unwrap().text(), "ab,ab,ab");
    go.notify_waiters();
}

#[tokio::test]
async fn an_abort_reaches_a_body_that_is_passed_on() {
    let origin = stalled(Arc::default()).await;
    let supervisor = serve(
        "let controller, found;
         const told = (error) => error.name;
         export default { async fetch(request, env, ctx) {
           const { pathname } = new URL(request.url);
           if (pathname === '/abort') { controller.abort(); return new Response('' + await found); }
           controller = new AbortController();
           const response = await fetch(env.UP, { signal: controller.signal });
           switch (pathname) {
             case '/returned': return response;
             case '/made': return new Response(response.body, response);
             case '/encoded': return new Response(response.body, { headers: { 'content-encoding': 'gzip' } });
             case '/cloned': found = response.clone().text().catch(told); return response;
             case '/kept':
               found = caches.default.put('http://kept/', new Response(response.body)).catch(told);
               ctx.waitUntil(found);
               return new Response('ab');
           }
         } }",
        &origin,
        16,
    )
    .await;
    let client = supervisor.client("app").await;
    for (path, told) in [
        ("/returned", "undefined"),
        ("/made", "undefined"),
        ("/encoded", "undefined"),
        ("/cloned", "AbortError"),
        ("/kept", "AbortError"),
    ] {
        let request = client.request("GET", path).body(Empty::<Bytes>::new()).unwrap();
        let mut response = within(client.begin(request)).await.unwrap();
        let first = within(response.body_mut().frame()).await.unwrap().unwrap().into_data().unwrap();
        assert!(path == "/encoded" || first == "ab", "{path}: {first:?}");
        assert_eq!(within(client.get("/abort")).await.unwrap().text(), told, "{path}");
        let rest = within(response.into_body().collect()).await;
        assert_eq!(rest.is_err(), path != "/kept", "{path}");
    }
}

#[tokio::test]
async fn a_warning_comes_also_if_it_was_a_websocket_that_wanted_the_place() {
    let origin = origin().await;
    let supervisor = serve(
        "export default { async fetch(request, env) {
           const unread = await fetch(env.UP);
           const socket = new WebSocket(env.UP.replace('http', 'ws'));
           await new Promise((resolve) => socket.onerror = resolve);
           return new Response(`${unread.status}`);
         } }",
        &origin,
        1,
    )
    .await;
    assert_eq!(within(supervisor.get("app", "/")).await.text(), "500");
    let what = format!("the response from http://{} was cancelled to make room", origin.address);
    supervisor.log.record_with(&what).await;
}

#[tokio::test]
async fn a_response_that_has_just_come_is_not_given_up_while_another_connection_is_being_opened() {
    let origin = origin().await;
    // Sends nothing, so that the TLS handshake does not end.
    let silent = Origin::raw(|mut stream, _| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let supervisor = serve(
        &format!(
            "export default {{ async fetch(request, env) {{
               const opened = new AbortController();
               const opening = fetch('https://{}', {{ signal: opened.signal }}).catch(() => {{}});
               while ((await (await fetch(env.UP)).bytes()).length === 0);
               const first = await fetch(env.UP);
               const third = fetch(env.UP);
               await scheduler.wait(20);
               const {{ length }} = await first.bytes();
               opened.abort();
               const found = [length, (await third).status];
               await opening;
               return Response.json(found);
             }} }}",
            silent.address
        ),
        &origin,
        2,
    )
    .await;
    let reply = within(supervisor.get("app", "/")).await;
    assert_eq!(reply.json(), json!([LENGTH, 500]), "{}", reply.text());
}
