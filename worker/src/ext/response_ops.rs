//! The ways a response leaves: text, bytes, nothing, a stream.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use deno_core::convert::ByteString;
use deno_core::{JsBuffer, OpState, Resource, ResourceId, op2};
use deno_error::JsErrorBox;
use nano_protocol::codec::HeaderBlock;
use nano_protocol::message::{StreamError, StreamErrorKind};

use super::body::RequestBody;
use super::in_flight::{InFlight, Request, in_flight};

/// Bytes read from a stream at once.
const READ: usize = 64 * 1024;

type HeaderList = Vec<(ByteString, ByteString)>;

/// Text under one `Content-Type` (none if empty): the commonest response.
#[op2(fast)]
pub fn op_respond_text(
    state: &OpState,
    #[smi] id: u32,
    #[smi] status: u16,
    #[string] content_type: &str,
    #[string] body: &str,
) {
    respond_typed(&in_flight(state), id, status, content_type, body.as_bytes());
}

/// Bytes under one `Content-Type` (none if empty).
#[op2(fast)]
pub fn op_respond_bytes(
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
    respond(in_flight, id, status, count, fields.into_iter(), Bytes::copy_from_slice(body));
}

/// No body.
#[op2]
pub fn op_respond(state: &OpState, #[smi] id: u32, #[smi] status: u16, #[scoped] headers: HeaderList) {
    let in_flight = in_flight(state);
    let Some(request) = in_flight.answer(id) else { return };
    send_head(&in_flight, &request, status, headers.len(), fields(&headers), true);
}

/// Text with headers of the app's own.
#[op2]
pub fn op_respond_text_with_headers(
    state: &OpState,
    #[smi] id: u32,
    #[smi] status: u16,
    #[scoped] headers: HeaderList,
    #[string] body: String,
) {
    respond_sized(&in_flight(state), id, status, &headers, body.into());
}

/// Bytes with headers of the app's own. deno_fetch has copied them out of whatever the app may still change, so they leave
/// from where they are.
#[op2]
pub fn op_respond_bytes_with_headers(
    state: &OpState,
    #[smi] id: u32,
    #[smi] status: u16,
    #[scoped] headers: HeaderList,
    #[buffer] body: JsBuffer,
) {
    respond_sized(&in_flight(state), id, status, &headers, Bytes::from_owner(body));
}

fn respond_sized(in_flight: &InFlight, id: u32, status: u16, headers: &HeaderList, body: Bytes) {
    let mut digits = itoa::Buffer::new();
    let (count, all) = with_length(headers, Some(digits.format(body.len())));
    respond(in_flight, id, status, count, all, body);
}

/// A length that is known is said, whatever the app said.
fn with_length<'a>(
    headers: &'a HeaderList,
    length: Option<&'a str>,
) -> (usize, impl Iterator<Item = (&'a [u8], &'a [u8])>) {
    let is_kept = move |name: &[u8]| length.is_none() || !name.eq_ignore_ascii_case(b"content-length");
    let length = length.map(|length| (&b"content-length"[..], length.as_bytes()));
    let others = headers.iter().filter(|(name, _)| is_kept(name)).count();
    let all = fields(headers).filter(move |(name, _)| is_kept(name)).chain(length);
    (others + usize::from(length.is_some()), all)
}

fn respond<'a>(
    in_flight: &InFlight,
    id: u32,
    status: u16,
    count: usize,
    fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    mut body: Bytes,
) {
    let Some(request) = in_flight.answer(id) else { return };
    let end = body.is_empty();
    if !send_head(in_flight, &request, status, count, fields, end) || end {
        return;
    }
    // What credit does not cover yet is polled, and then registers for credit, at the end of this tick.
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
        request.sender.fail(&StreamError { kind: StreamErrorKind::NotAResponse, message });
        return false;
    }
    true
}

fn fields(headers: &HeaderList) -> impl Iterator<Item = (&[u8], &[u8])> {
    headers.iter().map(|(name, value)| (&name[..], &value[..]))
}

/// A resource as body, chunk by chunk under the stream's credit. Resolves when the body is complete or nobody wants it
/// any more; rejects when the resource fails, and leaves the stream open for [`op_fail`].
#[op2]
pub async fn op_respond_stream(
    state: Rc<RefCell<OpState>>,
    #[smi] id: u32,
    #[smi] status: u16,
    #[scoped] headers: HeaderList,
    #[smi] rid: ResourceId,
) -> Result<(), JsErrorBox> {
    let (in_flight, resource) = {
        let mut state = state.borrow_mut();
        let resource = state.resource_table.take_any(rid).map_err(JsErrorBox::from_err)?;
        (in_flight(&state), resource)
    };
    let Some(request) = in_flight.find(id) else {
        resource.close();
        return Ok(());
    };
    let mut digits = itoa::Buffer::new();
    let (least, most) = resource.size_hint();
    let length = most.filter(|most| *most == least).map(|length| digits.format(length));
    let (count, fields) = with_length(&headers, length);
    let sent = if send_head(&in_flight, &request, status, count, fields, false) {
        send_stream(&request, &resource).await
    } else {
        Ok(())
    };
    resource.close();
    if sent.is_ok() {
        in_flight.answer(id);
    }
    sent
}

async fn send_stream(request: &Request, resource: &Rc<dyn Resource>) -> Result<(), JsErrorBox> {
    loop {
        let read = async {
            // A request body goes straight back out, without a copy.
            match (resource.clone() as Rc<dyn std::any::Any>).downcast::<RequestBody>() {
                Ok(body) => body.chunk(READ).await,
                Err(_) => resource.clone().read(READ).await.map(|view| Bytes::copy_from_slice(&view)),
            }
        };
        let mut read = std::pin::pin!(read);
        let chunk = poll_fn(|cx| {
            if request.receiver.poll_over(cx).is_ready() {
                return Poll::Ready(None);
            }
            read.as_mut().poll(cx).map(Some)
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

/// Gives up on a request. `kind` is the discriminant of a [`StreamErrorKind`].
#[op2(fast)]
pub fn op_fail(state: &OpState, #[smi] id: u32, #[smi] kind: u32, #[string] message: String) {
    let in_flight = in_flight(state);
    let Some(request) = in_flight.answer(id) else { return };
    in_flight.log_error(Some(&request), message.clone());
    let kind = match kind {
        0 => StreamErrorKind::HandlerFailed,
        1 => StreamErrorKind::NotAResponse,
        _ => StreamErrorKind::BodyFailed,
    };
    request.sender.fail(&StreamError { kind, message });
}
