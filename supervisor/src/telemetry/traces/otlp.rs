//! Encodes requests as OpenTelemetry spans, by the semantic conventions for HTTP servers:
//! <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>, and scheduled runs by those for timers:
//! <https://opentelemetry.io/docs/specs/semconv/faas/faas-spans/>. Each app is a service of its own.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use hyper::http::uri::PathAndQuery;
use hyper::{Method, Uri, Version};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span::SpanKind};

use super::{Finished, FinishedRequest};
use crate::model::run_outcome::RunOutcome;
use crate::telemetry::record::{RequestRecord, RunRecord};

/// The service name of requests without an app.
const SUPERVISOR: &str = "nano-supervisor";

/// Bits 8 and 9 of a span's flags: whether it is known if the parent is in another process, and that it is.
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// Maximum length of an attribute, in bytes.
const LONGEST: usize = 4096;

/// Query parameters whose values are secrets. The conventions require their redaction.
const SECRET: [&str; 4] = ["AWSAccessKeyId", "Signature", "sig", "X-Goog-Signature"];

/// The export request of a batch.
pub(super) fn request(batch: &[Finished]) -> ExportTraceServiceRequest {
    let mut services = BTreeMap::<&str, Vec<Span>>::new();
    for finished in batch {
        let (app, span) = match finished {
            Finished::Request(finished) => (finished.record.app.as_ref(), span(finished)),
            Finished::Run(run) => (Some(&run.app), Some(span_of_run(run))),
        };
        services.entry(app.map_or(SUPERVISOR, |app| app.as_str())).or_default().extend(span);
    }
    let resource_spans = services.into_iter().map(|(service, spans)| ResourceSpans {
        resource: Some(Resource { attributes: resource(service), ..Resource::default() }),
        scope_spans: vec![ScopeSpans {
            scope: Some(InstrumentationScope {
                name: env!("CARGO_PKG_NAME").into(),
                version: env!("CARGO_PKG_VERSION").into(),
                ..InstrumentationScope::default()
            }),
            spans,
            ..ScopeSpans::default()
        }],
        ..ResourceSpans::default()
    });
    ExportTraceServiceRequest { resource_spans: resource_spans.collect() }
}

fn resource(service: &str) -> Vec<KeyValue> {
    let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    let host = host.map(|name| text("host.name", &name));
    [text("service.name", service)].into_iter().chain(host).collect()
}

fn span(FinishedRequest { record, ended, took }: &FinishedRequest) -> Option<Span> {
    let span = record.span.as_ref()?;
    let is_error = error_type(record).is_some();
    let is_remote = if span.parent.is_some() { IS_REMOTE } else { 0 };
    Some(Span {
        trace_id: span.context.trace.to_be_bytes().into(),
        span_id: span.context.span.to_be_bytes().into(),
        trace_state: span.state.clone(),
        parent_span_id: span.parent.map(|parent| parent.to_be_bytes().into()).unwrap_or_default(),
        flags: u32::from(span.context.flags()) | HAS_IS_REMOTE | is_remote,
        // The conventions allow a route here but not a path, which would give each request another name.
        name: if is_known(&record.method) { record.method.clone() } else { "HTTP".into() },
        kind: SpanKind::Server.into(),
        start_time_unix_nano: nanoseconds(*ended - *took),
        end_time_unix_nano: nanoseconds(*ended),
        attributes: attributes(record),
        status: is_error.then(|| Status { code: StatusCode::Error.into(), ..Status::default() }),
        ..Span::default()
    })
}

fn span_of_run(RunRecord { context, id, cron, due, outcome, began, took, .. }: &RunRecord) -> Span {
    let is_ok = *outcome == RunOutcome::Ok;
    let mut attributes = vec![
        text("faas.trigger", "timer"),
        text("faas.cron", cron),
        text("faas.time", &humantime::format_rfc3339_millis(*due).to_string()),
        text("nano.request_id", &id.to_string()),
    ];
    attributes.extend((!is_ok).then(|| text("error.type", outcome.name())));
    Span {
        trace_id: context.trace.to_be_bytes().into(),
        span_id: context.span.to_be_bytes().into(),
        flags: u32::from(context.flags()) | HAS_IS_REMOTE,
        name: "scheduled".into(),
        kind: SpanKind::Internal.into(),
        start_time_unix_nano: nanoseconds(*began),
        end_time_unix_nano: nanoseconds(*began + *took),
        attributes,
        status: (!is_ok).then(|| Status { code: StatusCode::Error.into(), ..Status::default() }),
        ..Span::default()
    }
}

fn attributes(record: &RequestRecord) -> Vec<KeyValue> {
    let mut all = Vec::with_capacity(20);
    if is_known(&record.method) {
        all.push(text("http.request.method", &record.method));
    } else {
        all.push(text("http.request.method", "_OTHER"));
        all.push(text("http.request.method_original", &record.method));
    }
    // An absolute target also has a scheme and an authority.
    let absolute = record.target.parse::<Uri>().ok().filter(|uri| uri.scheme().is_some());
    let target =
        absolute.as_ref().and_then(Uri::path_and_query).map_or(&*record.target, PathAndQuery::as_str);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    all.push(text("url.path", path));
    if !query.is_empty() {
        all.push(text("url.query", &without_secrets(query)));
    }
    if let Ok(origin) = record.origin.parse::<Uri>() {
        all.extend(origin.scheme_str().map(|scheme| text("url.scheme", scheme)));
        all.extend(origin.host().map(|host| text("server.address", host)));
        all.extend(origin.port_u16().map(|port| number("server.port", port.into())));
    }
    all.extend(record.client_address().map(|client| text("client.address", &client)));
    all.extend(record.caller().map(|caller| text("nano.caller", caller)));
    all.extend(record.proxy_address().map(|proxy| text("network.peer.address", &proxy)));
    let version = if record.version == Version::HTTP_2 { "2" } else { "1.1" };
    all.push(text(
        "network.protocol.version",
        if record.version == Version::HTTP_10 { "1.0" } else { version },
    ));
    let user_agent = record.user_agent.as_ref().and_then(|value| value.to_str().ok());
    all.extend(user_agent.map(|value| text("user_agent.original", value)));
    if record.status > 0 {
        all.push(number("http.response.status_code", record.status.into()));
        all.push(number("http.response.body.size", record.bytes.try_into().unwrap_or(i64::MAX)));
    }
    all.extend(error_type(record).map(|error| text("error.type", &error)));
    all.push(text("nano.request_id", &record.id.to_string()));
    all.extend(record.queue.map(|queue| milliseconds("nano.queue_ms", queue)));
    all.extend(record.worker.map(|worker| milliseconds("nano.worker_ms", worker)));
    all
}

/// The error type, for errors of the server. There is also no status if the client disconnected before the response.
fn error_type(record: &RequestRecord) -> Option<String> {
    match record.status {
        500.. => Some(record.refusal.map_or_else(|| record.status.to_string(), Into::into)),
        _ if record.cut_off => Some("cut_off".into()),
        _ => None,
    }
}

/// Whether the conventions know a method. Made-up methods would make the number of span names unbounded.
fn is_known(method: &str) -> bool {
    let known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::CONNECT,
        Method::OPTIONS,
        Method::TRACE,
        Method::PATCH,
    ];
    known.iter().any(|known| known == method)
}

fn without_secrets(query: &str) -> String {
    let parts = query.split('&').map(|part| match part.split_once('=') {
        Some((name, _)) if SECRET.contains(&name) => format!("{name}=REDACTED"),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("&")
}

fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value[..value.floor_char_boundary(LONGEST)].to_owned()))
}

fn number(key: &str, value: i64) -> KeyValue {
    attribute(key, Value::IntValue(value))
}

fn milliseconds(key: &str, value: Duration) -> KeyValue {
    attribute(key, Value::DoubleValue(value.as_secs_f64() * 1000.0))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use hyper::Request;
    use nano_protocol::message::RequestId;

    use super::*;
    use crate::config::AccessLog;
    use crate::telemetry::record;
    use crate::telemetry::trace_context::TraceContext;

    fn finished(method: &str, target: &str, change: impl FnOnce(&mut RequestRecord)) -> FinishedRequest {
        let context =
            TraceContext::parse(b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").unwrap();
        let span = record::Span { context, parent: Some(7), state: "a=1".into() };
        let request = Request::builder().method(method).uri(target).body(()).unwrap();
        let peer: std::net::SocketAddr = "[::ffff:192.0.2.1]:5".parse().unwrap();
        let from = record::RequestSource::Client { address: peer.ip(), peer };
        let mut record =
            RequestRecord::new(&request, from, RequestId(1), Instant::now(), AccessLog::Off, Some(span));
        change(&mut record);
        let ended = SystemTime::UNIX_EPOCH + Duration::from_secs(100);
        FinishedRequest { record: record.into(), ended, took: Duration::from_secs(1) }
    }

    fn shown(span: &Span) -> Vec<String> {
        let shown = span.attributes.iter().map(|attribute| {
            let value = attribute.value.as_ref().unwrap().value.as_ref().unwrap();
            let value = match value {
                Value::StringValue(text) => text.clone(),
                Value::IntValue(number) => number.to_string(),
                value => format!("{value:?}"),
            };
            format!("{}={value}", attribute.key)
        });
        shown.collect()
    }

    #[test]
    fn a_request_is_a_span_of_a_server() {
        let one = span(&finished("GET", "/a?b=c&sig=secret", |record| {
            (record.status, record.bytes) = (200, 5);
            record.origin = "https://x.example:8443".into();
            record.queue = Some(Duration::from_millis(2));
        }))
        .unwrap();
        assert_eq!((one.name.as_str(), one.kind, one.status.clone()), ("GET", 2, None));
        assert_eq!((one.trace_state.as_str(), one.flags), ("a=1", 0x301));
        assert_eq!((one.trace_id[0], one.span_id[7], one.parent_span_id[7]), (0x0a, 0x31, 7));
        assert_eq!((one.start_time_unix_nano, one.end_time_unix_nano), (99_000_000_000, 100_000_000_000));
        assert_eq!(
            shown(&one),
            [
                "http.request.method=GET",
                "url.path=/a",
                "url.query=b=c&sig=REDACTED",
                "url.scheme=https",
                "server.address=x.example",
                "server.port=8443",
                "client.address=192.0.2.1",
                "network.protocol.version=1.1",
                "http.response.status_code=200",
                "http.response.body.size=5",
                "nano.request_id=00000000000000000000000000000001",
                "nano.queue_ms=DoubleValue(2.0)",
            ]
        );
    }

    #[test]
    fn a_scheduled_run_is_a_span_of_a_timer() {
        let of = |outcome| {
            let run = RunRecord {
                app: "a".parse().unwrap(),
                context: TraceContext::root(true),
                id: RequestId(1),
                cron: "*/5 * * * *".into(),
                due: SystemTime::UNIX_EPOCH,
                outcome,
                began: SystemTime::UNIX_EPOCH + Duration::from_secs(2),
                took: Duration::from_secs(3),
            };
            let found = request(&[Finished::Run(run.into())]).resource_spans.remove(0);
            assert_eq!(found.resource.unwrap().attributes[0], text("service.name", "a"));
            found.scope_spans[0].spans[0].clone()
        };
        let mut expected = vec![
            "faas.trigger=timer",
            "faas.cron=*/5 * * * *",
            "faas.time=1970-01-01T00:00:00.000Z",
            "nano.request_id=00000000000000000000000000000001",
        ];
        let one = of(RunOutcome::Ok);
        assert_eq!(
            (one.name.as_str(), one.kind, &one.status, shown(&one)),
            ("scheduled", 1, &None, expected.iter().map(ToString::to_string).collect())
        );
        assert_eq!((one.start_time_unix_nano, one.end_time_unix_nano), (2_000_000_000, 5_000_000_000));
        let failed = of(RunOutcome::TimedOut);
        expected.push("error.type=timed_out");
        assert_eq!(
            (failed.status.as_ref().map(|status| status.code), shown(&failed)),
            (Some(2), expected.iter().map(ToString::to_string).collect())
        );
    }

    #[test]
    fn what_went_wrong_is_told() {
        let of = |status, refusal, cut_off| {
            let found = span(&finished("BREW", "/", |record| {
                (record.status, record.refusal, record.cut_off) = (status, refusal, cut_off);
            }))
            .unwrap();
            assert_eq!(found.name, "HTTP");
            let error =
                shown(&found).into_iter().find_map(|text| Some(text.strip_prefix("error.type=")?.to_owned()));
            (found.status.map(|status| status.code), error.unwrap_or_default())
        };
        assert_eq!(of(404, Some("no_such_host"), false), (None, String::new()));
        assert_eq!(of(503, Some("overloaded"), false), (Some(2), "overloaded".into()));
        assert_eq!(of(500, None, false), (Some(2), "500".into()));
        assert_eq!(of(200, None, true), (Some(2), "cut_off".into()));
        assert_eq!(of(0, None, false), (None, String::new()));
    }

    #[test]
    fn each_app_is_a_service_and_long_texts_are_cut() {
        let app = |name: &str| name.parse().ok();
        let batch = [
            finished("GET", "/", |record| record.app = app("b")),
            finished("GET", &format!("/{}", "x".repeat(9000)), |record| record.app = app("a")),
            finished("GET", "/", |record| record.app = app("b")),
            finished("GET", "/", |_| {}),
        ];
        let found = request(&batch.map(Finished::Request)).resource_spans;
        let services: Vec<_> =
            found.iter().map(|one| &one.resource.as_ref().unwrap().attributes[0]).collect();
        assert_eq!(
            services,
            [
                &text("service.name", "a"),
                &text("service.name", "b"),
                &text("service.name", "nano-supervisor")
            ]
        );
        assert_eq!(found.iter().map(|one| one.scope_spans[0].spans.len()).collect::<Vec<_>>(), [1, 2, 1]);
        assert_eq!(shown(&found[0].scope_spans[0].spans[0])[1].len(), "url.path=".len() + LONGEST);
    }
}
