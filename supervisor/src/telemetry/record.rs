//! What is remembered of one request until its response is complete, for the access log and for its span.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use hyper::header::{HeaderMap, HeaderName, HeaderValue, REFERER, USER_AGENT};
use hyper::{Request, Version};
use nano_protocol::message::RequestId;

use crate::config::{AccessLog, AppName};
use crate::telemetry::trace_context::TraceContext;

/// The trace that a request belongs to.
pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// What others have to say of that trace.
pub(crate) const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// What is remembered of one request.
#[derive(Debug)]
pub(crate) struct RequestRecord {
    /// The app that answered, once it is known.
    pub app: Option<AppName>,
    /// The status sent; 0 if the client has gone before.
    pub status: u16,
    /// Body bytes sent.
    pub bytes: u64,
    /// Whether the response ended before it was complete.
    pub cut_off: bool,
    /// Why the supervisor answered in place of the app, if it did; the code that clients are told.
    pub refusal: Option<&'static str>,
    /// How long it waited until a worker took it, if one did.
    pub queue: Option<Duration>,
    /// From there to the head of the worker's response, if there was one.
    pub worker: Option<Duration>,
    /// Scheme and authority of the URL that the app sees, once they are known; only for spans.
    pub origin: String,
    /// The form of its line in the access log.
    pub access: AccessLog,
    /// Its span, if one is recorded.
    pub span: Option<Span>,
    /// Its id.
    pub id: RequestId,
    /// Whom it is from.
    pub client: IpAddr,
    /// Where it came from: the same, or a proxy of ours.
    pub peer: SocketAddr,
    /// Its method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The version of HTTP.
    pub version: Version,
    /// `Referer`.
    pub referer: Option<HeaderValue>,
    /// `User-Agent`.
    pub user_agent: Option<HeaderValue>,
    /// When it arrived.
    pub begun: Instant,
}

/// The span of one request.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    /// The span itself.
    pub context: TraceContext,
    /// The span it is part of, if the client has told one.
    pub parent: Option<u64>,
    /// `tracestate`, as the client sent it; empty if it is not valid.
    pub state: String,
}

impl Span {
    /// The span of a request with these header fields. One that belongs to no trace yet begins one, which is recorded with
    /// the probability `sample`; otherwise whoever began the trace has decided.
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
    /// Begins with what the request says, which arrived at `begun`, and with whom it is from and where it came from.
    pub(crate) fn new<B>(
        request: &Request<B>,
        (client, peer): (IpAddr, SocketAddr),
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
            client,
            peer,
            method: request.method().to_string(),
            target: match request.uri().path_and_query() {
                // HTTP/2 has no other form; in HTTP/1, an absolute one was sent as such.
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

    /// The client's address as people write it.
    pub(crate) fn client_address(&self) -> String {
        self.client.to_canonical().to_string()
    }

    /// That of the proxy of ours that has sent it, if one has.
    pub(crate) fn proxy_address(&self) -> Option<String> {
        let peer = self.peer.ip().to_canonical();
        (peer != self.client.to_canonical()).then(|| peer.to_string())
    }
}
