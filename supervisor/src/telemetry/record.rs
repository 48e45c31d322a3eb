//! The record of one request until its response is complete, for the access log and its span.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};

use hyper::header::{HeaderMap, HeaderName, HeaderValue, REFERER, USER_AGENT};
use hyper::{Request, Version};
use nano_protocol::message::RequestId;

use crate::config::{AccessLog, AppName};
use crate::model::run_outcome::RunOutcome;
use crate::telemetry::trace_context::TraceContext;

/// The header field with the trace context.
pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The header field with vendor data of the trace.
pub(crate) const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Who has made a request.
#[derive(Debug)]
pub(crate) enum RequestSource {
    /// A client, over one of the listening addresses.
    Client {
        /// Address of the client, which a trusted proxy may have told.
        address: IpAddr,
        /// Address of the peer: the client, or a trusted proxy.
        peer: SocketAddr,
    },
    /// Another app, by one of its `services`.
    App(AppName),
}

/// The record of one request.
#[derive(Debug)]
pub(crate) struct RequestRecord {
    /// The app that answered, once it is known.
    pub app: Option<AppName>,
    /// The status sent; 0 if the client disconnected before.
    pub status: u16,
    /// Body bytes sent.
    pub bytes: u64,
    /// Whether the response ended before it was complete.
    pub cut_off: bool,
    /// The refusal code that the client got, if the supervisor answered in place of the app.
    pub refusal: Option<&'static str>,
    /// How long it waited for a worker; none if it never got one.
    pub queue: Option<Duration>,
    /// From then to the head of the worker's response, if there was one.
    pub worker: Option<Duration>,
    /// Scheme and authority of the URL that the app sees, once known. Only set for spans.
    pub origin: String,
    /// The format of its access log line.
    pub access: AccessLog,
    /// Its span, if one is recorded.
    pub span: Option<Span>,
    pub id: RequestId,
    /// Who has made it.
    pub source: RequestSource,
    pub method: String,
    /// Path and query.
    pub target: String,
    /// HTTP version.
    pub version: Version,
    pub referer: Option<HeaderValue>,
    pub user_agent: Option<HeaderValue>,
    /// When it arrived.
    pub begun: Instant,
}

/// A scheduled run that is over and whose span is recorded.
#[derive(Debug)]
pub(crate) struct RunRecord {
    pub app: AppName,
    pub context: TraceContext,
    pub id: RequestId,
    pub cron: String,
    pub due: SystemTime,
    pub outcome: RunOutcome,
    pub began: SystemTime,
    pub took: Duration,
}

/// The span of one request.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub context: TraceContext,
    /// The parent span, if the client sent one.
    pub parent: Option<u64>,
    /// `tracestate`, as the client sent it; empty if invalid.
    pub state: String,
}

impl Span {
    /// The span of a request with these header fields. A request without a trace starts one, which is sampled with the
    /// probability `sample`. In an existing trace, its originator has made that decision.
    pub(crate) fn of(headers: &HeaderMap, sample: f64) -> Self {
        let mut values = headers.get_all(TRACEPARENT).iter();
        let parent = match (values.next(), values.next()) {
            (Some(value), None) => TraceContext::parse(value.as_bytes()),
            _ => None,
        };
        match parent {
            Some(parent) => {
                let states = headers.get_all(TRACESTATE).iter().map(HeaderValue::to_str);
                let state = states.collect::<Result<Vec<_>, _>>().unwrap_or_default().join(",");
                Self { context: parent.child(), parent: Some(parent.span), state }
            }
            None => Self {
                context: TraceContext::root(fastrand::f64() < sample),
                parent: None,
                state: String::new(),
            },
        }
    }
}

impl RequestRecord {
    /// Starts the record of a request that arrived at `begun`.
    pub(crate) fn new<B>(
        request: &Request<B>,
        source: RequestSource,
        id: RequestId,
        begun: Instant,
        access: AccessLog,
        span: Option<Span>,
    ) -> Self {
        let field = |name: HeaderName| request.headers().get(name).cloned();
        Self {
            app: None,
            status: 0,
            bytes: 0,
            cut_off: false,
            refusal: None,
            queue: None,
            worker: None,
            origin: String::new(),
            access,
            span,
            id,
            source,
            method: request.method().to_string(),
            target: match request.uri().path_and_query() {
                // In HTTP/2 the URI is always absolute, so the path is used. In HTTP/1, an absolute target was sent as such
                // and is kept.
                Some(target) if request.version() >= Version::HTTP_2 || request.uri().scheme().is_none() => {
                    target.to_string()
                }
                _ => request.uri().to_string(),
            },
            version: request.version(),
            referer: field(REFERER),
            user_agent: field(USER_AGENT),
            begun,
        }
    }

    /// The client's address as text, if a client has made it.
    pub(crate) fn client_address(&self) -> Option<String> {
        match &self.source {
            RequestSource::Client { address, .. } => Some(address.to_canonical().to_string()),
            RequestSource::App(_) => None,
        }
    }

    /// The address of the peer: of the client, or of a trusted proxy.
    pub(crate) fn peer_address(&self) -> Option<String> {
        match &self.source {
            RequestSource::Client { peer, .. } => Some(peer.ip().to_canonical().to_string()),
            RequestSource::App(_) => None,
        }
    }

    /// The address of the trusted proxy that sent it, if one did.
    pub(crate) fn proxy_address(&self) -> Option<String> {
        self.peer_address().filter(|peer| Some(peer) != self.client_address().as_ref())
    }

    /// The app that has made it, if one has.
    pub(crate) fn caller(&self) -> Option<&str> {
        match &self.source {
            RequestSource::Client { .. } => None,
            RequestSource::App(app) => Some(app.as_str()),
        }
    }
}
