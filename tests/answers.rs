//! The table of errors, row by row: what a client is told when something does not work.

use crate::TestSupervisor;
use crate::harness::{App, Client, Raw, process, raw};
use nano_supervisor::api::AppState;
use nix::sys::signal::Signal;

/// Sends a whole request. Checks the status line, the code in the body, and what all such answers have in common.
fn assert_refused(answer: &str, status: &str, message: &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head in {answer:?}"));
    assert!(head.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{answer}");
    assert!(head.contains("\r\ncontent-type: text/plain; charset=utf-8\r\n"), "{answer}");
    let id = head.lines().find_map(|line| line.strip_prefix("x-request-id: ")).expect("a request id");
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    assert_eq!(body, format!("{status}\n{message}\n"));
}

/// An app that fails in the way that the path names.
const FAILING: &str = "
import './lib/secret-file-name.js';
export default { async fetch(request) {
  switch (new URL(request.url).pathname) {
    case '/throw': throw new Error('secret of the app');
    case '/reject': return Promise.reject(new TypeError('secret of the app'));
    case '/undefined': return undefined;
    case '/text': return 'text';
    case '/used': { const response = new Response('x'); await response.text(); return response; }
    case '/error': return Response.error();
    case '/thrown-null': throw null;
    case '/headers': return new Response('x', { headers: { 'x-big': 'x'.repeat(300000) } });
    case '/never': console.log('begun'); return new Promise(() => {});
    case '/late': await new Promise((resolve) => setTimeout(resolve, 100)); throw new Error('late');
    case '/getter': return new Proxy(new Response('x'), { get() { throw new Error('secret of the app'); } });
  }
  return new Response('fine');
} }";

/// Starts `app`, and `hurried`, which is the same with little time for an answer.
async fn failing() -> TestSupervisor {
    let app = |name| App::new(name, FAILING).file("lib/secret-file-name.js", "");
    let hurried = app("hurried").set("request_timeout = '500ms'");
    TestSupervisor::plan().app(app("app")).app(hurried).start().await
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
}

#[tokio::test]
async fn malformed_http_is_400() {
    let supervisor = failing().await;
    let address = supervisor.address("app").await;
    for malformed in [
        "nonsense\r\n\r\n",
        "GET / HTTP/1.1\r\nhost x\r\n\r\n",
        "GET / HTTP/1.1\r\n bad: 1\r\nhost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\nbad name: 1\r\n\r\n",
        "GET / HTTP/9.9\r\nhost: x\r\n\r\n",
        "GET /\x01 HTTP/1.1\r\nhost: x\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n",
    ] {
        let answer = raw::exchange(address, malformed);
        assert_refused(&answer, "400 Bad Request", "The request is not valid HTTP.");
    }
    // These requests can be parsed but are still invalid.
    for malformed in [
        "GET / HTTP/1.1\r\nconnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a/b\r\nconnection: close\r\n\r\n",
        // To what does not answer before its body is read.
        "POST /never HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\nnot a chunk\r\n",
    ] {
        let answer = raw::exchange(address, malformed);
        assert_refused(&answer, "400 Bad Request", "The request is not valid HTTP.");
    }
    assert!(raw::exchange(address, get("/")).ends_with("fine"));
}

/// Answers with bytes that look like a refusal of the supervisor, in a separate write.
const LOOKS_REFUSED: &str = "
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const parts = ['0123456789', `HTTP/1.1 400 Bad Request\\r\\nx: ${'x'.repeat(20)}\\r\\n\\r\\n`];
const length = parts.join('').length;
export default { fetch(request) {
  const path = new URL(request.url).pathname;
  if (path === '/text') return new Response(parts[1]);
  const { readable, writable } = path === '/known' ? new FixedLengthStream(length) : new TransformStream();
  const encoder = new TextEncoder();
  const write = async () => {
    const writer = writable.getWriter();
    for (const part of parts) {
      await writer.write(encoder.encode(part));
      await sleep(50);
    }
    await writer.close();
  };
  write();
  return new Response(readable);
} }";

#[tokio::test]
async fn what_an_app_says_is_never_taken_for_the_supervisors_own_refusal() {
    let supervisor = TestSupervisor::with(LOOKS_REFUSED).await;
    let address = supervisor.address("app").await;
    let fake = format!("HTTP/1.1 400 Bad Request\r\nx: {}\r\n\r\n", "x".repeat(20));
    let whole = format!("0123456789{fake}");
    let mut connection = Raw::connect(address);
    for _ in 0..3 {
        for (path, body) in [("/known", &whole), ("/text", &fake)] {
            let head = connection.send(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).up_to("\r\n\r\n");
            assert!(head.contains(&format!("\r\ncontent-length: {}\r\n", body.len())), "{head}");
            assert_eq!(String::from_utf8(connection.exactly(body.len())).unwrap(), *body, "{path}");
        }
    }
    // A malformed request is refused as usual, after the answers to the requests before it.
    connection.send("GET /known HTTP/1.1\r\nhost: x\r\n\r\nnonsense\r\n\r\n").up_to(&whole);
    assert_refused(&connection.rest(), "400 Bad Request", "The request is not valid HTTP.");
    // On a connection that the answer closes, and on one that is kept open.
    let closed = raw::exchange(address, "GET / HTTP/1.0\r\n\r\n");
    assert!(closed.starts_with("HTTP/1.0 200 OK\r\n") && closed.ends_with(&whole), "{closed}");
    let mut kept = Raw::connect(address);
    kept.send("GET /text HTTP/1.0\r\nconnection: keep-alive\r\n\r\n").up_to(&fake);
    let refused = kept.send("nonsense\r\n\r\n").rest();
    assert_refused(&refused, "400 Bad Request", "The request is not valid HTTP.");
}

#[tokio::test]
async fn a_target_that_is_too_long_is_414() {
    let supervisor = failing().await;
    let address = supervisor.address("app").await;
    for length in [9 * 1024, 80 * 1024] {
        let answer = raw::exchange(address, get(&format!("/{}", "x".repeat(length))));
        assert_refused(&answer, "414 URI Too Long", "The request target is too long.");
    }
    assert!(raw::exchange(address, get(&format!("/{}", "x".repeat(8000)))).starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn headers_that_are_too_large_are_431() {
    let supervisor = failing().await;
    let address = supervisor.address("app").await;
    let many: String = (0..150).map(|number| format!("x-{number}: 1\r\n")).collect();
    for fields in
        [format!("x-big: {}\r\n", "x".repeat(40_000)), format!("x-big: {}\r\n", "x".repeat(900_000)), many]
    {
        let answer =
            raw::exchange(address, format!("GET / HTTP/1.1\r\nhost: x\r\n{fields}connection: close\r\n\r\n"));
        let message = "The request headers are too large.";
        assert_refused(&answer, "431 Request Header Fields Too Large", message);
    }
}

#[tokio::test]
async fn http_2_gets_the_same_answers() {
    let supervisor = failing().await;
    let clients = [supervisor.address("app").await, supervisor.address("hurried").await]
        .map(|to| Client::new(to, true));
    let long = format!("/{}", "x".repeat(9 * 1024));
    for (path, field, status, text) in [
        (&*long, "", 414, "414 URI Too Long\nThe request target is too long.\n"),
        (
            "/",
            &*"x".repeat(40_000),
            431,
            "431 Request Header Fields Too Large\nThe request headers are too large.\n",
        ),
        ("/throw", "", 500, "500 Internal Server Error\nThe app failed to answer.\n"),
        ("/never", "", 504, "504 Gateway Timeout\nThe app did not answer within its time limit.\n"),
    ] {
        let client = &clients[usize::from(path == "/never")];
        let request = client.request("GET", path).header("x-field", field);
        let reply = client.send(request.body(http_body_util::Empty::new()).unwrap()).await.unwrap();
        assert_eq!((reply.status, reply.text()), (status, text));
        assert_eq!(reply.header("x-request-id").len(), 32);
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_and_never_reaches_the_app_whole() {
    let app =
        App::new("app", "export default { fetch: async (request) => new Response(await request.text()) }");
    let supervisor = TestSupervisor::plan().app(app.set("max_body = '1KiB'")).start().await;
    let address = supervisor.address("app").await;
    let announced = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1025\r\nconnection: close\r\n\r\n";
    let chunked = format!(
        "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n401\r\n{}\r\n0\r\n\r\n",
        "x".repeat(0x401)
    );
    for request in [announced, &chunked] {
        let answer = raw::exchange(address, request);
        assert_refused(&answer, "413 Payload Too Large", "The request body is too large.");
    }
    let fits = format!(
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1024\r\nconnection: close\r\n\r\n{}",
        "x".repeat(1024)
    );
    assert!(raw::exchange(address, fits).starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn connect_is_405() {
    let supervisor = failing().await;
    let answer = raw::exchange(
        supervisor.address("app").await,
        "CONNECT example.com:443 HTTP/1.1\r\nhost: example.com\r\nconnection: close\r\n\r\n",
    );
    assert_refused(&answer, "405 Method Not Allowed", "This method is not supported.");
    assert!(answer.contains("\r\nallow: GET, HEAD, POST"), "{answer}");
}

#[tokio::test]
async fn a_handler_that_fails_is_500_without_a_word_of_why() {
    let supervisor = failing().await;
    let address = supervisor.address("app").await;
    for path in ["/throw", "/reject", "/thrown-null", "/late"] {
        let answer = raw::exchange(address, get(path));
        assert_refused(&answer, "500 Internal Server Error", "The app failed to answer.");
    }
    // The log has the details for the operator: file, line, and the id that the client was given.
    let record = supervisor.log.record_with("secret of the app").await;
    assert_eq!((&record["level"], &record["app"]), (&"ERROR".into(), &"app".into()));
    assert!(record["message"].as_str().unwrap().contains("(index.js:5:"), "{record}");
    assert_eq!(record["request_id"].as_str().unwrap().len(), 32);
}

#[tokio::test]
async fn what_is_no_usable_response_is_500() {
    let supervisor = failing().await;
    let address = supervisor.address("app").await;
    for path in ["/undefined", "/text", "/used", "/error", "/headers"] {
        let answer = raw::exchange(address, get(path));
        assert_refused(&answer, "500 Internal Server Error", "The app did not return a valid response.");
    }
    let answer = raw::exchange(address, get("/getter"));
    assert!(answer.starts_with("HTTP/1.1 500 ") && !answer.contains("secret"), "{answer}");
    assert!(raw::exchange(address, get("/")).ends_with("fine"));
}

#[tokio::test]
async fn a_worker_that_dies_is_500_for_the_requests_in_flight() {
    let supervisor = failing().await;
    let mut waiting = Raw::connect(supervisor.address("app").await);
    waiting.send("GET /never HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    // Wait until the worker has begun the request: otherwise the next worker would get it.
    supervisor.log.line_with("begun").await;
    process::signal(supervisor.worker("app").await, Signal::SIGKILL);
    assert_refused(
        &waiting.rest(),
        "500 Internal Server Error",
        "The app crashed while it handled the request.",
    );
}

#[tokio::test]
async fn a_response_that_breaks_off_is_never_taken_for_a_whole_one() {
    let supervisor = TestSupervisor::with(
        "export default { fetch(request) {
           const fails = new URL(request.url).pathname === '/fails';
           let first = true;
           return new Response(new ReadableStream({
             async pull(controller) {
               if (first) { first = false; controller.enqueue(new TextEncoder().encode('part')); return; }
               if (fails) throw new Error('in the body');
               await new Promise(() => {});
             },
           }, { highWaterMark: 0 }));
         } }",
    )
    .await;
    let address = supervisor.address("app").await;
    let failed = raw::exchange(address, get("/fails"));
    assert!(failed.contains("4\r\npart\r\n") && !failed.contains("\r\n0\r\n"), "{failed}");
    supervisor.log.record_with("in the body").await;

    let mut waiting = Raw::connect(address);
    waiting.send(get("/waits")).up_to("4\r\npart\r\n");
    process::signal(supervisor.worker("app").await, Signal::SIGKILL);
    assert_eq!(waiting.rest(), "");
}

#[tokio::test]
async fn an_app_that_does_not_load_is_500() {
    let supervisor = TestSupervisor::plan()
        .app(App::new("syntax", "export default {\n  fetch( {\n}"))
        .app(App::new("nothing", "export const x = 1;"))
        .app(App::hello("fine"))
        .start()
        .await;
    for app in ["syntax", "nothing"] {
        let answer = raw::exchange(supervisor.address(app).await, get("/"));
        assert_refused(&answer, "500 Internal Server Error", "The app could not be loaded.");
        assert_eq!(supervisor.app(app).await.state, AppState::Failed);
    }
    assert_eq!(supervisor.get("fine", "/").await.status, 200);
}

#[tokio::test]
async fn no_worker_within_the_queueing_deadline_is_503() {
    let app =
        App::new("app", "await new Promise((resolve) => setTimeout(resolve, 60000)); export default {}");
    let plan = TestSupervisor::plan().app(app.set("queue_timeout = '100ms'\nstart_timeout = '1h'"));
    let supervisor = plan.launch().await;
    let answer = raw::exchange(supervisor.address("app").await, get("/"));
    assert_refused(&answer, "503 Service Unavailable", "The app is not ready to answer yet.");
    assert!(answer.contains("\r\nretry-after: 1\r\n"), "{answer}");
}

#[tokio::test]
async fn more_requests_in_flight_than_allowed_are_503() {
    let app = App::new("app", FAILING).file("lib/secret-file-name.js", "").set("max_in_flight = 2");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let address = supervisor.address("app").await;
    let mut waiting: Vec<_> = (0..2).map(|_| Raw::connect(address)).collect();
    for connection in &mut waiting {
        connection.send(get("/never"));
    }
    supervisor.in_flight("app", 2).await;
    let answer = raw::exchange(address, get("/"));
    assert_refused(&answer, "503 Service Unavailable", "The app has too many requests in flight.");
    assert!(answer.contains("\r\nretry-after: 1\r\n"), "{answer}");
    drop(waiting);
    supervisor.in_flight("app", 0).await;
    assert!(raw::exchange(address, get("/")).ends_with("fine"));
}

#[tokio::test]
async fn a_handler_over_its_time_limit_is_504() {
    let supervisor = failing().await;
    let answer = raw::exchange(supervisor.address("hurried").await, get("/never"));
    assert_refused(&answer, "504 Gateway Timeout", "The app did not answer within its time limit.");
    assert!(raw::exchange(supervisor.address("app").await, get("/")).ends_with("fine"));
}

#[tokio::test]
async fn an_upload_that_stalls_is_408() {
    let app =
        App::new("app", "export default { fetch: async (request) => new Response(await request.text()) }");
    let supervisor = TestSupervisor::plan().app(app.set("request_timeout = '300ms'")).start().await;
    let mut stalled = Raw::connect(supervisor.address("app").await);
    let answer = stalled.send("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf").rest();
    assert_refused(&answer, "408 Request Timeout", "The request did not arrive in time.");
}

#[tokio::test]
async fn who_accepts_json_gets_json() {
    let supervisor = failing().await;
    for accept in ["application/json", "text/html;q=0.5, application/json; q=0.9", "application/problem+json"]
    {
        let request =
            format!("GET /throw HTTP/1.1\r\nhost: x\r\naccept: {accept}\r\nconnection: close\r\n\r\n");
        let answer = raw::exchange(supervisor.address("app").await, request);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("\r\ncontent-type: application/json\r\n"), "{head}");
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["error"]["status"], 500);
        assert_eq!(body["error"]["code"], "handler_failed");
        assert_eq!(body["error"]["message"], "The app failed to answer.");
        assert!(head.contains(&format!("x-request-id: {}", body["error"]["request_id"].as_str().unwrap())));
    }
}

#[tokio::test]
async fn the_limits_of_a_head_are_those_of_the_configuration() {
    let supervisor = TestSupervisor::plan()
        .app(App::hello("app"))
        .set("max_uri = '100B'\nmax_header = '1KiB'\nmax_headers = 8")
        .start()
        .await;
    let client = supervisor.client("app").await;
    let status = async |path: &str, fields: Vec<(String, String)>| {
        let request = client.request("GET", path);
        let request = fields.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        client
            .send(request.body(http_body_util::Full::<bytes::Bytes>::default()).unwrap())
            .await
            .unwrap()
            .status
    };
    let numbered = |count: usize| (0..count).map(|number| (format!("x-{number}"), "y".to_owned())).collect();
    assert_eq!(status(&format!("/{}", "x".repeat(99)), vec![]).await, 200);
    assert_eq!(status(&format!("/{}", "x".repeat(100)), vec![]).await, 414);
    assert_eq!(status("/", vec![("x".into(), "y".repeat(500))]).await, 200);
    assert_eq!(status("/", vec![("x".into(), "y".repeat(1100))]).await, 431);
    // The client adds a host to this request.
    assert_eq!(status("/", numbered(7)).await, 200);
    assert_eq!(status("/", numbered(8)).await, 431);
}
