//! Fetches from the bindings of the app: from other apps, and from its own static files. Each is a stream to the supervisor, which
//! knows what a binding stands for.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use deno_core::serde_json::{Value, json};
use deno_core::{AsyncResult, BufView, OpState, Resource};
use deno_error::{JsErrorBox, JsErrorClass as _};
use deno_fetch::{ReqBody, ResBody, ResourceToBodyAdapter};
use hyper::body::{Body, Frame, SizeHint};
use hyper::ext::ReasonPhrase;
use hyper::header::{CONTENT_LENGTH, HeaderName, HeaderValue, UPGRADE};
use hyper::{Request, Response};
use nano_protocol::codec::HeaderBlock;
use nano_protocol::limits::MAX_FETCHES;
use nano_protocol::message::{BindingKind, REASON, RequestId, StreamError, Thrown, UPGRADED};
use nano_protocol::{Fetch, Handle, Head, ProtocolError, Receiver, ResponseHead, Sender, StreamIo};

use super::coded_body::whole;
use super::failure::Failure;
use super::handshake::{Answer, Io, asks_for_socket};
use super::session_limits::SessionLimits;
use crate::requests::in_flight::InFlight;

/// The bindings of an app that it can fetch from.
#[derive(Debug)]
pub struct Bindings {
    /// Their names, and the method by which an app uses each, as it is written.
    names: Vec<(String, &'static str)>,
    /// Sends on the request connections, one per I/O thread of the supervisor, and whether fetches are accepted there. Empty until
    /// the app is loaded.
    connections: RefCell<Vec<(Handle, bool)>>,
    /// The connection for the next fetch that belongs to no request.
    next: Cell<usize>,
    /// Number of fetches that failed because too many others were open.
    refused: Cell<u64>,
    /// How often sessions had too much of something.
    pub sessions: SessionLimits,
}

/// What people call a call of a method of another app, in place of an HTTP method.
const CALL: &str = "call";

/// What is asked of a binding.
struct Asked<'a> {
    method: &'a str,
    origin: &'a str,
    target: &'a str,
    is_call: bool,
}

/// Why the body of a request could not be sent to its end, if it could not.
type Broken = Rc<RefCell<Option<JsErrorBox>>>;

impl Bindings {
    /// Puts the bindings into op state.
    pub fn install(state: &mut OpState, bindings: &[(String, BindingKind)]) -> Rc<Self> {
        let method = |kind: &BindingKind| match kind {
            BindingKind::RateLimit => ".limit",
            BindingKind::Bucket => "",
            _ => ".fetch",
        };
        let names = bindings.iter().map(|(name, kind)| (name.clone(), method(kind))).collect();
        let (connections, next, refused) = (RefCell::default(), Cell::new(0), Cell::new(0));
        let sessions = SessionLimits::default();
        let bindings = Rc::new(Self { names, connections, next, refused, sessions });
        state.put(bindings.clone());
        bindings
    }

    /// Returns what JavaScript is told of bindings, as JSON text: a list for each, of its name, its kind, and what else is known.
    pub fn described(bindings: &[(String, BindingKind)]) -> String {
        let described = |(name, kind): &(String, BindingKind)| match kind {
            BindingKind::Fetcher => json!([name, "fetcher"]),
            BindingKind::Bucket => json!([name, "bucket"]),
            BindingKind::RateLimit => json!([name, "rate limit"]),
            BindingKind::Dataset(dataset) => json!([name, "dataset", dataset]),
            BindingKind::Secret => json!([name, "secret"]),
            BindingKind::Hyperdrive => json!([name, "hyperdrive"]),
            BindingKind::Version(version) => json!([name, "version", version.id, version.timestamp]),
        };
        Value::from_iter(bindings.iter().map(described)).to_string()
    }

    /// Sets the connections, once the app is loaded.
    pub fn connect(&self, connections: Vec<Handle>) {
        *self.connections.borrow_mut() =
            connections.into_iter().map(|connection| (connection, false)).collect();
    }

    /// Notes that fetches are accepted on the connection with this number.
    pub fn accepted(&self, number: usize) {
        if let Some((_, is_accepted)) = self.connections.borrow_mut().get_mut(number) {
            *is_accepted = true;
        }
    }

    /// Returns whether the app has no such bindings.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Returns how many fetches failed since start because too many others were open.
    pub fn refused(&self) -> u64 {
        self.refused.get()
    }

    /// Sends a request to the binding with this number, in the course of the request with the id `of` in JavaScript; zero for
    /// none. The answer ends with what is returned.
    pub(super) fn send(
        &self,
        binding: u32,
        request: Request<ReqBody>,
        of: u32,
        in_flight: &InFlight,
    ) -> Result<impl Future<Output = Result<Answer, Failure>> + use<>, Failure> {
        let (mut parts, body) = request.into_parts();
        let origin = format!(
            "{}://{}",
            parts.uri.scheme_str().unwrap_or_default(),
            parts.uri.authority().map_or("", |authority| authority.as_str())
        );
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let asked = Asked { method: parts.method.as_str(), origin: &origin, target, is_call: false };
        let is_empty = body.is_end_stream();
        let asks_for_socket = is_empty && asks_for_socket(&parts.headers);
        if !asks_for_socket {
            // The stream carries a body.
            parts.headers.remove(UPGRADE);
        }
        let fields = parts.headers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
        let end = is_empty && !asks_for_socket;
        let (sender, receiver, name) =
            self.open(binding, &asked, (parts.headers.len(), fields), end, of, in_flight)?;
        let broken = Broken::default();
        let mut sender = Some(sender);
        if !is_empty && let Some(sender) = sender.take() {
            let mut upload = Box::pin(upload(body, sender, broken.clone()));
            // What is in memory leaves at once, as far as credit allows.
            let mut now = Context::from_waker(Waker::noop());
            if upload.as_mut().poll(&mut now).is_pending() {
                deno_core::unsync::spawn(upload);
            }
        }
        let what = format!("the response of env.{name}");
        Ok(async move {
            match poll_fn(|cx| receiver.poll_head(cx)).await {
                Ok(head) if head.status == UPGRADED && asks_for_socket => {
                    let response = response(&head, &what)?;
                    let io = sender.map(|sender| Box::new(StreamIo::new(sender, receiver)) as Io);
                    Ok((response, io))
                }
                Ok(head) => {
                    let mut response = response(&head, &what)?;
                    if !head.end {
                        *response.body_mut() = body_of(&response, receiver, what);
                    }
                    Ok((response, None))
                }
                Err(failure) => Err(match broken.take() {
                    Some(error) => Failure::invalid(format!("the request body broke off: {error}")),
                    None => failed(failure, &what),
                }),
            }
        })
    }

    /// Opens a stream for a call by the binding with this number. The other parameters are those of [`Self::send`]. Also returns the
    /// name of the binding.
    pub(crate) fn call(
        &self,
        binding: u32,
        target: &str,
        of: u32,
        in_flight: &InFlight,
    ) -> Result<(Sender, Receiver, &str), Failure> {
        let asked = Asked { method: CALL, origin: "http://call", target, is_call: true };
        self.open(binding, &asked, (0, std::iter::empty()), false, of, in_flight)
    }

    fn open<'a>(
        &self,
        binding: u32,
        asked: &Asked<'_>,
        (count, fields): (usize, impl Iterator<Item = (&'a [u8], &'a [u8])>),
        end: bool,
        of: u32,
        in_flight: &InFlight,
    ) -> Result<(Sender, Receiver, &str), Failure> {
        let Asked { method, origin, target, is_call } = *asked;
        let (name, method_of_app) =
            self.names.get(binding as usize).ok_or_else(|| Failure::invalid("there is no such binding"))?;
        let failed = |why: &str| {
            let what = if is_call { "" } else { method_of_app };
            Failure::invalid(format!("env.{name}{what}: {why}"))
        };
        let connection = self.connection(of, in_flight).ok_or_else(|| {
            failed("there is no answer before the worker takes requests: while the app loads, or in a health check")
        })?;
        let head = Fetch {
            binding: name,
            request: in_flight.name(of).unwrap_or(RequestId(0)),
            depth: in_flight.depth(of).saturating_add(1),
            method,
            origin,
            target,
            is_call,
        };
        let (sender, receiver) =
            connection.open(&Head::Fetch(head), count, fields, end).map_err(|error| match error {
                ProtocolError::TooManyStreams => {
                    self.refused.set(self.refused.get() + 1);
                    failed(&format!("{MAX_FETCHES} fetches from bindings are open already"))
                }
                error => failed(&error.to_string()),
            })?;
        Ok((sender, receiver, name))
    }

    /// Returns the connection over which the request has come, whose thread then has all of the work, or else any.
    fn connection(&self, of: u32, in_flight: &InFlight) -> Option<Handle> {
        let connections = self.connections.borrow();
        if let Some(request) = in_flight.find(of)
            && let Some((own, _)) =
                connections.iter().find(|(connection, _)| connection.carries(&request.sender))
            && !own.is_closed()
        {
            return Some(own.clone());
        }
        let open: Vec<_> = connections
            .iter()
            .filter(|(connection, is_accepted)| *is_accepted && !connection.is_closed())
            .collect();
        let next = self.next.get();
        self.next.set(next.wrapping_add(1));
        let (chosen, _) = open.get(next.checked_rem(open.len())?)?;
        Some(chosen.clone())
    }
}

/// Sends a body until its end, or until nobody wants more of it.
async fn upload(mut body: ReqBody, sender: Sender, broken: Broken) {
    loop {
        let frame = poll_fn(|cx| {
            if sender.poll_over(cx).is_ready() {
                return Poll::Ready(None);
            }
            // While there is no room, nothing is read.
            ready!(sender.poll_room(cx));
            Pin::new(&mut body).poll_frame(cx).map(Some)
        });
        match frame.await {
            None => return,
            Some(None) => {
                let _ = sender.end(&HeaderBlock::default());
                return;
            }
            Some(Some(Ok(frame))) => {
                let Ok(mut data) = frame.into_data() else { continue };
                if poll_fn(|cx| sender.poll_send(cx, &mut data, false)).await.is_err() {
                    return;
                }
            }
            Some(Some(Err(error))) => {
                *broken.borrow_mut() = Some(error);
                sender.cancel();
                return;
            }
        }
    }
}

/// Returns a response without its body.
fn response(head: &ResponseHead, what: &str) -> Result<Response<ResBody>, Failure> {
    let broken = |why: &str| Failure::invalid(format!("{what} is not valid HTTP: {why}"));
    let mut response = Response::new(whole(Bytes::new()));
    *response.status_mut() = hyper::StatusCode::from_u16(head.status).map_err(|_| broken("its status"))?;
    for field in head.headers.iter().map_err(|_| broken("its header"))? {
        let (name, value) = field.map_err(|_| broken("its header"))?;
        if name == REASON {
            let reason = ReasonPhrase::try_from(value).map_err(|_| broken("its status text"))?;
            response.extensions_mut().insert(reason);
            continue;
        }
        let name = HeaderName::from_bytes(name).map_err(|_| broken("its header"))?;
        let value = HeaderValue::from_bytes(value).map_err(|_| broken("its header"))?;
        response.headers_mut().append(name, value);
    }
    Ok(response)
}

/// Returns the body of a response.
fn body_of(response: &Response<ResBody>, receiver: Receiver, what: String) -> ResBody {
    let length = response.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let body = Rc::new(AnswerBody { receiver, rest: RefCell::default(), what });
    ResBody::new(OfLength { body: ResourceToBodyAdapter::new(body), left: length })
}

/// The body of an answer, as a resource.
#[derive(Debug)]
struct AnswerBody {
    receiver: Receiver,
    /// The rest of a chunk that was larger than the reader's buffer.
    rest: RefCell<Bytes>,
    what: String,
}

impl AnswerBody {
    async fn chunk(&self, limit: usize) -> Result<Bytes, JsErrorBox> {
        if self.rest.borrow().is_empty() {
            match poll_fn(|cx| self.receiver.poll_chunk(cx)).await {
                Some(Ok(chunk)) => *self.rest.borrow_mut() = chunk,
                Some(Err(nano_protocol::Failure::Peer(StreamError { thrown: Some(thrown), .. }))) => {
                    let error = Failure::remote(*thrown);
                    return Err(JsErrorBox::new(error.get_class(), error.to_string()));
                }
                Some(Err(_)) => {
                    return Err(JsErrorBox::type_error(format!("{} was cut off", self.what)));
                }
                None => {}
            }
        }
        let mut rest = self.rest.borrow_mut();
        let length = rest.len().min(limit);
        Ok(rest.split_to(length))
    }
}

impl Resource for AnswerBody {
    fn name(&self) -> Cow<'_, str> {
        "answerBody".into()
    }

    fn read(self: Rc<Self>, limit: usize) -> AsyncResult<BufView> {
        Box::pin(async move { Ok(self.chunk(limit).await?.into()) })
    }
}

/// A body whose length is known, if it is.
struct OfLength {
    body: ResourceToBodyAdapter,
    left: Option<u64>,
}

impl Body for OfLength {
    type Data = Bytes;
    type Error = JsErrorBox;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, JsErrorBox>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(left) = &mut self.left
        {
            *left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len) as u64);
        }
        polled
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// Returns the error of a fetch that got no answer.
pub(super) fn failed(failure: nano_protocol::Failure, what: &str) -> Failure {
    match failure {
        nano_protocol::Failure::Peer(StreamError { thrown: Some(thrown), .. }) => Failure::remote(*thrown),
        nano_protocol::Failure::Peer(StreamError { message, .. }) => {
            let (class, name) = ("Error".to_owned(), "Error".to_owned());
            Failure::remote(Thrown { class, name, message, value: Vec::new() })
        }
        nano_protocol::Failure::Closed { .. } | nano_protocol::Failure::Over => {
            Failure::invalid(format!("{what} did not come: the connection to the supervisor has ended"))
        }
    }
}
