//! Bodies that are shorter or longer than announced: the answer never looks complete, and no other request is affected.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};

use crate::harness::{Client, raw};
use crate::{TestSupervisor, until, within};

const APP: &str = "
let next;
const encode = (text) => new TextEncoder().encode(text);
export default { async fetch(request) {
  const { pathname } = new URL(request.url);
  if (pathname === '/go') { next(); return new Response('gone on'); }
  if (pathname === '/events') {
    return new Response(new ReadableStream({ async start(controller) {
      for (let i = 0; i < 3; i++) {
        controller.enqueue(encode(`event ${i}`));
        await new Promise((resolve) => next = resolve);
      }
      controller.close();
    } }));
  }
  const { readable, writable } = new FixedLengthStream(6);
  const writer = writable.getWriter();
  (async () => {
    await writer.write(encode('0123'));
    if (pathname === '/over') await writer.write(encode('456789'));
    if (pathname === '/exact') await writer.write(encode('45'));
    await writer.close();
  })().catch(() => {});
  return new Response(readable);
} }";

#[tokio::test]
async fn over_http1_the_connection_is_cut() {
    let supervisor = TestSupervisor::with(APP).await;
    let address = supervisor.address("app").await;
    for (path, why) in
        [("/over", "more bytes were written than the 6"), ("/under", "closed after 4 of the 6 bytes")]
    {
        let next = "GET /exact HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        let answer = raw::exchange(address, format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n{next}"));
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        // The head may have been sent before the error.
        let is_cut = head.contains("content-length: 6") && "0123".starts_with(body);
        assert!(is_cut || head.starts_with("HTTP/1.1 500 "), "{path}: {answer}");
        let is_error = |line: &String| line.contains("ERROR") && line.contains(why);
        until("it is an error in the log", async || {
            supervisor.log.lines().iter().any(is_error).then_some(())
        })
        .await;
    }
    let answer = raw::exchange(address, "GET /exact HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert!(answer.contains("content-length: 6\r\n") && answer.ends_with("\r\n\r\n012345"), "{answer}");
}

#[tokio::test]
async fn over_http2_that_stream_alone_is_reset() {
    let supervisor = TestSupervisor::with(APP).await;
    let client = Client::new(supervisor.address("app").await, true);
    let get = |path: &str| client.request("GET", path).body(Empty::<Bytes>::new()).unwrap();
    // All requests use one connection.
    let mut events = within(client.begin(get("/events"))).await.unwrap().into_body();
    let mut next = async || within(events.frame()).await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(next().await, "event 0");
    for (number, path) in [(1, "/over"), (2, "/under")] {
        let failed = match within(client.begin(get(path))).await {
            Ok(response) if response.status() == 200 => within(response.into_body().collect()).await.is_err(),
            Ok(response) => response.status() == 500,
            Err(_) => true,
        };
        assert!(failed, "{path}");
        assert_eq!(within(client.get("/go")).await.unwrap().text(), "gone on");
        assert_eq!(next().await, format!("event {number}"));
    }
    assert_eq!(within(client.get("/exact")).await.unwrap().text(), "012345");
}
