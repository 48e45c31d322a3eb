//! Has another app answer what a worker asks. The request is handled as that of a client: with the same limits, and in the access log,
//! the traces and the metrics of the app that answers.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response};
use nano_protocol::message::{Entrypoint, HttpVersion, RequestId, RequestLine, StreamError, StreamErrorKind};
use nano_protocol::{Fetch, Receiver};
use tokio::time::Instant;

use super::asked::AskedRequest;
use super::{Caller, failure};
use crate::assets::answer::AssetRequest;
use crate::config::{AccessLog, AppName, Service};
use crate::edge::proxy::answer;
use crate::edge::proxy::attempt::{Outgoing, Upgrade};
use crate::edge::proxy::body::{ResponseBody, Tail};
use crate::edge::proxy::deliver::deliver;
use crate::edge::proxy::forwarding::Forwarding;
use crate::edge::proxy::handshake::asks_for_socket;
use crate::edge::proxy::recorded::Recorded;
use crate::edge::proxy::upload::Upload;
use crate::edge::proxy::{headers, static_file};
use crate::edge::refused::Refused;
use crate::edge::upstream::{InFlight, Upstream};
use crate::model::refusal::Refusal;
use crate::telemetry::record::{RequestRecord, RequestSource, Span};

/// How many fetches of apps may lead from the request of a client to the last one.
const MAX_DEPTH: u8 = 16;

/// A call: the request, and what is known of it.
struct ServiceCall<'a> {
    service: &'a Service,
    fetch: &'a Fetch<'a>,
    parts: &'a Parts,
    host: &'a str,
    id: RequestId,
    arrived: Instant,
    span: Option<&'a Span>,
}

impl Caller {
    /// Returns the response of an app, or the one in its place if it has not begun with the request.
    ///
    /// # Errors
    /// What the app has thrown, or why else it did not answer.
    pub(super) async fn call(
        &self,
        service: &Service,
        fetch: &Fetch<'_>,
        asked: AskedRequest,
        body: &mut Option<Receiver>,
    ) -> Result<Response<ResponseBody>, StreamError> {
        let app = &service.app;
        let Some(upstream) = self.directory.find(app) else {
            let binding = fetch.binding;
            return Err(failure(format!("env.{binding} is the app {app}, and there is no app of this name")));
        };
        if is_for_worker(service, fetch) && !upstream.spec().has_worker() {
            return Err(failure(format!("the app {app} has static files alone")));
        }
        let (settings, arrived) = (self.admission.settings(), Instant::now());
        // A fetch in nobody's course begins one of its own.
        let id = Some(fetch.request).filter(|id| id.0 != 0).unwrap_or_else(|| RequestId(fastrand::u128(..)));
        let host = asked.host().to_owned();
        let parts = asked.into_parts();
        let span = settings.traces.as_ref().map(|traces| Span::of(&parts.headers, traces.sample));
        let recorded = span.clone().filter(|span| span.context.is_sampled());
        let access = settings.access_log;
        let is_recorded = access != AccessLog::Off || recorded.is_some();
        let mut record = Recorded::new(is_recorded.then(|| {
            let source = RequestSource::App(self.upstream.spec().name.clone());
            let request = Request::from_parts(parts.clone(), ());
            let mut record = RequestRecord::new(&request, source, id, arrived.into_std(), access, recorded);
            record.app = Some(upstream.spec().name.clone());
            fetch.origin.clone_into(&mut record.origin);
            record
        }));
        let is_to_head = parts.method == Method::HEAD;
        let form = answer::form(&parts.headers);
        let call =
            ServiceCall { service, fetch, parts: &parts, host: &host, id, arrived, span: span.as_ref() };
        let forwarded = match headers::check_limits(&parts, &settings) {
            Ok(()) => self.forward(&upstream, &call, body, record.get()).await,
            Err(refusal) => Err(refusal.into()),
        };
        let status = match &forwarded {
            Ok((response, _)) => response.status(),
            Err(refused) => refused.why.status(),
        };
        upstream.count(|counts| {
            if let Err(refused) = &forwarded {
                counts.refused(refused.why as usize);
            }
            counts.response(status.as_u16());
        });
        if let Some(record) = record.get() {
            record.status = status.as_u16();
            record.refusal = forwarded.as_ref().err().map(|refused| refused.why.code());
        }
        let (mut response, place) = match forwarded {
            Ok(answered) => answered,
            // A call has no response that could stand for it.
            Err(refused) if fetch.is_call || is_of_the_app(refused.why) => return Err(thrown(app, refused)),
            Err(refused) => (refused.response(id, form), None),
        };
        // On Workers, HEAD may ask for a WebSocket.
        if is_to_head && response.body().socket.is_none() {
            *response.body_mut() = ResponseBody::empty();
        }
        let upstream = Some(upstream);
        response.body_mut().attach(Tail { id, _place: place, upstream, serving: None, record });
        Ok(response)
    }

    /// Returns what the app answers.
    async fn forward(
        &self,
        upstream: &Rc<Upstream>,
        call: &ServiceCall<'_>,
        body: &mut Option<Receiver>,
        record: Option<&mut RequestRecord>,
    ) -> Result<(Response<ResponseBody>, Option<InFlight>), Refused> {
        let ServiceCall { service, fetch, parts, .. } = *call;
        if fetch.depth > MAX_DEPTH {
            return Err(Refusal::Loop.into());
        }
        if parts.method == Method::CONNECT {
            return Err(Refusal::MethodNotAllowed.into());
        }
        let spec = upstream.spec();
        headers::check_length(&parts.headers, spec.limits.max_body)?;
        let enter = || upstream.enter(&spec, upstream.held_by(self.key));
        if let Some(assets) = spec.assets.as_ref().filter(|_| !is_for_worker(service, fetch))
            && !upstream.is_stopped()
        {
            let request = AssetRequest {
                method: &parts.method,
                target: fetch.target,
                host: call.host,
                origin: fetch.origin,
                headers: &parts.headers,
                is_worker: true,
            };
            if let Some(answer) = assets.answer(&request, spec.has_worker()) {
                let window = |most| self.window(upstream, most);
                return static_file::respond(&spec.name, assets.index(), answer, enter, window).await;
            }
        }
        if upstream.is_quarantined(parts.method.as_str(), fetch.target) {
            return Err(Refusal::Quarantined.into());
        }
        let place = enter()?;
        let mut forwarding = Forwarding::of_app(fetch.origin, call.id, call.span);
        let is_whole = body.as_ref().is_none_or(Receiver::is_received);
        let upgrade = if !is_whole && !fetch.is_call && asks_for_socket(&parts.headers) {
            forwarding.upgrades();
            Some(Upgrade {
                handshake: None,
                budget: upstream.sockets.budget.clone(),
                inflating: upstream.sockets.inflating(&spec, self.key),
                place: Cell::new(Some(upstream.sockets.enter(&spec, self.key)?)),
            })
        } else {
            None
        };
        // What follows a request for a WebSocket is the WebSocket.
        let body = if upgrade.is_none() { body.take() } else { None };
        let body = body.map(|body| CallBody::new(body, headers::length(&parts.headers)));
        let body = body.filter(|body| !body.is_end_stream());
        let upload = body.map(|body| Upload::new(body, None, spec.limits.max_body, upstream.clone()));
        let line = RequestLine {
            id: call.id,
            method: parts.method.as_str(),
            origin: fetch.origin,
            target: fetch.target,
            version: HttpVersion::Http11,
            depth: fetch.depth,
            entrypoint: entrypoint(service, fetch),
        };
        let outgoing = Outgoing {
            spec: &spec,
            line: &line,
            scheduled: None,
            forwarding: &forwarding,
            fields: &parts.headers,
            upgrade: upgrade.as_ref(),
            buffers: &self.admission.buffers(self.key),
        };
        let response = deliver(upstream, &place, call.arrived, &outgoing, upload, record).await?;
        // A WebSocket has a place of its own, and is no request in flight.
        let place = response.body().socket.is_none().then_some(place);
        Ok((response, place))
    }
}

/// Whether no static file answers: they are those of the default entrypoint.
fn is_for_worker(service: &Service, fetch: &Fetch<'_>) -> bool {
    fetch.is_call || service.entrypoint.is_some()
}

/// Returns for what of the app the request is, unless it is a usual one.
fn entrypoint<'a>(service: &'a Service, fetch: &Fetch<'_>) -> Option<Entrypoint<'a>> {
    let entrypoint = Entrypoint {
        name: service.entrypoint.as_deref().unwrap_or_default(),
        props: service.props.as_deref().unwrap_or_default(),
        is_call: fetch.is_call,
    };
    let is_usual = entrypoint.name.is_empty() && entrypoint.props.is_empty() && !fetch.is_call;
    (!is_usual).then_some(entrypoint)
}

/// Whether the app had begun with the request, so that this is an error in the app that has made it. Otherwise that app gets the
/// response that a client would get.
fn is_of_the_app(why: Refusal) -> bool {
    use Refusal as R;
    match why {
        R::HandlerFailed
        | R::NotAResponse
        | R::OutOfMemory
        | R::WorkerDied
        | R::CpuTime
        | R::ResponseTooLarge
        | R::TimedOut
        | R::Watchdog
        | R::AssetUnreadable => true,
        R::Malformed
        | R::NoSuchHost
        | R::MethodNotAllowed
        | R::RequestTimedOut
        | R::BodyTooLarge
        | R::UriTooLong
        | R::HeadersTooLarge
        | R::NotLoaded
        | R::CrashLoop
        | R::Stopped
        | R::NoWorker
        | R::Overloaded
        | R::ClientOverloaded
        | R::QueueFull
        | R::WebSocketVersion
        | R::TooManyWebSockets
        | R::Quarantined
        | R::Loop => false,
    }
}

/// Returns the error for the app that has made the request.
fn thrown(app: &AppName, refused: Refused) -> StreamError {
    let message = format!("the app {app} gave no answer: {}", refused.why.message());
    StreamError { kind: StreamErrorKind::HandlerFailed, message, thrown: refused.thrown }
}

/// The body that a worker sends, held to the length that its request announces.
#[derive(Debug)]
struct CallBody {
    receiver: Receiver,
    /// The bytes that are still to come, if that is known.
    left: Option<u64>,
}

/// A body that is not as long as announced, or that was not sent to its end.
#[derive(Debug)]
struct Incomplete;

impl CallBody {
    fn new(receiver: Receiver, length: Option<u64>) -> Self {
        Self { receiver, left: length }
    }
}

impl Body for CallBody {
    type Data = Bytes;
    type Error = Incomplete;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Incomplete>>> {
        match ready!(self.receiver.poll_chunk(cx)) {
            Some(Ok(chunk)) => {
                if let Some(left) = &mut self.left {
                    let Some(rest) = left.checked_sub(chunk.len() as u64) else {
                        return Poll::Ready(Some(Err(Incomplete)));
                    };
                    *left = rest;
                }
                Poll::Ready(Some(Ok(Frame::data(chunk))))
            }
            Some(Err(_)) => Poll::Ready(Some(Err(Incomplete))),
            None if self.left.is_some_and(|left| left > 0) => Poll::Ready(Some(Err(Incomplete))),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.receiver.is_done() && self.left.is_none_or(|left| left == 0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
