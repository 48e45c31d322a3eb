//! Request bodies on their way out, to an upstream or back: their announced length, compared with workerd, and that a body
//! that breaks off is never taken for complete.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::channel::Channel;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Incoming;
use serde_json::json;
use tokio::sync::{Notify, mpsc};

use crate::harness::client::BodyError;
use crate::harness::origin::{Answer, whole};
use crate::harness::workerd::Both;
use crate::harness::{App, Client, Origin, raw};
use crate::{TestSupervisor, within};

const SHAPES: &str = include_str!("uploads/shapes.js");

/// A request that an upstream received.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Got {
    method: String,
    length: Option<String>,
    is_chunked: bool,
    /// `None` if the body broke off.
    body: Option<Bytes>,
}

/// Starts an upstream that reports each request and when it begins.
async fn upstream() -> (Origin, mpsc::Receiver<Got>, Arc<Notify>) {
    let (sender, receiver) = mpsc::channel(16);
    let begun = Arc::new(Notify::new());
    let begins = begun.clone();
    let origin = Origin::http(move |request: Request<Incoming>| {
        let sender = sender.clone();
        begins.notify_one();
        async move {
            let (head, body) = request.into_parts();
            let field = |name| head.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
            let (length, is_chunked) = (field("content-length"), field("transfer-encoding").is_some());
            let body = body.collect().await.ok().map(|body| body.to_bytes());
            let _ = sender.try_send(Got { method: head.method.to_string(), length, is_chunked, body });
            Answer::new(whole("ok"))
        }
    })
    .await;
    (origin, receiver, begun)
}

async fn ours(upstream: SocketAddr) -> TestSupervisor {
    let app = App::new("app", SHAPES).set(&format!("env = {{ UP = 'http://{upstream}' }}"));
    TestSupervisor::plan().app(app).start().await
}

fn names() -> impl Iterator<Item = &'static str> {
    let lines = SHAPES.lines().skip_while(|line| !line.starts_with("const shapes"));
    let lines = lines.take_while(|line| !line.starts_with("};"));
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split_once(": ")).map(|(name, _)| name);
    names.filter(|name| name.bytes().all(|byte| byte.is_ascii_alphabetic()))
}

#[tokio::test]
async fn every_upload_is_announced_as_by_workerd() {
    let (origin, mut got, _) = upstream().await;
    let Some(both) = Both::serve(SHAPES, origin.address).await else { return };
    assert!(names().count() > 30, "{:?}", names().collect::<Vec<_>>());
    let long = "x".repeat(300_000);
    let mut wrong = Vec::new();
    for name in names() {
        // An empty POST announces a length of zero here. A POST without any length is tested separately.
        for body in ["", "abc", &long] {
            let mut found = Vec::new();
            let replies = both.send("POST", &format!("/{name}"), &[], body.to_owned()).await;
            for (server, reply) in ["ours", "workerd"].into_iter().zip(replies) {
                let reply = reply
                    .unwrap_or_else(|error| panic!("{server}, {name} of {} bytes: {error:?}", body.len()));
                let framing =
                    ["content-length", "transfer-encoding"].map(|field| reply.header(field).to_owned());
                found.push((reply.status, framing, reply.body));
            }
            // Both have answered, so what they sent has arrived.
            let sent: Vec<_> = std::iter::from_fn(|| got.try_recv().ok()).collect();
            let (mine, theirs) = sent.split_at(sent.len() / 2);
            if found[0] != found[1] || mine != theirs {
                let short = format!("{:?}", (&found, &sent)).replace(&long, "LONG");
                wrong.push(format!("{name} of {} bytes: {short}", body.len()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_known_length_is_kept_over_either_protocol() {
    let (origin, mut got, _) = upstream().await;
    let supervisor = ours(origin.address).await;
    let address = supervisor.address("app").await;
    let long = Bytes::from("x".repeat(300_000));
    for http2 in [false, true] {
        let client = Client::new(address, http2);
        let direct =
            ["body", "request", "init", "headers", "twoRequests", "ofResponse", "clone", "cloned", "tee"];
        for (name, is_known) in
            direct.map(|name| (name, true)).into_iter().chain([("piped", false), ("changed", false)])
        {
            let post = client.request("PUT", &format!("/{name}")).body(Full::new(long.clone())).unwrap();
            assert_eq!(within(client.send(post)).await.unwrap().text(), "ok", "{name}");
            let sent = got.try_recv().unwrap();
            let length = is_known.then(|| long.len().to_string());
            assert_eq!((sent.length, sent.is_chunked), (length, !is_known), "{name}, HTTP/2: {http2}");
            let expected = if name == "changed" { long.len() + 6 } else { long.len() };
            assert_eq!(sent.body.unwrap().len(), expected, "{name}");
            // If the client announces no length, none is passed on.
            let (mut sender, body) = Channel::<Bytes, BodyError>::new(1);
            let long = long.clone();
            tokio::spawn(async move {
                for part in [long.slice(..1000), long.slice(1000..)] {
                    sender.send_data(part).await.unwrap();
                }
            });
            let post = client.request("PUT", &format!("/{name}")).body(body).unwrap();
            assert_eq!(within(client.send(post)).await.unwrap().text(), "ok", "{name}");
            let sent = got.try_recv().unwrap();
            assert_eq!(sent.body.map(|body| body.len()), Some(expected), "{name}");
        }
        for (name, is_known) in
            [("echo", true), ("echoClone", true), ("echoTee", true), ("echoResponseClone", true)]
        {
            let post = client.request("PUT", &format!("/{name}")).body(Full::new(long.clone())).unwrap();
            let reply = within(client.send(post)).await.unwrap();
            let length = if is_known { long.len().to_string() } else { String::new() };
            assert_eq!((reply.header("content-length"), reply.body.len()), (&*length, long.len()), "{name}");
        }
    }
}

#[tokio::test]
async fn what_breaks_off_never_looks_complete() {
    let (origin, mut got, begun) = upstream().await;
    let supervisor = ours(origin.address).await;
    let address = supervisor.address("app").await;
    for http2 in [false, true] {
        for length in [None, Some(1_000_000)] {
            for name in [
                "body",
                "request",
                "init",
                "headers",
                "twoRequests",
                "clone",
                "tee",
                "piped",
                "identity",
                "changed",
            ] {
                // Each request has its own connection, which it breaks off.
                let client = Client::new(address, http2);
                let (mut sender, body) = Channel::<Bytes, BodyError>::new(1);
                let request = client.request("PUT", &format!("/{name}"));
                let request = length
                    .into_iter()
                    .fold(request, |request, length: u64| request.header("content-length", length));
                let request = request.body(body).unwrap();
                let sending = tokio::spawn(async move { client.send(request).await });
                sender.send_data(Bytes::from("x".repeat(100_000))).await.unwrap();
                within(begun.notified()).await;
                sender.abort("the client goes away".into());
                assert!(within(sending).await.unwrap().is_err());
                let what = format!("{name}, HTTP/2: {http2}, {length:?}");
                let sent = within(got.recv()).await.unwrap();
                assert_eq!(sent.body.as_ref().map(Bytes::len), None, "{what}: it came as complete");
            }
        }
    }
    let client = supervisor.client("app").await;
    let aborted = tokio::spawn({
        let client = client.clone();
        async move { client.get("/aborted").await.unwrap().text().to_owned() }
    });
    within(begun.notified()).await;
    assert_eq!(within(client.get("/giveUp")).await.unwrap().text(), "given up");
    assert_eq!(within(aborted).await.unwrap(), "AbortError");
    assert_eq!(within(got.recv()).await.unwrap().body, None, "an upload that was aborted came as complete");
}

#[tokio::test]
async fn a_request_has_the_body_that_it_came_with() {
    let (origin, mut got, _) = upstream().await;
    let supervisor = ours(origin.address).await;
    let address = supervisor.address("app").await;
    let ask = |line: &str, fields: &str, body: &str| {
        let head = format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{fields}\r\n");
        let answer = raw::exchange(address, format!("{head}{body}"));
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    };
    let chunked = "transfer-encoding: chunked\r\n";
    for (line, fields, body, expected) in [
        ("POST /info", "", "", json!([true, null])),
        ("OPTIONS /info", "", "", json!([true, null])),
        ("POST /info", "content-length: 0\r\n", "", json!([false, "0"])),
        ("POST /info", "content-length: 3\r\n", "abc", json!([false, "3"])),
        ("POST /info", chunked, "0\r\n\r\n", json!([false, null])),
        ("GET /info", "", "", json!([true, null])),
        ("GET /info", "content-length: 3\r\n", "abc", json!([false, "3"])),
        ("GET /info", chunked, "3\r\nabc\r\n0\r\n\r\n", json!([false, null])),
    ] {
        let found: serde_json::Value = serde_json::from_str(&ask(line, fields, body)).unwrap();
        assert_eq!(found, expected, "{line}, {fields:?}");
    }
    assert_eq!(ask("GET /text", "content-length: 3\r\n", "abc"), "abc");
    // A GET with a body is passed on with it. A POST without a body does not become one with an empty stream.
    let client = supervisor.client("app").await;
    for name in ["request", "init", "twoRequests"] {
        let search = client.request("GET", &format!("/{name}")).body(Full::new(Bytes::from("abc"))).unwrap();
        assert_eq!(within(client.send(search)).await.unwrap().text(), "ok", "{name}");
        let expected = Got {
            method: "GET".into(),
            length: Some("3".into()),
            is_chunked: false,
            body: Some("abc".into()),
        };
        assert_eq!(got.try_recv().unwrap(), expected, "{name}");
    }
    for (name, method) in
        [("request", "POST"), ("init", "POST"), ("headers", "POST"), ("body", "PUT"), ("noBody", "PATCH")]
    {
        let client = Client::new(address, true);
        let nothing =
            client.request("POST", &format!("/{name}")).body(http_body_util::Empty::<Bytes>::new()).unwrap();
        assert_eq!(within(client.send(nothing)).await.unwrap().text(), "ok", "{name}");
        let expected = Got {
            method: method.into(),
            length: Some("0".into()),
            is_chunked: false,
            body: Some(Bytes::new()),
        };
        assert_eq!(got.try_recv().unwrap(), expected, "{name}");
    }
}
