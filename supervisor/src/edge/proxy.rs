//! The way of one request: checks, resolves the app, forwards, and maps every failure to one status.
//!
//! - [`site`]: which app answers, by port and host.
//! - [`headers`]: what of a head crosses: limits, framing, hop-by-hop fields; [`host`]: whom a request is for;
//!   [`forwarding`]: what its app is told of it.
//! - [`upload`]: the request body, from the client into a stream.
//! - [`body`]: the response body, as hyper polls it, in [`part`]s; [`announced`]: how long it has to be; [`response_limit`]: how
//!   long it may be.
//! - [`answer`]: the one table from failures to statuses; [`refused`]: an entry of it with its cause.
//! - [`recorded`]: what is remembered of it, for the access log and for its span.
//! - [`error_page`]: what the developer of an app is told of the cause.

pub(crate) mod announced;
pub(crate) mod answer;
pub(crate) mod body;
pub(crate) mod error_page;
pub(crate) mod forwarding;
pub(crate) mod headers;
pub(crate) mod host;
pub(crate) mod part;
pub(crate) mod recorded;
pub(crate) mod refused;
pub(crate) mod response_limit;
pub(crate) mod site;
pub(crate) mod upload;

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::time::Duration;

use hyper::body::Body as _;
use hyper::header::CONTENT_LENGTH;
use hyper::{Method, Request, Response, StatusCode};
use nano_protocol::message::{HttpVersion, RequestId, RequestLine};
use nano_protocol::{Budget, Failure, Handle, Receiver, ResponseHead};
use tokio::time::{Instant, timeout_at};

use crate::config::{AccessLog, AppSpec, ServerSettings};
use crate::edge::client::{Peer, Reading, Serving};
use crate::edge::forwarded_for::Asker;
use crate::edge::upstream::{Place, Upstream};
use crate::model::lost_request::LostRequest;
use crate::model::refusal::Refusal;
use crate::model::shares::ClientKey;
use crate::telemetry::record::{Record, Span};
use body::{ResponseBody, Tail};
use forwarding::Forwarding;
use recorded::Recorded;
use refused::Refused;
use site::Site;
use upload::{Progress, RequestBody, Upload};

/// Forwards the requests of one listening port on one I/O thread.
#[derive(Debug)]
pub(crate) struct Proxy {
    site: RefCell<Site>,
    settings: RefCell<Rc<ServerSettings>>,
}

impl Proxy {
    /// A proxy for these apps, with these limits and policies.
    pub(crate) fn new(site: Site, settings: Rc<ServerSettings>) -> Self {
        Self { site: RefCell::new(site), settings: RefCell::new(settings) }
    }

    /// What holds for further requests, on open connections as well.
    pub(crate) fn configure(&self, site: Site, settings: Rc<ServerSettings>) {
        *self.site.borrow_mut() = site;
        *self.settings.borrow_mut() = settings;
    }

    fn settings(&self) -> Rc<ServerSettings> {
        self.settings.borrow().clone()
    }

    /// Answers one request. Never fails: every failure is an answer, or the end of the body.
    pub(crate) async fn answer<B: RequestBody>(
        &self,
        request: Request<B>,
        peer: &Peer,
        serving: Serving,
    ) -> Response<ResponseBody> {
        let (settings, arrived) = (self.settings(), Instant::now());
        let mut upstream = None;
        let asker = Asker::new(request.headers(), peer.address.ip(), &settings.forwarded);
        let id = if asker.is_proxied { headers::request_id(request.headers()) } else { None };
        let id = id.unwrap_or_else(|| RequestId(fastrand::u128(..)));
        let access = settings.log.access;
        let span = settings.traces.as_ref().map(|traces| Span::of(request.headers(), traces.sample));
        let recorded = span.clone().filter(|span| span.context.is_sampled());
        let record = (access != AccessLog::Off || recorded.is_some()).then(|| {
            Record::new(&request, (asker.address, peer.address), id, arrived.into_std(), access, recorded)
        });
        let mut record = Recorded::new(record);
        let form = answer::form(request.headers());
        let is_to_head = request.method() == Method::HEAD;
        let reading = (!request.body().is_end_stream()).then(|| serving.body());
        let known =
            Known { id, arrived, asker, span: span.as_ref(), upstream: &mut upstream, record: record.get() };
        let forwarded = self.forward(&settings, request, peer, known, reading).await;
        if let Some(upstream) = &upstream {
            serving.min_rate(upstream.spec().limits.min_rate);
        }
        let (mut response, place) = match forwarded {
            Ok((response, place)) => (response, Some(place)),
            Err(refused) => {
                if refused.why() == Refusal::Malformed {
                    serving.distrust();
                }
                if let Some(upstream) = &upstream {
                    upstream.count(|counts| counts.refused(refused.why() as usize));
                }
                if let Some(record) = record.get() {
                    record.refusal = Some(refused.why().code());
                }
                (refused.response(id, form), None)
            }
        };
        response.headers_mut().insert(headers::X_REQUEST_ID, headers::request_id_value(id));
        let status = response.status().as_u16();
        if let Some(upstream) = &upstream {
            upstream.count(|counts| counts.response(status));
        }
        if let Some(record) = record.get() {
            record.status = status;
        }
        if is_to_head {
            *response.body_mut() = ResponseBody::empty();
        }
        response.body_mut().attach(Tail { id, _place: place, upstream, serving, record });
        response
    }

    async fn forward<B: RequestBody>(
        &self,
        settings: &ServerSettings,
        request: Request<B>,
        peer: &Peer,
        known: Known<'_>,
        reading: Option<Reading>,
    ) -> Result<(Response<ResponseBody>, Place), Refused> {
        let (parts, incoming) = request.into_parts();
        headers::check_limits(&parts, settings)?;
        if parts.method == Method::CONNECT {
            return Err(Refusal::MethodNotAllowed.into());
        }
        let target = headers::target(&parts)?;
        let host = host::host(&parts, peer.local)?;
        if let Some(reading) = &reading
            && headers::is_chunked(&parts.headers)?
        {
            reading.is_chunked();
        }
        let Known { id, arrived, asker, span, upstream: answering, mut record } = known;
        let forwarding = Forwarding::new(&parts.headers, &host, peer, asker, id, span);
        if let Some(record) = record.as_deref_mut().filter(|record| record.span.is_some()) {
            forwarding.origin().clone_into(&mut record.origin);
        }
        let upstream = self.site.borrow().upstream(host.name()).ok_or(Refusal::NoSuchHost)?;
        let spec = upstream.spec();
        *answering = Some(upstream.clone());
        if let Some(record) = &mut record {
            record.app = Some(spec.name.clone());
        }
        let max_body = spec.limits.max_body;
        headers::check_length(&parts.headers, max_body)?;
        if upstream.is_quarantined(parts.method.as_str(), target) {
            return Err(Refusal::Quarantined.into());
        }
        let client = ClientKey::from(asker.address);
        let held = peer.held.get(upstream.app, client, || upstream.held_by(client));
        let place = upstream.enter(&spec, held)?;
        let upload = reading.map(|reading| Upload::new(incoming, reading, max_body, upstream.clone()));
        let line = RequestLine {
            id,
            method: parts.method.as_str(),
            origin: forwarding.origin(),
            target,
            version: version(parts.version),
        };
        let buffers = peer.buffers(client);
        let outgoing = Outgoing {
            spec: &spec,
            line: &line,
            forwarding: &forwarding,
            fields: &parts.headers,
            buffers: &buffers,
        };
        match self.deliver(&upstream, &place, arrived, &outgoing, upload, record).await {
            Ok(response) => Ok((response, place)),
            Err(refused) => Err(refused.at(&spec, &parts)),
        }
    }

    /// Sends the request to a worker that takes it.
    async fn deliver<B: RequestBody>(
        &self,
        upstream: &Upstream,
        place: &Place,
        arrived: Instant,
        outgoing: &Outgoing<'_>,
        mut upload: Option<Upload<B>>,
        mut record: Option<&mut Record>,
    ) -> Result<Response<ResponseBody>, Refused> {
        let Outgoing { spec, line, .. } = *outgoing;
        let mut patience = spec.limits.queue_timeout;
        loop {
            let suspended = upstream.suspended(line.method, line.target);
            if let Some(kind) = &suspended {
                let since = Instant::now();
                upstream.stand_back(kind, spec, place, patience).await?;
                patience = patience.saturating_sub(since.elapsed());
                // Others of its kind may have ended workers meanwhile.
                if upstream.is_quarantined(line.method, line.target) {
                    return Err(Refusal::Quarantined.into());
                }
            }
            // Usually there is one, and a look at the clock less.
            let (handle, taken) = match upstream.now() {
                Some(found) if suspended.is_some() => (found?, Instant::now()),
                Some(found) => (found?, arrived),
                None => {
                    let since = Instant::now();
                    let handle = upstream.handle(spec, place, patience).await?;
                    let taken = Instant::now();
                    patience = patience.saturating_sub(taken - since);
                    // Others of its kind may have ended a worker while it waited.
                    if upstream.is_quarantined(line.method, line.target) {
                        return Err(Refusal::Quarantined.into());
                    }
                    if upstream.suspended(line.method, line.target).is_some() {
                        continue;
                    }
                    (handle, taken)
                }
            };
            if let Some(record) = &mut record {
                record.queue = Some(taken - arrived);
            }
            let generation = upstream.generation();
            let mut watch = GivenUp { upstream, generation, line, is_waiting: true };
            let sent = self.send(&handle, outgoing, &mut upload).await;
            watch.is_waiting = matches!(&sent, Err(Failed::GivenUp(_)));
            drop(watch);
            match sent {
                Ok(mut response) => {
                    response.body_mut().comes_from(generation, line);
                    upstream.answered(generation, response.status().as_u16());
                    suspended.iter().for_each(|kind| upstream.clear(kind));
                    let worker = taken.elapsed();
                    upstream.count(|counts| counts.answered(taken - arrived, worker));
                    if let Some(record) = record {
                        record.worker = Some(worker);
                    }
                    return response_limit::hold(response, upstream, spec, line.id);
                }
                // That worker has not begun with it, so the next one may have it; but not for ever.
                Err(Failed::Unreached) if arrived.elapsed() < spec.limits.request_timeout => {}
                Err(Failed::Unreached) => {
                    let why = "worker after worker ended before it had begun with the request";
                    return Err(Refused::because(Refusal::NoWorker, why));
                }
                Err(Failed::Died) => {
                    upstream.lost(generation, LostRequest::of(line));
                    let fate = upstream.fate(generation).await;
                    let limit =
                        fate.culprit.filter(|(culprit, _)| *culprit == line.id).map(|(_, limit)| limit);
                    return Err(Refused::because(
                        limit.map_or(Refusal::WorkerDied, Refusal::from_worker),
                        fate.why,
                    ));
                }
                Err(Failed::Fatal(refused)) => {
                    upstream.lost(generation, LostRequest::of(line));
                    return Err(refused);
                }
                Err(Failed::GivenUp(refused) | Failed::Refused(refused)) => return Err(refused),
            }
        }
    }

    async fn send<B: RequestBody>(
        &self,
        handle: &Handle,
        outgoing: &Outgoing<'_>,
        upload: &mut Option<Upload<B>>,
    ) -> Result<Response<ResponseBody>, Failed> {
        let Outgoing { spec, line, forwarding, fields, buffers } = *outgoing;
        let limit = spec.limits.request_timeout;
        let has_body = upload.is_some();
        let (sender, receiver) = forwarding
            .with(fields, |count, fields| {
                handle.open_for(Some(buffers.clone()), line, count, fields, !has_body)
            })
            .map_err(|error| Failed::from_open(&error))?;
        let progress = match upload.take() {
            Some(upload) => Some(upload.start(sender).await),
            None => None,
        };
        match head(&receiver, progress.as_ref(), limit).await {
            Ok(head) => respond(head, receiver, line.method == Method::HEAD.as_str()),
            Err(Failed::Unreached) => {
                if let Some(progress) = progress {
                    *upload = Some(progress.take_back().ok_or(Failed::Died)?);
                }
                Err(Failed::Unreached)
            }
            Err(refused) => Err(refused),
        }
    }
}

/// Notes a request whose client goes away, or stops waiting, while a worker has it.
struct GivenUp<'a> {
    upstream: &'a Upstream,
    generation: u64,
    line: &'a RequestLine<'a>,
    is_waiting: bool,
}

impl Drop for GivenUp<'_> {
    fn drop(&mut self) {
        if self.is_waiting {
            self.upstream.gave_up(self.generation, self.line);
        }
    }
}

/// What is known of a request from its first moment, and what others want to know of it.
struct Known<'a> {
    id: RequestId,
    arrived: Instant,
    /// Whom it is from.
    asker: Asker,
    /// Its span, whether that is recorded or not, where there are any.
    span: Option<&'a Span>,
    /// The app that answers, once that is found.
    upstream: &'a mut Option<Rc<Upstream>>,
    record: Option<&'a mut Record>,
}

/// A request as workers get it, but for its body.
struct Outgoing<'a> {
    spec: &'a AppSpec,
    line: &'a RequestLine<'a>,
    forwarding: &'a Forwarding<'a>,
    fields: &'a hyper::HeaderMap,
    /// What bodies of its client may hold.
    buffers: &'a Rc<Budget>,
}

/// Waits for the response head, up to `limit` after the request is complete; the client has as long between two parts of
/// its body.
async fn head<B: RequestBody>(
    receiver: &Receiver,
    progress: Option<&Progress<B>>,
    limit: Duration,
) -> Result<ResponseHead, Failed> {
    let mut deadline = Instant::now() + limit;
    loop {
        match timeout_at(deadline, poll_fn(|cx| receiver.poll_head(cx))).await {
            Ok(Ok(head)) => return Ok(head),
            Ok(Err(failure)) => {
                return Err(match progress.and_then(Progress::fault) {
                    Some(refusal) => Failed::GivenUp(refusal.into()),
                    None => Failed::from_failure(failure),
                });
            }
            Err(_) => {
                let moved = progress.and_then(Progress::moved).map(|moved| Instant::from_std(moved) + limit);
                deadline = match moved.filter(|later| *later > deadline) {
                    Some(later) => later,
                    None if progress.is_some_and(Progress::is_client_late) => {
                        return Err(Failed::GivenUp(Refusal::RequestTimedOut.into()));
                    }
                    None => {
                        return Err(Failed::GivenUp(Refused::because(Refusal::TimedOut, too_slow(limit))));
                    }
                };
            }
        }
    }
}

fn too_slow(limit: Duration) -> String {
    let limit = humantime::format_duration(limit);
    format!("the handler had not settled on a Response after {limit} (`request_timeout`)")
}

fn respond(
    head: ResponseHead,
    receiver: Receiver,
    is_to_head: bool,
) -> Result<Response<ResponseBody>, Failed> {
    let refused = |why: &str| {
        tracing::warn!(%why, "the worker's response is not valid HTTP");
        Failed::Refused(Refused::because(
            Refusal::NotAResponse,
            format!("the response is not valid HTTP: {why}"),
        ))
    };
    let mut response = headers::response(&head).map_err(|why| refused(&why))?;
    if has_no_body(response.status()) {
        // To HEAD, what a GET would be answered may be announced, but never with a status that has no content at all.
        if !is_to_head || response.status() == StatusCode::NO_CONTENT {
            response.headers_mut().remove(CONTENT_LENGTH);
        }
    } else if !is_to_head {
        let mut body = if head.end { ResponseBody::empty() } else { ResponseBody::from_worker(receiver) };
        if let Some(length) = headers::length(response.headers()) {
            if body.size_hint().exact().is_some_and(|exact| exact != length) {
                return Err(refused("content-length is not the length of the body"));
            }
            body.announce(length);
        }
        *response.body_mut() = body;
    }
    Ok(response)
}

/// Why one attempt at a worker gave no response.
enum Failed {
    /// The worker has not begun with it.
    Unreached,
    /// The worker ended.
    Died,
    /// It has brought the worker down, which says so itself; this is the answer.
    Fatal(Refused),
    /// This is the answer, though the worker may still be at work.
    GivenUp(Refused),
    /// This is the answer.
    Refused(Refused),
}

impl Failed {
    fn from_failure(failure: Failure) -> Self {
        match failure {
            Failure::Closed { reached: false } => Self::Unreached,
            Failure::Closed { reached: true } | Failure::Over => Self::Died,
            Failure::Worker(error) => {
                let refused = Refused::because(Refusal::from_worker(error.kind), error.message);
                if error.kind.is_fatal() { Self::Fatal(refused) } else { Self::Refused(refused) }
            }
        }
    }

    fn from_open(error: &nano_protocol::ProtocolError) -> Self {
        use nano_protocol::ProtocolError;
        match error {
            ProtocolError::Torn => Self::Unreached,
            ProtocolError::TooManyStreams | ProtocolError::Behind => {
                Self::Refused(Refusal::Overloaded.into())
            }
            _ => Self::Refused(Refusal::HeadersTooLarge.into()),
        }
    }
}

fn version(version: hyper::Version) -> HttpVersion {
    match version {
        hyper::Version::HTTP_2 => HttpVersion::Http2,
        hyper::Version::HTTP_11 => HttpVersion::Http11,
        _ => HttpVersion::Http10,
    }
}

fn has_no_body(status: StatusCode) -> bool {
    status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED
}
