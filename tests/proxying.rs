//! Responses made from fetched ones, as in most proxies, compared with the responses of workerd.

use std::io::Write as _;

use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder};
use async_compression::tokio::write::BrotliEncoder;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::channel::Channel;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use hyper::header::CONTENT_LENGTH;
use hyper::{Method, Request, Response};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::harness::client::Reply;
use crate::harness::origin::{Answer, whole};
use crate::harness::workerd::Both;
use crate::harness::{App, Origin};
use crate::{TestSupervisor, within};

const SHAPES: &str = include_str!("proxying/shapes.js");

/// The resources of the upstream.
const RESOURCES: [&str; 16] = [
    "gzip",
    "gzip-chunked",
    "brotli",
    "plain",
    "plain-chunked",
    "identity",
    "deflate",
    "list",
    "nothing",
    "no-content",
    "not-modified",
    "reason",
    "nowhere",
    "part",
    "all-parts",
    "many-parts",
];

/// The shapes that do not depend on a resource.
const ALONE: [&str; 9] = [
    "manualRewritten",
    "ownGzip",
    "ownBrotli",
    "ownDeflate",
    "ownLength",
    "ownLengthOfStream",
    "fixed",
    "fixedGzip",
    "fixedLength",
];

fn text() -> String {
    "hello upstream\n".repeat(40)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = BrotliEncoder::new(Vec::new());
    encoder.write_all(bytes).await.unwrap();
    encoder.shutdown().await.unwrap();
    encoder.into_inner()
}

/// Returns status, content coding and body of a resource, and whether it is sent in chunks.
async fn resource(path: &str) -> (u16, &'static str, Vec<u8>, bool) {
    let text = text().into_bytes();
    match path {
        "/gzip" => (200, "gzip", gzip(&text), false),
        "/gzip-chunked" => (200, "gzip", gzip(&text), true),
        "/brotli" => (200, "br", brotli(&text).await, false),
        "/plain" => (200, "", text, false),
        "/plain-chunked" => (200, "", text, true),
        "/identity" => (200, "identity", text, false),
        "/deflate" => (200, "deflate", b"what is behind this name is bytes".to_vec(), false),
        "/list" => (200, "gzip, br", brotli(&gzip(&text)).await, false),
        "/nothing" => (200, "gzip", Vec::new(), false),
        "/no-content" => (204, "gzip", Vec::new(), false),
        "/not-modified" => (304, "gzip", gzip(&text), false),
        "/nowhere" => (302, "", b"it does not say where to".to_vec(), false),
        "/part" => (206, "gzip", gzip(&text)[..20].to_vec(), false),
        "/all-parts" => (206, "gzip", gzip(&text), false),
        "/many-parts" => (206, "gzip", b"--b\r\n\r\nabcd\r\n--b--\r\n".to_vec(), false),
        "/reason" => (299, "", b"ok".to_vec(), false),
        _ => (404, "", Vec::new(), false),
    }
}

async fn upstream(request: Request<Incoming>) -> Answer {
    let (status, coding, body, is_chunked) = resource(request.uri().path()).await;
    let mut response =
        Response::builder().status(status).header("x-own", "1").header("content-type", "text/plain");
    if !coding.is_empty() {
        response = response.header("content-encoding", coding);
    }
    if !is_chunked && status != 204 {
        response = response.header(CONTENT_LENGTH, body.len());
    }
    if status == 206 {
        response = response.header("content-range", "bytes 0-19/100");
    }
    if status == 299 {
        response = response.extension(ReasonPhrase::from_static(b"Fine Indeed"));
    }
    let has_body = request.method() != Method::HEAD && !matches!(status, 204 | 304);
    let body = Bytes::from(if has_body { body } else { Vec::new() });
    response.body(if is_chunked && has_body { chunked(body) } else { whole(body) }).unwrap()
}

/// Returns a body without a known length.
fn chunked(bytes: Bytes) -> BoxBody<Bytes, hyper::Error> {
    let (mut sender, body) = Channel::new(1);
    tokio::spawn(async move { sender.send_data(bytes).await });
    body.boxed()
}

/// Returns the decoded body.
async fn meaning(reply: &Reply) -> Vec<u8> {
    let mut bytes = Vec::new();
    let body = &reply.body[..];
    let read = match reply.header("content-encoding") {
        "gzip" if !body.is_empty() => GzipDecoder::new(body).read_to_end(&mut bytes).await,
        "br" if !body.is_empty() => BrotliDecoder::new(body).read_to_end(&mut bytes).await,
        _ => return body.to_vec(),
    };
    // If the app claims an encoding that the body does not have, the body is returned as it is.
    if read.is_ok() { bytes } else { body.to_vec() }
}

/// Returns why an answer differs from workerd's on purpose, or `None` if it must be the same.
fn differs(shape: &str, resource: &str, method: &str) -> Option<&'static str> {
    match (shape, resource, method) {
        // workerd treats an empty body as a broken gzip, and fails when it is read.
        (_, "nothing", _) => Some("nothing at all is not compressed"),
        // RFC 9110, 8.6: a server must not announce a length in this answer.
        (_, "no-content", "HEAD") => Some("204 has no length"),
        _ => None,
    }
}

#[tokio::test]
async fn every_shape_is_answered_as_by_workerd() {
    let origin = Origin::http(upstream).await;
    let Some(both) = Both::serve(SHAPES, origin.address).await else { return };
    let names = SHAPES.lines().skip_while(|line| !line.starts_with("const shapes"));
    let names = names.filter_map(|line| line.strip_prefix("  ")?.split_once(": ")).map(|(name, _)| name);
    let is_name = |name: &&str| name.bytes().all(|byte| byte.is_ascii_alphabetic());
    let names: Vec<_> = names.filter(is_name).collect();
    assert!(names.len() > 30 && ALONE.iter().all(|name| names.contains(name)), "{names:?}");
    let mut wrong = Vec::new();
    for name in names {
        let resources = if ALONE.contains(&name) { &RESOURCES[..1] } else { &RESOURCES };
        for resource in resources {
            for method in ["GET", "HEAD"] {
                let path = format!("/{name}/{resource}");
                let [ours, theirs] = both.send(method, &path, &[], "").await;
                if matches!(*resource, "part" | "many-parts") && (ours.is_err() || theirs.is_err()) {
                    // The body cannot be decompressed, which shows only after the head was sent.
                    assert!(
                        ours.is_err() && theirs.is_err(),
                        "{method} {path}: ours {ours:?}, theirs {theirs:?}"
                    );
                    continue;
                }
                let ours = ours.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
                let Ok(theirs) = theirs else {
                    assert!(differs(name, resource, method).is_some(), "{method} {path}: workerd cut it off");
                    continue;
                };
                if differs(name, resource, method).is_some() {
                    continue;
                }
                let (_, _, raw, _) = self::resource(&format!("/{resource}")).await;
                let seen = async |reply: &Reply| {
                    // workerd states the length of a body less often. It is compared for HEAD, which has nothing else.
                    let length = if method == "HEAD" { reply.header("content-length") } else { "" };
                    let fields = ["content-encoding", "content-type", "x-own"]
                        .map(|name| reply.header(name).to_owned());
                    // workerd names statuses without a standard reason phrase after their class.
                    let is_of_class = matches!(&*reply.reason, "Successful" | "Server Error");
                    let reason = if is_of_class { "" } else { &reply.reason };
                    let is_raw = !raw.is_empty() && reply.body == raw;
                    (reply.status, reason.to_owned(), fields, length.to_owned(), meaning(reply).await, is_raw)
                };
                let (ours, theirs) = (seen(&ours).await, seen(&theirs).await);
                if ours != theirs {
                    wrong.push(format!("{method} {path}:\n  ours   {ours:?}\n  theirs {theirs:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_nobody_looked_into_passes_through_as_it_came() {
    let origin = Origin::http(upstream).await;
    let app = App::new("app", SHAPES).set(&format!("env = {{ UP = 'http://{}' }}", origin.address));
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let client = supervisor.client("app").await;
    for name in
        ["gzip", "gzip-chunked", "brotli", "plain", "plain-chunked", "identity", "deflate", "list", "nothing"]
    {
        let (_, coding, bytes, is_chunked) = resource(&format!("/{name}")).await;
        for shape in ["direct", "body", "headers", "copied", "object", "clone", "cloned", "cloneRead", "tee"]
        {
            let reply = within(client.get(&format!("/{shape}/{name}"))).await.unwrap();
            assert_eq!((reply.status, reply.header("content-encoding")), (200, coding), "{shape}/{name}");
            assert_eq!(reply.body, bytes, "{shape}/{name}");
            let length = reply.header("content-length");
            let may_be_missing = is_chunked && length.is_empty();
            assert!(may_be_missing || length == bytes.len().to_string(), "{shape}/{name}: {length}");
        }
    }
    // The answer is empty where workerd reports broken data.
    for shape in ["text", "rewritten", "piped", "notEncoded", "manual"] {
        let reply = within(client.get(&format!("/{shape}/nothing"))).await.unwrap();
        let expected = if shape == "piped" { "BANNER\n" } else { "" };
        assert_eq!((reply.status, &meaning(&reply).await[..]), (200, expected.as_bytes()), "{shape}");
    }
    let head = client.request("HEAD", "/none/no-content").body(Empty::new()).unwrap();
    let reply = within(client.send(head)).await.unwrap();
    assert_eq!((reply.status, reply.headers.contains_key(CONTENT_LENGTH)), (204, false));
}
