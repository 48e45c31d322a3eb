//! Bodies in both directions: every size, streamed, slow, abandoned, and many at once. Memory stays bounded.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame};

use crate::harness::{App, Raw, process};
use crate::{TestSupervisor, until, within};

const MIB: u64 = 1024 * 1024;

/// Far more memory than a process needs for itself, and far less than the bodies that pass through it.
const WIDE_MARGIN: u64 = 60 * MIB;

const ECHO: &str = "export default { fetch: (request) => new Response(request.body) }";

/// Serves an app whose answers may take long on a busy machine.
async fn patient(index: &str) -> TestSupervisor {
    TestSupervisor::plan().app(App::new("app", index).set("request_timeout = '10m'")).start().await
}

/// A body of this many bytes that is generated while it is read.
struct Generated {
    left: u64,
}

impl Body for Generated {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        static PIECE: [u8; 64 * 1024] = [b'x'; 64 * 1024];
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let length = self.left.min(PIECE.len() as u64);
        self.left -= length;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&PIECE[..length as usize])))))
    }
}

#[tokio::test]
async fn every_size_comes_back_as_it_went() {
    let buffered = "export default { fetch: async (request) => new Response(await request.arrayBuffer()) }";
    let text = "export default { fetch: async (request) => new Response(await request.text()) }";
    let apps = [("streamed", ECHO), ("buffered", buffered), ("text", text)];
    let plan =
        apps.iter().fold(TestSupervisor::plan(), |plan, (name, source)| plan.app(App::new(name, source)));
    let supervisor = plan.start().await;
    for (name, _) in apps {
        let client = supervisor.client(name).await;
        for size in [0, 1, 1023, 1024, 64 * 1024, 64 * 1024 + 1, 128 * 1024, 1024 * 1024 + 7] {
            let body: Vec<u8> = (0..size).map(|index: usize| b'a' + (index % 26) as u8).collect();
            let reply = client.post("/", body.clone()).await.unwrap();
            assert_eq!(reply.status, 200);
            assert!(reply.body == body, "{name}: {size} bytes came back as {}", reply.body.len());
        }
    }
}

#[tokio::test]
async fn a_hundred_mebibytes_stream_through_in_bounded_memory() {
    // With such a long timeout, no health check happens during the test, which would wake a task that was forgotten.
    let plan = TestSupervisor::plan().app(App::new("app", ECHO).set("hung_timeout = '1h'"));
    let supervisor = plan.start().await;
    let client = supervisor.client("app").await;
    let (pid, worker) = (supervisor.pid(), supervisor.worker("app").await);
    let before = (process::peak_rss(pid), process::peak_rss(worker));
    let size = 100 * MIB;
    let request = client.request("POST", "/").body(Generated { left: size }).unwrap();
    let mut body = client.begin(request).await.unwrap().into_body();
    let mut received = 0;
    while let Some(frame) = within(body.frame()).await {
        let data = frame.unwrap().into_data().unwrap();
        assert!(data.iter().all(|byte| *byte == b'x'));
        received += data.len() as u64;
    }
    assert_eq!(received, size);
    let grown = (process::peak_rss(pid) - before.0, process::peak_rss(worker) - before.1);
    assert!(grown.0 < WIDE_MARGIN && grown.1 < WIDE_MARGIN, "grown by {grown:?} bytes");
}

#[tokio::test]
async fn a_body_that_javascript_generates_streams_out_in_bounded_memory() {
    let supervisor = TestSupervisor::with(
        "export default { fetch() {
           let left = 1600;
           return new Response(new ReadableStream({
             pull(controller) {
               if (left-- > 0) controller.enqueue(new Uint8Array(65536).fill(120)); else controller.close();
             },
           }));
         } }",
    )
    .await;
    let client = supervisor.client("app").await;
    let request = client.request("GET", "/").body(http_body_util::Empty::new()).unwrap();
    let mut body = client.begin(request).await.unwrap().into_body();
    let mut received = 0;
    while let Some(frame) = body.frame().await {
        received += frame.unwrap().into_data().unwrap().len() as u64;
    }
    assert_eq!(received, 100 * MIB);
    let worker = supervisor.worker("app").await;
    assert!(process::peak_rss(supervisor.pid()) < WIDE_MARGIN + 40 * MIB);
    assert!(process::peak_rss(worker) < 2 * WIDE_MARGIN, "{}", process::peak_rss(worker));
}

/// An endless body that counts how much of it was pulled.
const ENDLESS: &str = "
let pulled = 0, cancelled = false;
export default { fetch(request) {
  const path = new URL(request.url).pathname;
  if (path === '/pulled') return Response.json({ pulled, cancelled });
  return new Response(new ReadableStream({
    pull(controller) { pulled++; controller.enqueue(new Uint8Array(65536)); },
    cancel() { cancelled = true; },
  }, { highWaterMark: 0 }));
} }";

#[tokio::test]
async fn a_client_that_does_not_read_stops_the_app_from_producing_and_holds_up_nobody() {
    let supervisor = TestSupervisor::with(ENDLESS).await;
    let client = supervisor.client("app").await;
    let mut slow = Raw::connect(supervisor.address("app").await);
    slow.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n").up_to("\r\n\r\n");
    // Credit and socket buffers fill up. After that, nothing more is pulled from the app.
    let pulled = async || client.get("/pulled").await.unwrap().json()["pulled"].as_u64().unwrap();
    let mut last = 0;
    until("no more is pulled", async || {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        let now = pulled().await;
        let is_still = now == last && now > 0;
        last = now;
        is_still.then_some(())
    })
    .await;
    let rss = process::peak_rss(supervisor.worker("app").await);
    assert!(last * 65536 < 64 * MIB && rss < 2 * WIDE_MARGIN, "{last} chunks, {rss} bytes");
    // The client can still read what was held back.
    slow.exactly(8 * MIB as usize);
    assert!(pulled().await > last);
}

#[tokio::test]
async fn a_client_that_takes_nothing_for_too_long_is_cut() {
    let plan = TestSupervisor::plan().app(App::new("app", ENDLESS)).set("send_timeout = '300ms'");
    let supervisor = plan.start().await;
    let mut stalled = Raw::connect(supervisor.address("app").await);
    stalled.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n").up_to("\r\n\r\n");
    let client = supervisor.client("app").await;
    until("the body is cancelled", async || {
        (client.get("/pulled").await.unwrap().json()["cancelled"] == true).then_some(())
    })
    .await;
    supervisor.in_flight("app", 0).await;
}

#[tokio::test]
async fn an_app_that_does_not_read_stops_the_client_from_sending_and_holds_up_nobody() {
    let supervisor = patient(
        "let release; const released = new Promise((resolve) => release = resolve);
         export default { async fetch(request) {
           if (request.method === 'GET') return new Response('still here');
           if (request.method === 'PUT') { release(); return new Response('released'); }
           await released;
           let size = 0;
           for await (const chunk of request.body) size += chunk.length;
           return new Response(String(size));
         } }",
    )
    .await;
    let client = supervisor.client("app").await;
    let size = 100 * MIB;
    let upload = {
        let client = client.clone();
        let request = client.request("POST", "/").body(Generated { left: size }).unwrap();
        tokio::spawn(async move { client.send(request).await.unwrap() })
    };
    for _ in 0..20 {
        assert_eq!(client.get("/").await.unwrap().text(), "still here");
    }
    assert!(!upload.is_finished());
    let (pid, worker) = (supervisor.pid(), supervisor.worker("app").await);
    assert!(process::peak_rss(pid) < 2 * WIDE_MARGIN && process::peak_rss(worker) < 2 * WIDE_MARGIN);
    let put = client.request("PUT", "/").body(http_body_util::Empty::new()).unwrap();
    assert_eq!(client.send(put).await.unwrap().text(), "released");
    assert_eq!(upload.await.unwrap().text(), size.to_string());
}

#[tokio::test]
async fn a_client_that_goes_away_aborts_the_request_and_cancels_the_body() {
    let supervisor = TestSupervisor::plan()
        .app(App::new("body", ENDLESS))
        .app(App::new(
            "signal",
            "let aborted = 0;
             export default { async fetch(request) {
               if (new URL(request.url).pathname === '/aborted') return Response.json(aborted);
               request.signal.addEventListener('abort', () => aborted++);
               console.log('waiting');
               await new Promise(() => {});
             } }",
        ))
        .start()
        .await;
    let mut leaving = Raw::connect(supervisor.address("body").await);
    leaving.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n").exactly(1000);
    drop(leaving);
    let client = supervisor.client("body").await;
    until("the body is cancelled", async || {
        (client.get("/pulled").await.unwrap().json()["cancelled"] == true).then_some(())
    })
    .await;

    let mut leaving = Raw::connect(supervisor.address("signal").await);
    leaving.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    supervisor.log.line_with("waiting").await;
    drop(leaving);
    let client = supervisor.client("signal").await;
    until("the request is aborted", async || {
        (client.get("/aborted").await.unwrap().json() == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_upload_that_breaks_off_is_an_error_for_the_app_and_for_nobody_else() {
    let supervisor = TestSupervisor::with(
        "let broken = '';
         export default { async fetch(request) {
           if (request.method === 'GET') return new Response(broken);
           console.log('begun');
           try { await request.text(); } catch (error) { broken = error.name; throw error; }
         } }",
    )
    .await;
    let mut leaving = Raw::connect(supervisor.address("app").await);
    leaving.send("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\nthe beginning");
    let client = supervisor.client("app").await;
    supervisor.log.line_with("begun").await;
    drop(leaving);
    until("the app has seen the error", async || {
        (client.get("/").await.unwrap().text() == "TypeError").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_requests_are_in_flight_in_one_app() {
    // The app answers the first request only after the last one has arrived.
    let supervisor = patient(
        "const waiting = [];
         export default { fetch: () => new Promise((resolve) => {
           waiting.push(resolve);
           if (waiting.length === 1000) waiting.forEach((answer, index) => answer(new Response(String(index))));
         }) }",
    )
    .await;
    process::raise_descriptor_limit();
    let client = supervisor.client("app").await;
    let requests: Vec<_> = (0..1000)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.get("/").await.unwrap() })
        })
        .collect();
    let mut answers = std::collections::HashSet::new();
    for request in requests {
        let reply = request.await.unwrap();
        assert_eq!(reply.status, 200);
        answers.insert(reply.text().to_owned());
    }
    assert_eq!(answers.len(), 1000);
}

#[tokio::test]
async fn text_in_a_stream_is_sent_and_what_is_neither_is_refused_in_words() {
    let supervisor = TestSupervisor::with(
        r"const of = (...chunks) => new ReadableStream({ start(controller) {
            for (const chunk of chunks) controller.enqueue(chunk);
            controller.close();
          } });
          export default { fetch: (request) => request.url.endsWith('/text')
            ? new Response(of('a', new TextEncoder().encode('b').buffer, '\u00e9', '', '\ud83d'))
            : request.url.endsWith('/iterated')
            ? new Response((async function* () { yield 'a'; yield new TextEncoder().encode('b'); })())
            : new Response(of('a', 5)) }",
    )
    .await;
    assert_eq!(supervisor.get("app", "/text").await.text(), "ab\u{e9}\u{fffd}");
    assert_eq!(supervisor.get("app", "/iterated").await.text(), "ab");
    let client = supervisor.client("app").await;
    // If the head was sent before the error, the answer is cut instead.
    if let Ok(reply) = within(client.get("/number")).await {
        assert_eq!(reply.status, 500);
    }
    let why =
        "a chunk of the stream is neither bytes nor text, but number: encode it, as with JSON.stringify";
    until("the log says why", async || {
        supervisor.log.lines().iter().any(|line| line.contains("ERROR") && line.contains(why)).then_some(())
    })
    .await;
}
