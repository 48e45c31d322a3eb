//! Spans of requests as a collector receives them, and the trace context that is passed on to what an app fetches.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::header::{HeaderMap, RETRY_AFTER};
use hyper::{Response, StatusCode};
use nix::sys::signal::Signal;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::{Value as Json, json};

use crate::admin::metrics;
use crate::harness::{App, Client, Origin, free_address, process};
use crate::{TestSupervisor, until, within};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// An endpoint for OTLP that keeps the spans it gets.
struct Collector {
    origin: Origin,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    /// The spans, each with the name of its service.
    spans: Vec<(String, Span)>,
    posts: usize,
    headers: HeaderMap,
    path: String,
}

impl Collector {
    /// Starts a collector. `answer` gets the number of the request. The spans count as received if its answer is a success.
    async fn new(answer: impl Fn(usize) -> Response<Bytes> + Clone + Send + Sync + 'static) -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let taken = seen.clone();
        let origin = Origin::http(move |request| {
            let (taken, answer) = (taken.clone(), answer.clone());
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let mut seen = taken.lock().unwrap();
                let answer = answer(seen.posts);
                seen.posts += 1;
                (seen.headers, seen.path) = (head.headers, head.uri.path().to_owned());
                if answer.status().is_success() {
                    for one in ExportTraceServiceRequest::decode(body).unwrap().resource_spans {
                        let service = text(&one.resource.unwrap().attributes[0].value);
                        let spans = one.scope_spans.into_iter().flat_map(|scope| scope.spans);
                        seen.spans.extend(spans.map(|span| (service.clone(), span)));
                    }
                }
                answer.map(|body| Full::new(body).map_err(|never: Infallible| match never {}).boxed())
            }
        })
        .await;
        Self { origin, seen }
    }

    async fn willing() -> Self {
        Self::new(|_| Response::default()).await
    }

    fn field(&self) -> String {
        format!("otlp_endpoint = 'http://{}'", self.origin.address)
    }

    /// Waits until `count` spans have arrived.
    async fn spans(&self, count: usize) -> Vec<(String, Span)> {
        until(&format!("there are {count} spans"), async || {
            let seen = self.seen.lock().unwrap();
            (seen.spans.len() >= count).then(|| seen.spans.clone())
        })
        .await
    }
}

fn text(value: &Option<opentelemetry_proto::tonic::common::v1::AnyValue>) -> String {
    match value.as_ref().unwrap().value.as_ref().unwrap() {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        Value::DoubleValue(number) => number.to_string(),
        other => format!("{other:?}"),
    }
}

fn attribute(span: &Span, key: &str) -> String {
    let found = span.attributes.iter().find(|attribute| attribute.key == key);
    found.map_or_else(|| "none".into(), |found| text(&found.value))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Answers with the trace that it sees itself, and with the one that its upstream sees.
const ECHO: &str = "
const seen = (headers) => [headers.get('traceparent'), headers.get('tracestate')];
export default { async fetch(request, env) {
  const { pathname } = new URL(request.url);
  if (pathname === '/fail') throw new Error('no');
  if (pathname === '/spin') for (;;);
  if (pathname === '/wait') { console.log('waits'); await new Promise(() => {}); }
  if (pathname === '/cut') return new Response(new ReadableStream({
    start(controller) { controller.enqueue(new Uint8Array(9)); setTimeout(() => controller.error(new Error('no')), 50); },
  }));
  return Response.json({ app: seen(request.headers), fetched: await (await fetch(env.ORIGIN)).json() });
} }";

/// The upstream of an app: answers with the trace that it was sent.
async fn upstream() -> Origin {
    Origin::http(async |request| {
        let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let told = json!([header("traceparent"), header("tracestate")]).to_string();
        Response::new(Full::new(Bytes::from(told)).map_err(|never: Infallible| match never {}).boxed())
    })
    .await
}

async fn get(client: &Client, path: &str, fields: &[(&str, &str)]) -> (u16, Json) {
    let request = fields
        .iter()
        .fold(client.request("GET", path), |request, (name, value)| request.header(*name, *value));
    let reply = client.send(request.body(Full::<Bytes>::default()).unwrap()).await.unwrap();
    (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
}

#[tokio::test]
async fn a_request_is_a_span_below_that_of_its_client_and_above_what_the_app_fetches() {
    let (collector, origin) = (Collector::willing().await, upstream().await);
    let app = App::new("app", ECHO).set(&format!("env.ORIGIN = 'http://{}'", origin.address));
    let supervisor = TestSupervisor::plan().app(app).set(&collector.field()).start().await;
    let client = supervisor.client("app").await;
    let parent = format!("00-{TRACE}-{PARENT}-01");
    let (_, told) =
        get(&client, "/x?y=1", &[("traceparent", &parent), ("tracestate", "a=1"), ("user-agent", "test")])
            .await;
    let [(service, span)] = &collector.spans(1).await[..] else { panic!("one span") };
    let expected = format!("00-{TRACE}-{}-01", hex(&span.span_id));
    assert_eq!(told, json!({ "app": [expected, "a=1"], "fetched": [expected, "a=1"] }));
    assert_ne!(hex(&span.span_id), PARENT);
    assert_eq!(
        (service.as_str(), span.name.as_str(), span.kind, &*span.trace_state),
        ("app", "GET", 2, "a=1")
    );
    assert_eq!((hex(&span.trace_id), hex(&span.parent_span_id)), (TRACE.into(), PARENT.into()));
    assert!(span.start_time_unix_nano < span.end_time_unix_nano && span.status.is_none());
    for (key, value) in [
        ("http.request.method", "GET"),
        ("http.response.status_code", "200"),
        ("url.path", "/x"),
        ("url.query", "y=1"),
        ("url.scheme", "http"),
        ("server.address", "127.0.0.1"),
        ("client.address", "127.0.0.1"),
        ("network.protocol.version", "1.1"),
        ("user_agent.original", "test"),
        ("error.type", "none"),
    ] {
        assert_eq!(attribute(span, key), value, "{key}");
    }
    let ms = |key| attribute(span, key).parse::<f64>().unwrap();
    assert!(ms("nano.queue_ms") >= 0.0 && ms("nano.worker_ms") > 0.0);
    assert_eq!(attribute(span, "http.response.body.size"), told.to_string().len().to_string());
    let seen = collector.seen.lock().unwrap();
    assert_eq!(
        (seen.path.as_str(), &seen.headers["content-type"]),
        ("/v1/traces", &"application/x-protobuf".parse().unwrap())
    );
}

#[tokio::test]
async fn what_an_app_asks_of_another_one_is_a_span_below_its_own() {
    let collector = Collector::willing().await;
    let caller = "export default { fetch: (request, env) => env.OTHER.fetch('http://other/asked') }";
    let caller = App::new("caller", caller).set("services = { OTHER = 'other' }");
    let plan = TestSupervisor::plan().app(caller).app(App::hello("other")).set(&collector.field());
    let supervisor = plan.start().await;
    let parent = format!("00-{TRACE}-{PARENT}-01");
    let client = supervisor.client("caller").await;
    assert_eq!(get(&client, "/", &[("traceparent", &parent)]).await.0, 200);
    let spans = collector.spans(2).await;
    let of = |app: &str| &spans.iter().find(|(service, _)| service == app).expect("a span of each").1;
    let (asked, answered) = (of("caller"), of("other"));
    assert_eq!((hex(&asked.parent_span_id), &answered.parent_span_id), (PARENT.into(), &asked.span_id));
    for span in [asked, answered] {
        assert_eq!(hex(&span.trace_id), TRACE);
    }
    for (key, value) in [
        ("nano.caller", "caller"),
        ("client.address", "none"),
        ("server.address", "other"),
        ("url.path", "/asked"),
    ] {
        assert_eq!(attribute(answered, key), value, "{key}");
    }
    assert_eq!(attribute(asked, "nano.request_id"), attribute(answered, "nano.request_id"));
}

#[tokio::test]
async fn a_request_without_a_valid_parent_begins_a_trace() {
    let (collector, origin) = (Collector::willing().await, upstream().await);
    let app = App::new("app", ECHO).set(&format!("env.ORIGIN = 'http://{}'", origin.address));
    let supervisor = TestSupervisor::plan().app(app).set(&collector.field()).start().await;
    let client = supervisor.client("app").await;
    let invalid = format!("00-{TRACE}-0000000000000000-01");
    let valid = format!("00-{TRACE}-{PARENT}-01");
    for fields in [
        &[][..],
        &[("traceparent", invalid.as_str()), ("tracestate", "a=1")],
        &[("traceparent", &valid), ("traceparent", &valid), ("tracestate", "a=1")],
    ] {
        let (_, told) = get(&client, "/", fields).await;
        assert_eq!(told["app"][1], Json::Null);
        assert_eq!(told["app"], told["fetched"]);
        assert!(
            told["app"][0].as_str().unwrap().ends_with("-03")
                && !told["app"][0].as_str().unwrap().contains(TRACE)
        );
    }
    for (_, span) in collector.spans(3).await {
        assert!(span.parent_span_id.is_empty() && hex(&span.trace_id) != TRACE && span.trace_id.len() == 16);
    }
}

#[tokio::test]
async fn what_is_not_sampled_is_no_span_and_the_trace_goes_on() {
    let (collector, origin) = (Collector::willing().await, upstream().await);
    let app = App::new("app", ECHO).set(&format!("env.ORIGIN = 'http://{}'", origin.address));
    let supervisor =
        TestSupervisor::plan().app(app).set(&collector.field()).set("trace_sample = 0.0").start().await;
    let client = supervisor.client("app").await;
    let parent = |flags| format!("00-{TRACE}-{PARENT}-{flags}");
    let (_, told) = get(&client, "/none", &[]).await;
    assert!(told["app"][0].as_str().unwrap().ends_with("-02"), "{told}");
    let (_, told) = get(&client, "/unsampled", &[("traceparent", &parent("00"))]).await;
    let text = told["app"][0].as_str().unwrap();
    assert!(text.starts_with(&format!("00-{TRACE}-")) && text.ends_with("-00"), "{text}");
    // The decision of the caller that began the trace counts.
    get(&client, "/sampled", &[("traceparent", &parent("01"))]).await;
    let spans = collector.spans(1).await;
    assert_eq!(spans.iter().map(|(_, span)| attribute(span, "url.path")).collect::<Vec<_>>(), ["/sampled"]);
}

#[tokio::test]
async fn failures_are_told_apart() {
    let collector = Collector::willing().await;
    let app = App::new("app", ECHO).set("watchdog = '500ms'\nhosts = ['127.0.0.1']\nmax_body = '1KiB'");
    let endpoint = format!("http://{}", collector.origin.address);
    let plan = TestSupervisor::plan().app(app).flags(&["--otlp-endpoint", &endpoint]);
    let supervisor = plan.start().await;
    let client = supervisor.client("app").await;
    let first = supervisor.worker("app").await;
    for (path, status) in [("/fail", 500), ("/spin", 504)] {
        assert_eq!(get(&client, path, &[]).await.0, status);
    }
    let worker = supervisor.replaced("app", first).await.pid.unwrap();
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { get(&client, "/wait", &[]).await.0 }
    });
    supervisor.log.line_with("waits").await;
    process::signal(worker, Signal::SIGKILL);
    assert_eq!(waiting.await.unwrap(), 500);
    let cut_off = client.get("/cut").await;
    assert!(cut_off.is_err(), "{cut_off:?}");
    assert_eq!(client.post("/", "x".repeat(2000)).await.unwrap().status, 413);
    assert_eq!(get(&client, "/", &[("host", "other.example")]).await.0, 404);
    let spans = collector.spans(6).await;
    // A batch is grouped by service.
    let (own, unknown): (Vec<_>, Vec<_>) = spans.iter().partition(|(service, _)| service == "app");
    let code = |span: &Span| span.status.as_ref().map_or(0, |status| status.code);
    let errors: Vec<_> = own.iter().map(|(_, span)| (attribute(span, "error.type"), code(span))).collect();
    let expected = [("handler_failed", 2), ("watchdog", 2), ("worker_died", 2), ("cut_off", 2), ("none", 0)];
    assert_eq!(errors, expected.map(|(error, code)| (error.to_owned(), code)));
    let [(service, refused)] = &unknown[..] else { panic!("{unknown:?}") };
    let address = (attribute(refused, "url.scheme"), attribute(refused, "server.address"));
    assert_eq!((service.as_str(), address), ("nano-supervisor", ("http".into(), "other.example".into())));
}

#[tokio::test]
async fn a_collector_that_is_away_disturbs_no_request_and_gets_its_spans_when_it_is_back() {
    let busy = |post| match post {
        0 => Response::builder().status(StatusCode::SERVICE_UNAVAILABLE).header(RETRY_AFTER, "1"),
        _ => Response::builder(),
    };
    let collector = Collector::new(move |post| busy(post).body(Bytes::new()).unwrap()).await;
    let away = format!("otlp_endpoint = 'http://{}'", free_address());
    let admin = free_address();
    let supervisor = TestSupervisor::plan()
        .app(App::hello("app"))
        .set(&away)
        .set(&format!("admin = '{admin}'"))
        .start()
        .await;
    let client = supervisor.client("app").await;
    assert_eq!(client.get("/").await.unwrap().status, 200);
    supervisor.log.line_with("spans cannot be exported").await;
    // The next endpoint, which is busy first, receives the same spans.
    supervisor.rewrite(|config| config.replace(&away, &collector.field()));
    supervisor.signal(Signal::SIGHUP);
    supervisor.log.line_with("spans are exported again").await;
    assert_eq!(collector.spans(1).await.len(), 1);
    assert_eq!(collector.seen.lock().unwrap().posts, 2);
    let warnings =
        supervisor.log.lines().iter().filter(|line| line.contains("spans cannot be exported")).count();
    assert_eq!(warnings, 1);
    let admin = Client::afresh(admin);
    let counts = until("the span is counted", async || {
        let counts = metrics(&admin).await;
        (counts["nano_spans_total{outcome=\"exported\"}"] == 1.0).then_some(counts)
    })
    .await;
    assert_eq!(counts["nano_spans_total{outcome=\"dropped\"}"], 0.0);
}

#[tokio::test]
async fn what_a_collector_refuses_is_counted_and_not_sent_again() {
    let answer = |post| match post {
        0 => Response::builder().status(400).body(Bytes::from("no")).unwrap(),
        _ => {
            let partial = ExportTracePartialSuccess { rejected_spans: 1, error_message: "too old".into() };
            let answer = ExportTraceServiceResponse { partial_success: Some(partial) };
            Response::new(answer.encode_to_vec().into())
        }
    };
    let (collector, admin) = (Collector::new(answer).await, free_address());
    let supervisor = TestSupervisor::plan()
        .app(App::hello("app"))
        .set(&collector.field())
        .set(&format!("admin = '{admin}'"))
        .start()
        .await;
    let (client, admin) = (supervisor.client("app").await, Client::afresh(admin));
    let failed = async |count: f64| {
        let name = "nano_spans_total{outcome=\"failed\"}";
        until("refused spans are counted", async || (metrics(&admin).await[name] == count).then_some(()))
            .await;
    };
    client.get("/").await.unwrap();
    failed(1.0).await;
    client.get("/").await.unwrap();
    failed(2.0).await;
    supervisor.log.line_with("too old").await;
    assert_eq!(collector.seen.lock().unwrap().posts, 2);
}

#[tokio::test]
async fn a_flood_fills_a_queue_and_no_more_and_the_end_does_not_wait() {
    let hangs = Origin::raw(async |stream, _| {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let admin = free_address();
    let mut supervisor = TestSupervisor::plan()
        .app(App::hello("app"))
        .set(&format!("otlp_endpoint = 'http://{}'\nadmin = '{admin}'", hangs.address))
        .start()
        .await;
    let client = supervisor.client("app").await;
    // Until there are more spans than are sent and buffered at once.
    let admin = Client::afresh(admin);
    until("spans are dropped", async || {
        for _ in 0..500 {
            assert_eq!(client.get("/").await.unwrap().status, 200);
        }
        (metrics(&admin).await["nano_spans_total{outcome=\"dropped\"}"] > 0.0).then_some(())
    })
    .await;
    supervisor.signal(Signal::SIGTERM);
    assert_eq!(within(supervisor.ended()).await.code(), Some(0));
}

#[tokio::test]
async fn the_last_spans_are_sent_at_the_end_with_the_headers_of_a_file() {
    let collector = Collector::willing().await;
    let mut supervisor = TestSupervisor::plan()
        .app(App::hello("app").file("headers", "x-key: secret\n"))
        .set(&collector.field())
        .set("otlp_headers_file = 'app/headers'")
        .start()
        .await;
    supervisor.get("app", "/").await;
    supervisor.signal(Signal::SIGTERM);
    assert_eq!(within(supervisor.ended()).await.code(), Some(0));
    let seen = collector.seen.lock().unwrap();
    assert_eq!((seen.spans.len(), &seen.headers["x-key"]), (1, &"secret".parse().unwrap()));
}

#[tokio::test]
async fn whoever_waits_for_a_collector_that_is_busy_is_not_kept() {
    // The first answer asks for a longer pause than any limit allows, the second for 25 seconds.
    let answer = |post| match post {
        0 => Response::builder().status(503).header(RETRY_AFTER, u64::MAX).body(Bytes::new()).unwrap(),
        1 => Response::builder().status(503).header(RETRY_AFTER, "25").body(Bytes::new()).unwrap(),
        // The spans are accepted, whatever the body of the answer says.
        _ => Response::new(vec![b'x'; 100_000].into()),
    };
    let (collector, admin) = (Collector::new(answer).await, free_address());
    let mut supervisor = TestSupervisor::plan()
        .app(App::hello("app"))
        .set(&format!("{}\nadmin = '{admin}'", collector.field()))
        .start()
        .await;
    let (client, admin) = (supervisor.client("app").await, Client::afresh(admin));
    client.get("/given-up").await.unwrap();
    let failed = "nano_spans_total{outcome=\"failed\"}";
    until("a batch is given up", async || (metrics(&admin).await[failed] == 1.0).then_some(())).await;
    client.get("/kept").await.unwrap();
    until("another one was sent", async || (collector.seen.lock().unwrap().posts == 2).then_some(())).await;
    supervisor.signal(Signal::SIGTERM);
    assert_eq!(within(supervisor.ended()).await.code(), Some(0));
    let seen = collector.seen.lock().unwrap();
    let paths: Vec<_> = seen.spans.iter().map(|(_, span)| attribute(span, "url.path")).collect();
    assert_eq!((paths, seen.posts), (vec!["/kept".to_owned()], 3));
}

#[tokio::test]
async fn a_scheduled_run_is_a_span_of_its_own() {
    let collector = Collector::willing().await;
    let index = "export default { fetch() {}, scheduled(controller) { if (controller.cron !== '0 0 1 1 *') throw new Error('no'); } }";
    let app = App::new("app", index).set("crons = ['0 0 1 1 *', '0 0 2 1 *']");
    let supervisor = TestSupervisor::plan().set(&collector.field()).app(app).start().await;
    for cron in ["0+0+1+1+*", "0+0+2+1+*"] {
        let path = format!("/v1/apps/app/trigger?cron={cron}");
        let asked =
            nano_supervisor::api::client::ask::<Json>(supervisor.socket(), hyper::Method::POST, &path, None);
        asked.await.unwrap();
    }
    let spans = collector.spans(2).await;
    let of = |(service, span): &(String, Span)| {
        let [trigger, cron, error] =
            ["faas.trigger", "faas.cron", "error.type"].map(|key| attribute(span, key));
        assert_eq!((&**service, &*span.name, &*trigger), ("app", "scheduled", "timer"));
        (cron, error)
    };
    let found: Vec<_> = spans.iter().map(of).collect();
    assert_eq!(found, [("0 0 1 1 *".into(), "none".into()), ("0 0 2 1 *".into(), "exception".into())]);
}
