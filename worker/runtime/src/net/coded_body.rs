//! A body received from a server or a cache, perhaps compressed. Until somebody has read from it, its bytes are available as
//! received.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use deno_core::futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use deno_core::{AsyncResult, BufView, OpState, Resource, ResourceId, op2};
use deno_error::JsErrorBox;
use deno_fetch::{ResBody, ResourceToBodyAdapter};
use http_body_util::{BodyDataStream, BodyExt as _, Full};
use hyper::body::Body as _;
use tokio_util::io::{ReaderStream, StreamReader};

use super::failure::causes;
use super::fork::fork;
use crate::platform::coding::Coding;
use crate::requests::body::RequestBody;

/// Maximum number of bytes decoded at once.
const DECODED: usize = 64 * 1024;

/// A body that was received, and is decoded only if it is read.
#[derive(Debug)]
pub(crate) struct CodedBody {
    /// A description for messages, such as "the response from `https://example.com`".
    what: String,
    /// How its bytes are compressed.
    coding: Cell<Option<Coding>>,
    /// Number of bytes as received, if known.
    length: Option<u64>,
    content: RefCell<Content>,
    reader: RefCell<Option<Waker>>,
}

type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, JsErrorBox>>>>;

enum Content {
    AsItCame(ResBody),
    /// Being read: the rest of a chunk that was larger than the reader's buffer, and the chunks that follow.
    Begun(Bytes, Chunks),
    Over,
    Closed,
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Content")
    }
}

impl CodedBody {
    /// Creates a body whose bytes are compressed with `coding`.
    pub(crate) fn new(body: ResBody, coding: Option<Coding>, what: String) -> Self {
        Self {
            what,
            coding: Cell::new(coding),
            length: body.size_hint().exact(),
            content: RefCell::new(Content::AsItCame(body)),
            reader: RefCell::default(),
        }
    }

    /// Sets the number of bytes, where it is known from another source than the body itself.
    fn of_length(self, length: Option<u64>) -> Self {
        Self { length, ..self }
    }

    /// Returns how its bytes as received are compressed.
    pub(crate) fn coding(&self) -> Option<Coding> {
        self.coding.get()
    }

    /// Returns the number of bytes as received, if known.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// Returns whether nobody has read from it.
    pub(crate) fn is_untouched(&self) -> bool {
        matches!(*self.content.borrow(), Content::AsItCame(_))
    }

    /// Returns the next bytes as received; empty at the end.
    ///
    /// # Errors
    /// Fails if the body breaks off, or if it is being read in another way already.
    pub(crate) async fn raw(&self) -> Result<Bytes, JsErrorBox> {
        poll_fn(|cx| {
            loop {
                let frame = match &mut *self.content.borrow_mut() {
                    Content::AsItCame(body) => ready!(Pin::new(body).poll_frame(cx)),
                    Content::Over => None,
                    Content::Begun(..) | Content::Closed => return Poll::Ready(Err(closed())),
                };
                match frame.transpose()?.map(hyper::body::Frame::into_data) {
                    None => return Poll::Ready(Ok(Bytes::new())),
                    Some(Ok(chunk)) if !chunk.is_empty() => return Poll::Ready(Ok(chunk)),
                    // An empty frame, or trailers.
                    Some(_) => {}
                }
            }
        })
        .await
    }

    /// Returns the next bytes, decompressed, at most `limit` of them; empty at the end.
    ///
    /// # Errors
    /// Fails if the body breaks off or cannot be decompressed.
    pub(crate) async fn plain(&self, limit: usize) -> Result<Bytes, JsErrorBox> {
        poll_fn(|cx| self.poll_plain(cx, limit)).await
    }

    fn poll_plain(&self, cx: &mut Context<'_>, limit: usize) -> Poll<Result<Bytes, JsErrorBox>> {
        let mut content = self.content.borrow_mut();
        if let Content::AsItCame(_) = &*content
            && let Content::AsItCame(body) = std::mem::replace(&mut *content, Content::Over)
        {
            *content = Content::Begun(Bytes::new(), self.begin(body));
        }
        loop {
            match &mut *content {
                Content::Begun(rest, _) if !rest.is_empty() => {
                    let length = rest.len().min(limit);
                    return Poll::Ready(Ok(rest.split_to(length)));
                }
                Content::Begun(rest, chunks) => match chunks.poll_next_unpin(cx) {
                    Poll::Ready(Some(Ok(chunk))) => *rest = chunk,
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                    Poll::Ready(None) => *content = Content::Over,
                    Poll::Pending => {
                        *self.reader.borrow_mut() = Some(cx.waker().clone());
                        return Poll::Pending;
                    }
                },
                Content::AsItCame(_) | Content::Over => return Poll::Ready(Ok(Bytes::new())),
                Content::Closed => return Poll::Ready(Err(closed())),
            }
        }
    }

    fn begin(&self, body: ResBody) -> Chunks {
        let chunks = BodyDataStream::new(body);
        let Some(coding) = self.coding.get() else { return Box::pin(chunks) };
        let what = self.what.clone();
        let decoded = async move {
            let mut chunks = Box::pin(chunks.map_err(io::Error::other).peekable());
            // An empty body is not compressed, whatever its header says.
            chunks.as_mut().peek().await?;
            let decoded = ReaderStream::with_capacity(coding.decode(StreamReader::new(chunks)), DECODED);
            Some(decoded.map_err(move |error| {
                match causes(&error).find_map(|cause| cause.downcast_ref::<JsErrorBox>()) {
                    Some(broken) => JsErrorBox::type_error(broken.to_string()),
                    None => JsErrorBox::type_error(format!("{what} cannot be decompressed: {error}")),
                }
            }))
        };
        stream::once(decoded).filter_map(std::future::ready).flatten().boxed_local()
    }

    /// Splits the body in two. Returns `None` if somebody has read from it.
    fn fork(&self) -> Option<[Self; 2]> {
        let mut content = self.content.borrow_mut();
        let Content::AsItCame(_) = &*content else { return None };
        let Content::AsItCame(body) = std::mem::replace(&mut *content, Content::Closed) else { return None };
        Some(fork(body).map(|body| Self {
            what: self.what.clone(),
            coding: self.coding.clone(),
            length: self.length,
            content: RefCell::new(Content::AsItCame(body)),
            reader: RefCell::default(),
        }))
    }
}

fn closed() -> JsErrorBox {
    JsErrorBox::type_error("the body was cancelled")
}

/// Returns a body of bytes that are in memory.
pub(crate) fn whole(bytes: Bytes) -> ResBody {
    Full::new(bytes).map_err(|never| match never {}).boxed()
}

impl Resource for CodedBody {
    fn name(&self) -> Cow<'_, str> {
        "codedBody".into()
    }

    fn read(self: Rc<Self>, limit: usize) -> AsyncResult<BufView> {
        Box::pin(async move { Ok(self.plain(limit).await?.into()) })
    }

    fn size_hint(&self) -> (u64, Option<u64>) {
        let length = self.length.filter(|_| self.is_untouched() && self.coding.get().is_none());
        (length.unwrap_or(0), length)
    }

    fn close(self: Rc<Self>) {
        let content = self.content.replace(Content::Closed);
        drop(content);
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

/// Moves the body to a new resource id, because the stream that leaves it behind closes the old id. Returns `None` if the
/// resource is not a received body.
#[op2]
pub(crate) fn op_body_move(state: &mut OpState, #[smi] rid: ResourceId) -> Option<u32> {
    let body: Rc<dyn Resource> = match state.resource_table.take::<CodedBody>(rid) {
        Ok(body) => body,
        Err(_) => state.resource_table.take::<RequestBody>(rid).ok()?,
    };
    Some(state.resource_table.add_rc_dyn(body))
}

/// Splits a body in two that nobody has read from. Returns `None` if the resource is not such a body.
#[op2]
pub(crate) fn op_body_fork(state: &mut OpState, #[smi] rid: ResourceId) -> Option<(u32, u32)> {
    let body = match state.resource_table.get::<CodedBody>(rid) {
        Ok(body) => body,
        // The body of the request: its stream closes the id that it leaves behind.
        Err(_) => {
            let body = state.resource_table.take::<RequestBody>(rid).ok()?;
            let length = body.size_hint().1;
            let body = ResBody::new(ResourceToBodyAdapter::new(body));
            CodedBody::new(body, None, "the request".to_owned()).of_length(length).into()
        }
    };
    let [first, second] = body.fork()?;
    Some((state.resource_table.add(first), state.resource_table.add(second)))
}

/// Lets a received body be read as it came, compressed or not (`encodeResponseBody`).
#[op2(fast)]
pub(crate) fn op_body_keep_coding(state: &mut OpState, #[smi] rid: ResourceId) {
    if let Ok(body) = state.resource_table.get::<CodedBody>(rid) {
        body.coding.set(None);
    }
}
