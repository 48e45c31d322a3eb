//! Request bodies: returned whole if all bytes have arrived, otherwise a resource behind a `ReadableStream`.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;

use bytes::Bytes;
use deno_core::{AsyncResult, BufMutView, BufView, OpState, Resource, ResourceId, ToJsBuffer, op2};
use deno_error::JsErrorBox;

use super::in_flight::in_flight;
use super::request::Request;

/// A request body that JavaScript reads, or that is sent out again without passing through JavaScript.
#[derive(Debug)]
pub(crate) struct RequestBody {
    request: Rc<Request>,
    /// The rest of a chunk that was larger than the reader's buffer.
    rest: RefCell<Bytes>,
    /// Number of bytes still to be read, if known.
    left: Cell<Option<u64>>,
    closed: Cell<bool>,
}

impl RequestBody {
    fn new(request: Rc<Request>) -> Self {
        let left = Cell::new(request.body_length());
        Self { request, rest: RefCell::default(), left, closed: Cell::new(false) }
    }

    /// Returns the next bytes, at most `limit` of them; empty at the end of the body.
    pub(crate) async fn chunk(&self, limit: usize) -> Result<Bytes, JsErrorBox> {
        if self.rest.borrow().is_empty() {
            let next = poll_fn(|cx| self.request.receiver.poll_chunk(cx)).await;
            match next {
                Some(Ok(chunk)) => *self.rest.borrow_mut() = chunk,
                Some(Err(_)) => {
                    return Err(JsErrorBox::type_error("the request body was cut off: the client went away"));
                }
                None => {}
            }
        }
        if self.closed.get() {
            return Ok(Bytes::new());
        }
        let mut rest = self.rest.borrow_mut();
        let length = rest.len().min(limit);
        self.left.set(self.left.get().map(|left| left.saturating_sub(length as u64)));
        Ok(rest.split_to(length))
    }
}

impl Resource for RequestBody {
    fn name(&self) -> Cow<'_, str> {
        "requestBody".into()
    }

    fn read(self: Rc<Self>, limit: usize) -> AsyncResult<BufView> {
        Box::pin(async move { Ok(self.chunk(limit).await?.into()) })
    }

    fn read_byob(self: Rc<Self>, mut buffer: BufMutView) -> AsyncResult<(usize, BufMutView)> {
        Box::pin(async move {
            let chunk = self.chunk(buffer.len()).await?;
            buffer[..chunk.len()].copy_from_slice(&chunk);
            Ok((chunk.len(), buffer))
        })
    }

    fn size_hint(&self) -> (u64, Option<u64>) {
        (self.left.get().unwrap_or(0), self.left.get())
    }

    fn close(self: Rc<Self>) {
        self.closed.set(true);
    }
}

/// Returns whether the request has a body. `is_get` is true for GET and HEAD; JavaScript passes it because it remembers the
/// method for longer than the request exists.
#[op2(fast)]
pub(crate) fn op_request_has_body(state: &OpState, #[smi] id: u32, is_get: bool) -> Result<bool, JsErrorBox> {
    match in_flight(state).find(id) {
        Some(request) => request.has_body(is_get),
        None => Ok(!is_get),
    }
}

/// Opens the body as a resource.
#[op2(fast)]
#[smi]
pub(crate) fn op_request_body(state: &mut OpState, #[smi] id: u32) -> Result<ResourceId, JsErrorBox> {
    let request = in_flight(state).get(id)?;
    Ok(state.resource_table.add(RequestBody::new(request)))
}

/// Returns the whole body, if all of it has arrived and the request has not been answered.
#[op2]
#[serde]
pub(crate) fn op_request_body_take(state: &OpState, #[smi] id: u32) -> Option<ToJsBuffer> {
    take(&*in_flight(state).find(id)?).map(Into::into)
}

/// Returns the whole body as text, under the same conditions as [`op_request_body_take`].
#[op2]
#[string]
pub(crate) fn op_request_body_take_text(state: &OpState, #[smi] id: u32) -> Option<String> {
    take(&*in_flight(state).find(id)?).map(|body| {
        let text = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&body);
        String::from_utf8_lossy(text).into_owned()
    })
}

/// Takes the whole body and joins its chunks with one copy, into memory that JavaScript may own.
fn take(request: &Request) -> Option<Vec<u8>> {
    if !request.receiver.is_received() {
        return None;
    }
    let chunks: Vec<_> = std::iter::from_fn(|| request.receiver.try_chunk()).collect();
    Some(chunks.concat())
}
