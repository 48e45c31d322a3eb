//! The ways to send a response: text, bytes, no body, a stream.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use deno_core::convert::ByteString;
use deno_core::{JsBuffer, OpState, ResourceId, op2};
use deno_error::JsErrorBox;
use nano_protocol::codec::HeaderBlock;
use nano_protocol::message::{REASON, StreamError, StreamErrorKind, Thrown};

use super::outgoing::{HeaderList, Outgoing};
use crate::net::usual_text;
use crate::requests::in_flight::{InFlight, in_flight};
use crate::requests::request::Request;
use crate::requests::turns::turns;

/// Sends text with one `Content-Type` (none if empty): the most common response.
#[op2(fast)]
pub(crate) fn op_respond_text(
    state: &OpState,
    #[smi] id: u32,
    #[smi] status: u16,
    #[string] content_type: &str,
    #[string] body: &str,
) {
    respond_typed(&in_flight(state), id, status, content_type, body.as_bytes());
}

/// Sends bytes with one `Content-Type` (none if empty).
#[op2(fast)]
pub(crate) fn op_respond_bytes(
    state: &OpState,
    #[smi] id: u32,
    #[smi] status: u16,
    #[string] content_type: &str,
    #[buffer] body: &[u8],
) {
    respond_typed(&in_flight(state), id, status, content_type, body);
}

fn respond_typed(in_flight: &InFlight, id: u32, status: u16, content_type: &str, body: &[u8]) {
    let mut digits = itoa::Buffer::new();
    let fields = [
        (&b"content-length"[..], digits.format(body.len()).as_bytes()),
        (&b"content-type"[..], content_type.as_bytes()),
    ];
    let count = if content_type.is_empty() { 1 } else { 2 };
    let Some(request) = in_flight.answer(id) else { return };
    respond(in_flight, request, status, count, fields.into_iter(), Bytes::copy_from_slice(body));
}

/// Sends a response without a body. `reason` is the reason phrase; it may be empty, and is not sent if it is the standard one.
#[op2]
pub(crate) fn op_respond(
    state: &OpState,
    #[smi] id: u32,
    #[smi] status: u16,
    #[scoped] reason: ByteString,
    #[scoped] headers: HeaderList,
) {
    let in_flight = in_flight(state);
    let Some(request) = in_flight.answer(id) else { return };
    let head = Head::new(&request, status, &reason, &headers, None);
    send_head(&in_flight, &request, status, head.count, head.fields(), true);
}

/// Sends text with the app's own header fields.
#[op2]
pub(crate) fn op_respond_text_with_headers(
    state: &OpState,
    #[smi] id: u32,
    #[smi] status: u16,
    #[scoped] reason: ByteString,
    #[scoped] headers: HeaderList,
    #[string] body: String,
) {
    respond_sized(&in_flight(state), id, status, &reason, &headers, body.into());
}

/// Sends bytes with the app's own header fields. They are not copied: deno_fetch has already copied them out of memory that the
/// app may still change.
#[op2]
pub(crate) fn op_respond_bytes_with_headers(
    state: &OpState,
    #[smi] id: u32,
    #[smi] status: u16,
    #[scoped] reason: ByteString,
    #[scoped] headers: HeaderList,
    #[buffer] body: JsBuffer,
) {
    respond_sized(&in_flight(state), id, status, &reason, &headers, Bytes::from_owner(body));
}

fn respond_sized(
    in_flight: &InFlight,
    id: u32,
    status: u16,
    reason: &[u8],
    headers: &HeaderList,
    body: Bytes,
) {
    let Some(request) = in_flight.answer(id) else { return };
    let mut digits = itoa::Buffer::new();
    let head = Head::new(&request, status, reason, headers, Some(digits.format(body.len())));
    respond(in_flight, request, status, head.count, head.fields(), body);
}

/// The header fields of a response.
struct Head<'a> {
    count: usize,
    reason: Option<&'a [u8]>,
    headers: &'a HeaderList,
    keeps_length: bool,
    length: Option<&'a str>,
}

impl<'a> Head<'a> {
    /// Builds the header. `Content-Length` is set if and only if the length is known, whatever the app has set. For a HEAD
    /// request, the header fields of the app decide: nothing else tells the length of the body that a GET would get.
    fn new(
        request: &Request,
        status: u16,
        reason: &'a [u8],
        headers: &'a HeaderList,
        length: Option<&'a str>,
    ) -> Self {
        let said = headers.iter().filter(|(name, _)| is_length(name)).count();
        let is_framed = said > 0 || headers.iter().any(|(name, _)| is(name, b"transfer-encoding"));
        // An empty body in an app's response to HEAD does not tell the length of the GET response either.
        let is_in_doubt = is_framed || length == Some("0");
        let keeps_length = is_in_doubt && request.head.line().is_ok_and(|line| line.method == "HEAD");
        let length = length.filter(|_| !keeps_length);
        let reason = Some(reason).filter(|reason| {
            !reason.is_empty() && usual_text(status).is_none_or(|usual| usual.as_bytes() != *reason)
        });
        let others = headers.len() - if keeps_length { 0 } else { said };
        let count = others + usize::from(reason.is_some()) + usize::from(length.is_some());
        Self { count, reason, headers, keeps_length, length }
    }

    fn fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let keeps_length = self.keeps_length;
        let reason = self.reason.map(|reason| (REASON, reason));
        let length = self.length.map(|length| (&b"content-length"[..], length.as_bytes()));
        let own = self.headers.iter().map(|(name, value)| (&name[..], &value[..]));
        let own = own.filter(move |(name, _)| keeps_length || !is_length(name));
        reason.into_iter().chain(own).chain(length)
    }
}

fn is(name: &[u8], expected: &[u8]) -> bool {
    name.eq_ignore_ascii_case(expected)
}

fn is_length(name: &[u8]) -> bool {
    is(name, b"content-length")
}

pub(super) fn respond<'a>(
    in_flight: &InFlight,
    request: Rc<Request>,
    status: u16,
    count: usize,
    fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    mut body: Bytes,
) {
    let end = body.is_empty();
    if !send_head(in_flight, &request, status, count, fields, end) || end {
        return;
    }
    // If credit does not cover the whole body, the rest is polled at the end of this tick, and then registers for credit.
    let mut now = Context::from_waker(Waker::noop());
    if request.sender.poll_send(&mut now, &mut body, true).is_pending() {
        in_flight.send_later(request, body);
    }
}

fn send_head<'a>(
    in_flight: &InFlight,
    request: &Request,
    status: u16,
    count: usize,
    fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    end: bool,
) -> bool {
    if request.sender.is_over() {
        return false;
    }
    if request.sender.respond(status, count, fields, end).is_err() {
        let message = "Uncaught RangeError: the headers of the returned Response are too large".to_owned();
        in_flight.log_error(Some(request), message.clone());
        request.sender.fail(&StreamError::new(StreamErrorKind::NotAResponse, message));
        return false;
    }
    true
}

/// Sends a resource as the body, chunk by chunk as credit allows. Resolves when the body is complete or the client has gone;
/// rejects when the resource fails, and then leaves the stream open for [`op_fail_body`]. `is_automatic` means that the body is
/// encoded as the header fields say.
#[op2]
pub(crate) async fn op_respond_stream(
    state: Rc<RefCell<OpState>>,
    #[smi] id: u32,
    #[smi] status: u16,
    #[scoped] reason: ByteString,
    #[scoped] headers: HeaderList,
    #[smi] rid: ResourceId,
    is_automatic: bool,
) -> Result<(), JsErrorBox> {
    let (in_flight, turns, resource) = {
        let mut state = state.borrow_mut();
        let resource = state.resource_table.take_any(rid).map_err(JsErrorBox::from_err)?;
        (in_flight(&state), turns(&state), resource)
    };
    let body = Outgoing::new(resource, &headers, is_automatic, (turns, id));
    respond_outgoing(&in_flight, id, status, &reason, &headers, body).await
}

/// Sends bytes, encoded as the header fields say.
#[op2]
pub(crate) async fn op_respond_encoded(
    state: Rc<RefCell<OpState>>,
    #[smi] id: u32,
    #[smi] status: u16,
    #[scoped] reason: ByteString,
    #[scoped] headers: HeaderList,
    #[buffer] body: JsBuffer,
) -> Result<(), JsErrorBox> {
    let (in_flight, turns) = {
        let state = state.borrow();
        (in_flight(&state), turns(&state))
    };
    let body = Outgoing::whole(Bytes::from_owner(body), &headers, true, (turns, id));
    respond_outgoing(&in_flight, id, status, &reason, &headers, body).await
}

async fn respond_outgoing(
    in_flight: &InFlight,
    id: u32,
    status: u16,
    reason: &[u8],
    headers: &HeaderList,
    mut body: Outgoing,
) -> Result<(), JsErrorBox> {
    let Some(request) = in_flight.find(id) else {
        body.close();
        in_flight.answer(id);
        return Ok(());
    };
    let mut digits = itoa::Buffer::new();
    let length = body.length().map(|length| digits.format(length));
    let head = Head::new(&request, status, reason, headers, length);
    let sent = if send_head(in_flight, &request, status, head.count, head.fields(), false) {
        send_stream(&request, &mut body).await
    } else {
        Ok(())
    };
    body.close();
    if sent.is_ok() {
        in_flight.answer(id);
    }
    sent
}

async fn send_stream(request: &Request, body: &mut Outgoing) -> Result<(), JsErrorBox> {
    loop {
        let mut next = std::pin::pin!(body.next());
        let chunk = poll_fn(|cx| {
            if request.receiver.poll_over(cx).is_ready() {
                return Poll::Ready(None);
            }
            next.as_mut().poll(cx).map(Some)
        })
        .await;
        let Some(mut chunk) = chunk.transpose()? else { return Ok(()) };
        if chunk.is_empty() {
            let _ = request.sender.end(&HeaderBlock::default());
            return Ok(());
        }
        if poll_fn(|cx| request.sender.poll_send(cx, &mut chunk, false)).await.is_err() {
            return Ok(());
        }
    }
}

/// Fails a request because its handler threw or rejected. `report` is for the log; class, name and message of the error are for the
/// app that has made the request, if an app has.
#[op2(fast)]
pub(crate) fn op_fail_handler(
    state: &OpState,
    #[smi] id: u32,
    #[string] report: String,
    #[string] class: String,
    #[string] name: String,
    #[string] message: String,
) {
    fail(
        state,
        id,
        StreamErrorKind::HandlerFailed,
        report,
        Thrown { class, name, message, value: Vec::new() },
    );
}

/// Fails a call because what it calls threw or rejected. `value` is what was thrown as a whole, or empty. The other parameters are
/// those of [`op_fail_handler`].
#[op2(fast)]
pub(crate) fn op_fail_call(
    state: &OpState,
    #[smi] id: u32,
    #[string] report: String,
    #[string] class: String,
    #[string] name: String,
    #[string] message: String,
    #[buffer] value: &[u8],
) {
    let thrown = Thrown { class, name, message, value: value.to_vec() };
    fail(state, id, StreamErrorKind::HandlerFailed, report, thrown);
}

/// Fails a request because its handler returned something that is not a usable `Response`.
#[op2(fast)]
pub(crate) fn op_fail_response(state: &OpState, #[smi] id: u32, #[string] why: String) {
    let report = format!("Uncaught TypeError: {why}");
    let (class, name) = ("TypeError".to_owned(), "TypeError".to_owned());
    fail(
        state,
        id,
        StreamErrorKind::NotAResponse,
        report,
        Thrown { class, name, message: why, value: Vec::new() },
    );
}

/// Fails a request because the stream of its response body failed. The other parameters are those of [`op_fail_handler`].
#[op2(fast)]
pub(crate) fn op_fail_body(
    state: &OpState,
    #[smi] id: u32,
    #[string] report: String,
    #[string] class: String,
    #[string] name: String,
    #[string] message: String,
) {
    fail(state, id, StreamErrorKind::BodyFailed, report, Thrown { class, name, message, value: Vec::new() });
}

fn fail(state: &OpState, id: u32, kind: StreamErrorKind, report: String, thrown: Thrown) {
    let in_flight = in_flight(state);
    if in_flight.is_torn() {
        return;
    }
    let Some(request) = in_flight.answer(id) else { return };
    in_flight.log_error(Some(&request), report.clone());
    request.sender.fail(&StreamError { kind, message: report, thrown: Some(thrown.into()) });
}
