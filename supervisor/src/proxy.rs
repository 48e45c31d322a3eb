//! The way of one request: checks, resolves the app, forwards, and maps every failure to one status.
//!
//! - [`site`]: which app answers, by port and host.
//! - [`headers`]: what of a head crosses: hop-by-hop fields, forwarding fields, limits.
//! - [`body`]: bodies in both directions.
//! - [`answer`]: the one table from failures to statuses.

pub mod answer;
pub mod body;
pub mod headers;
pub mod site;

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use hyper::body::{Body as _, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use nano_protocol::message::{RequestId, RequestLine};
use nano_protocol::{Failure, Handle, Receiver, ResponseHead};
use tokio::time::timeout;

use crate::client::Serving;
use crate::config::{ForwardedPolicy, ServerSettings};
use crate::log::access::Record;
use crate::upstream::{Place, Upstream};
use answer::Refusal;
use body::{Pump, ResponseBody, Tail, UploadFault};
use headers::Forwarding;
use site::Site;

/// Forwards the requests of one listening port on one I/O thread.
#[derive(Debug)]
pub struct Proxy {
    /// Who answers on this port.
    pub site: Site,
    /// Limits and policies.
    pub settings: Arc<ServerSettings>,
}

/// What is known of a request before it is forwarded.
struct Context {
    id: RequestId,
    client: SocketAddr,
    local: SocketAddr,
}

impl Proxy {
    /// Answers one request. Never fails: every failure is an answer, or the end of the body.
    pub async fn answer(
        &self,
        request: Request<Incoming>,
        client: SocketAddr,
        local: SocketAddr,
        serving: Serving,
    ) -> Response<ResponseBody> {
        let id = match self.settings.forwarded {
            ForwardedPolicy::Append => headers::request_id(request.headers()),
            ForwardedPolicy::Replace => None,
        };
        let id = id.unwrap_or_else(|| RequestId(fastrand::u128(..)));
        let context = Context { id, client, local };
        let mut record = self.settings.log.access_log.then(|| Box::new(Record::new(&request, client, id)));
        let wants_json = answer::wants_json(request.headers());
        let is_head = request.method() == Method::HEAD;
        let (mut response, place) = match self.forward(request, &context, record.as_deref_mut()).await {
            Ok((response, place)) => (response, Some(place)),
            Err(refusal) => (refusal.response(id, wants_json), None),
        };
        response.headers_mut().insert(headers::X_REQUEST_ID, headers::request_id_value(id));
        if let Some(record) = &mut record {
            record.status = response.status().as_u16();
        }
        if is_head || has_no_body(response.status()) {
            *response.body_mut() = ResponseBody::empty();
        }
        response.body_mut().attach(Tail { _place: place, _serving: serving, record });
        response
    }

    async fn forward(
        &self,
        request: Request<Incoming>,
        context: &Context,
        record: Option<&mut Record>,
    ) -> Result<(Response<ResponseBody>, Place), Refusal> {
        headers::check_limits(&request, &self.settings)?;
        if request.method() == Method::CONNECT {
            return Err(Refusal::MethodNotAllowed);
        }
        let host = headers::host(&request, context.local)?;
        let upstream = self.site.upstream(host.name()).ok_or(Refusal::NoSuchHost)?;
        if let Some(record) = record {
            record.app = Some(upstream.spec.name.clone());
        }
        headers::check_length(request.headers(), upstream.spec.limits.max_body)?;
        let place = upstream.enter()?;
        let forwarding =
            Forwarding::new(&request, &host, context.client.ip(), self.settings.forwarded, context.id);
        let (parts, incoming) = request.into_parts();
        let has_body = !incoming.is_end_stream();
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let line = RequestLine {
            id: context.id,
            method: parts.method.as_str(),
            origin: forwarding.origin(),
            target: if target == "*" { "/*" } else { target },
        };
        let exchange = async {
            let mut incoming = Some(incoming);
            loop {
                let handle = upstream.handle().await?;
                match self.send(&handle, &upstream, &line, &forwarding, &parts.headers, &mut incoming).await {
                    // Not a byte of it reached that worker, so the next one may have it.
                    Err(Failed::Unreached) if !has_body => {}
                    Err(Failed::Unreached) => return Err(Refusal::WorkerDied),
                    Err(Failed::Refused(refusal)) => return Err(refusal),
                    Ok(response) => return Ok(response),
                }
            }
        };
        exchange.await.map(|response| (response, place))
    }

    async fn send(
        &self,
        handle: &Handle,
        upstream: &Rc<Upstream>,
        line: &RequestLine<'_>,
        forwarding: &Forwarding,
        fields: &hyper::HeaderMap,
        incoming: &mut Option<Incoming>,
    ) -> Result<Response<ResponseBody>, Failed> {
        let limits = &upstream.spec.limits;
        let has_body = incoming.as_ref().is_some_and(|incoming| !incoming.is_end_stream());
        let (sender, receiver) = forwarding
            .with(fields, |count, fields| handle.open(line, count, fields, !has_body))
            .map_err(|error| Failed::from_open(&error))?;
        let fault = UploadFault::default();
        if let Some(incoming) = incoming.take().filter(|_| has_body) {
            Pump::new(incoming, sender, limits.max_body, fault.clone()).start().await;
        }
        let head = timeout(limits.request_timeout, poll_fn(|cx| receiver.poll_head(cx))).await;
        let head = match head {
            Err(_) => return Err(Failed::Refused(Refusal::TimedOut)),
            Ok(Ok(head)) => head,
            Ok(Err(failure)) => {
                if let Some(refusal) = fault.get() {
                    return Err(Failed::Refused(refusal));
                }
                return Err(Failed::from_failure(&failure));
            }
        };
        respond(head, receiver)
    }
}

fn respond(head: ResponseHead, receiver: Receiver) -> Result<Response<ResponseBody>, Failed> {
    let mut response = headers::response(&head).map_err(|why| {
        tracing::warn!(%why, "the worker's response head is not valid HTTP");
        Failed::Refused(Refusal::NotAResponse)
    })?;
    *response.body_mut() = if head.end {
        ResponseBody::empty()
    } else {
        ResponseBody::from_worker(receiver, response.headers())
    };
    Ok(response)
}

/// Why one attempt at a worker gave no response.
enum Failed {
    /// No byte reached the worker.
    Unreached,
    /// This is the answer.
    Refused(Refusal),
}

impl Failed {
    fn from_failure(failure: &Failure) -> Self {
        match failure {
            Failure::Closed { reached: false } => Self::Unreached,
            Failure::Closed { reached: true } | Failure::Over => Self::Refused(Refusal::WorkerDied),
            Failure::Worker(error) => Self::Refused(Refusal::from_worker(error.kind)),
        }
    }

    fn from_open(error: &nano_protocol::ProtocolError) -> Self {
        use nano_protocol::ProtocolError;
        match error {
            ProtocolError::Torn => Self::Unreached,
            ProtocolError::TooManyStreams => Self::Refused(Refusal::Overloaded),
            _ => Self::Refused(Refusal::HeadersTooLarge),
        }
    }
}

fn has_no_body(status: StatusCode) -> bool {
    status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED
}

/// Polls a future once.
pub(crate) async fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
