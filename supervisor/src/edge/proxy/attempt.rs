//! One attempt to have a request answered by a worker, up to the head of the response.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Body as _;
use hyper::header::CONTENT_LENGTH;
use hyper::{Method, Response, StatusCode};
use nano_protocol::message::{RequestLine, UPGRADED};
use nano_protocol::{Budget, Event, Failure, Handle, Head, Receiver, ResponseHead, Sender};
use tokio::time::{Instant, timeout_at};

use super::body::ResponseBody;
use super::forwarding::Forwarding;
use super::handshake::Handshake;
use super::headers::{self, InvalidResponse};
use super::opened::{OpenedSocket, Terms};
use super::upload::{Progress, RequestBody, Upload};
use crate::config::{AppLimits, AppSpec};
use crate::edge::refused::Refused;
use crate::edge::upstream::inflating::InflatePlaces;
use crate::edge::upstream::sockets::SocketPlace;
use crate::model::refusal::Refusal;

/// A request as it is sent to workers, without its body.
pub(crate) struct Outgoing<'a> {
    pub spec: &'a AppSpec,
    pub line: &'a RequestLine<'a>,
    /// Set if a scheduled run is asked for: the cron expression, and the time in milliseconds since 1970.
    pub scheduled: Option<&'a (String, i64)>,
    pub forwarding: &'a Forwarding<'a>,
    pub fields: &'a hyper::HeaderMap,
    /// Set if it asks for a WebSocket.
    pub upgrade: Option<&'a Upgrade>,
    /// Limits the bytes of its client's bodies that are buffered.
    pub buffers: &'a Rc<Budget>,
}

/// What there is for the WebSocket that a request asks for.
pub(crate) struct Upgrade {
    /// That of its client. None if an app has made the request.
    pub handshake: Option<Handshake>,
    pub budget: Arc<Budget>,
    /// The places for its client's compressed messages.
    pub inflating: InflatePlaces,
    /// Its place. It is kept by the WebSocket if the app accepts.
    pub place: Cell<Option<SocketPlace>>,
}

/// Why an attempt has given no response.
pub(super) enum AttemptError {
    /// The worker has not begun with the request.
    Unreached,
    /// The worker ended.
    Died,
    /// The request has ended the worker, which has reported that. Contains the response.
    Fatal(Refused),
    /// The request was given up, while the worker may still be processing it. Contains the response.
    GivenUp(Refused),
    /// The request failed in any other way. Contains the response.
    Refused(Refused),
}

impl Outgoing<'_> {
    /// Sends the request with its body, and waits for the head of the response. If the worker has not begun with the request, the
    /// body is put back into `upload`.
    pub(super) async fn send<B: RequestBody>(
        &self,
        handle: &Handle,
        upload: &mut Option<Upload<B>>,
    ) -> Result<Response<ResponseBody>, AttemptError> {
        let Outgoing { spec, line, scheduled, forwarding, fields, upgrade, buffers } = *self;
        let limit = match scheduled {
            None => spec.limits.request_timeout,
            Some(_) => spec.limits.scheduled_timeout,
        };
        let has_body = upload.is_some();
        let (sender, receiver) = forwarding
            .with(fields, |count, fields| {
                let head = match scheduled {
                    None => Head::Request(*line),
                    Some((cron, time)) => Head::Event(Event::Scheduled { id: line.id, cron, time: *time }),
                };
                match upgrade {
                    None => handle.open_for(Some(buffers.clone()), &head, count, fields, !has_body),
                    Some(upgrade) => handle.open_lasting(upgrade.budget.clone(), &head, count, fields),
                }
            })
            .map_err(|error| AttemptError::from_open(&error))?;
        let (progress, upgrade) = match upload.take() {
            Some(upload) => (Some(upload.start(sender).await), None),
            None => (None, upgrade.map(|upgrade| (upgrade, sender))),
        };
        // Another app sends on for as long as its call lasts. What it has called has the time, not its client.
        let is_call = line.entrypoint.is_some_and(|entrypoint| entrypoint.is_call);
        match head(&receiver, progress.as_ref(), limit, is_call).await {
            Ok(head) => match upgrade {
                Some((upgrade, sender)) if head.status == UPGRADED => {
                    upgrade.open(&head, sender, receiver, &spec.limits)
                }
                _ => respond(head, receiver, line.method == Method::HEAD.as_str()),
            },
            Err(AttemptError::Unreached) => {
                if let Some(progress) = progress {
                    *upload = Some(progress.take_back().ok_or(AttemptError::Died)?);
                }
                Err(AttemptError::Unreached)
            }
            Err(refused) => Err(refused),
        }
    }
}

/// Waits for the response head for up to `limit` after the request is complete. Between two parts of its body, the client may
/// also take up to `limit`; it is never late with a call.
async fn head<B: RequestBody>(
    receiver: &Receiver,
    progress: Option<&Progress<B>>,
    limit: Duration,
    is_call: bool,
) -> Result<ResponseHead, AttemptError> {
    let mut deadline = Instant::now() + limit;
    loop {
        match timeout_at(deadline, poll_fn(|cx| receiver.poll_head(cx))).await {
            Ok(Ok(head)) => return Ok(head),
            Ok(Err(failure)) => {
                return Err(match progress.and_then(Progress::fault) {
                    Some(refusal) => AttemptError::GivenUp(refusal.into()),
                    None => AttemptError::from_failure(failure),
                });
            }
            Err(_) => {
                let moved = progress.and_then(Progress::moved).map(|moved| Instant::from_std(moved) + limit);
                deadline = match moved.filter(|later| *later > deadline) {
                    Some(later) => later,
                    None if !is_call && progress.is_some_and(Progress::is_client_late) => {
                        return Err(AttemptError::GivenUp(Refusal::RequestTimedOut.into()));
                    }
                    None => {
                        return Err(AttemptError::GivenUp(Refused::because(
                            Refusal::TimedOut,
                            too_slow(limit),
                        )));
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

fn refused(why: InvalidResponse) -> AttemptError {
    tracing::warn!(%why, "the worker's response is not valid HTTP");
    AttemptError::Refused(Refused::because(
        Refusal::NotAResponse,
        format!("the response is not valid HTTP: {why}"),
    ))
}

impl Upgrade {
    /// Makes the answer of an app that accepts.
    fn open(
        &self,
        head: &ResponseHead,
        sender: Sender,
        receiver: Receiver,
        limits: &AppLimits,
    ) -> Result<Response<ResponseBody>, AttemptError> {
        let mut response = headers::switching(head).map_err(refused)?;
        let place = self.place.take().ok_or(AttemptError::Refused(Refusal::TooManyWebSockets.into()))?;
        let handshake = self.handshake;
        match handshake {
            Some(handshake) => handshake.answer(&mut response),
            None => _ = response.headers_mut().remove(CONTENT_LENGTH),
        }
        let compression = handshake.and_then(|handshake| handshake.compression);
        let terms = Terms {
            worker: None,
            _place: place,
            max_message: limits.max_websocket_message,
            compression: compression.map(|agreed| (agreed, self.inflating.clone())),
            // Of a worker, it is known when it ends.
            ping: limits.websocket_ping.filter(|_| handshake.is_some()),
            timeout: limits.websocket_timeout.filter(|_| handshake.is_some()),
        };
        response.body_mut().socket = Some(Box::new(OpenedSocket { sender, receiver, terms }));
        Ok(response)
    }
}

fn respond(
    head: ResponseHead,
    receiver: Receiver,
    is_to_head: bool,
) -> Result<Response<ResponseBody>, AttemptError> {
    let mut response = headers::response(&head).map_err(refused)?;
    if has_no_body(response.status()) {
        // A response to HEAD may announce the length that GET would have, but never with a status that has no
        // content.
        if !is_to_head || response.status() == StatusCode::NO_CONTENT {
            response.headers_mut().remove(CONTENT_LENGTH);
        }
    } else if !is_to_head {
        let mut body = if head.end { ResponseBody::empty() } else { ResponseBody::from_worker(receiver) };
        if let Some(length) = headers::length(response.headers()) {
            if body.size_hint().exact().is_some_and(|exact| exact != length) {
                return Err(refused(InvalidResponse::OtherLength));
            }
            body.announce(length);
        }
        *response.body_mut() = body;
    }
    Ok(response)
}

impl AttemptError {
    fn from_failure(failure: Failure) -> Self {
        match failure {
            Failure::Closed { reached: false } => Self::Unreached,
            Failure::Closed { reached: true } | Failure::Over => Self::Died,
            Failure::Peer(error) => {
                let mut refused = Refused::because(Refusal::from_worker(error.kind), error.message);
                refused.thrown = error.thrown;
                if error.kind.is_fatal() { Self::Fatal(refused) } else { Self::Refused(refused) }
            }
        }
    }

    fn from_open(error: &nano_protocol::ProtocolError) -> Self {
        use nano_protocol::ProtocolError;
        match error {
            ProtocolError::Disconnected => Self::Unreached,
            ProtocolError::TooManyStreams | ProtocolError::Behind => {
                Self::Refused(Refusal::Overloaded.into())
            }
            _ => Self::Refused(Refusal::HeadersTooLarge.into()),
        }
    }
}

fn has_no_body(status: StatusCode) -> bool {
    status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED
}
