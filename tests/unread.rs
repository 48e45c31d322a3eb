//! Responses that an app fetches and does not read, and the connections that they hold.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::admin::metrics;
use crate::harness::{App, Client, Origin, free_address};
use crate::{TestSupervisor, until, within};

/// Far more than the sockets on the way hold.
const LENGTH: usize = 16 << 20;

/// Reads a head.
async fn head(stream: &mut TcpStream) -> bool {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return false;
        }
    }
    true
}

/// Answers 500 with a body that is long enough to hold its connection until it has been read.
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

/// The same, and where it is counted.
async fn serve_and_count(index: &str, origin: &Origin, max: usize) -> (TestSupervisor, Client) {
    let settings = format!("env = {{ UP = 'http://{}' }}\nmax_outbound = {max}", origin.address);
    let (app, admin) = (App::new("app", index).set(&settings), free_address());
    let supervisor = TestSupervisor::plan().app(app).set(&format!("admin = '{admin}'")).start().await;
    (supervisor, Client::new(admin, false))
}

/// Waits until so many bodies were cancelled with their requests, and so many to make room.
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
    // None had to be cancelled to make room.
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
    let lines = supervisor.log.lines();
    let warnings = lines.iter().filter(|line| line.contains(&warning));
    assert!(
        warnings.clone().all(|line| line.contains("await response.body?.cancel()") && line.contains("WARN"))
    );
    assert_eq!(warnings.count(), 2, "{lines:?}");
    counted(&admin, 0.0, 2.0).await;
}

#[tokio::test]
async fn a_connection_whose_peer_has_closed_it_holds_no_place() {
    // What the sockets hold, so that all of it is sent when the peer goes.
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
