//! A body as it came, from a server or a cache, and perhaps compressed: until somebody has read of it, it can be had as it is.

use std::borrow::Cow;
use std::cell::RefCell;
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

/// Bytes that are decoded at once.
const DECODED: usize = 64 * 1024;

/// What came.
#[derive(Debug)]
pub(crate) struct CodedBody {
    /// For people, such as "the response from `https://example.com`".
    what: String,
    /// How its bytes are compressed.
    coding: Option<Coding>,
    /// How many there are, if that is known.
    length: Option<u64>,
    content: RefCell<Content>,
    reader: RefCell<Option<Waker>>,
}

type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, JsErrorBox>>>>;

enum Content {
    AsItCame(ResBody),
    /// Somebody reads it: what a reader with a small buffer left of a chunk, and what is to come.
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
    /// A body whose bytes are compressed so.
    pub(crate) fn new(body: ResBody, coding: Option<Coding>, what: String) -> Self {
        Self {
            what,
            coding,
            length: body.size_hint().exact(),
            content: RefCell::new(Content::AsItCame(body)),
            reader: RefCell::default(),
        }
    }

    /// How many bytes come is known otherwise than from the body itself.
    fn of_length(self, length: Option<u64>) -> Self {
        Self { length, ..self }
    }

    /// How its bytes are compressed, as long as they can be had as they came.
    pub(crate) fn coding(&self) -> Option<Coding> {
        self.coding
    }

    /// How many bytes there are as they came, if that is known.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// Whether nobody has read of it.
    pub(crate) fn is_untouched(&self) -> bool {
        matches!(*self.content.borrow(), Content::AsItCame(_))
    }

    /// The next bytes as they came; empty at the end.
    ///
    /// # Errors
    /// What is wrong with them, or that somebody reads it already.
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
                    // Nothing, or trailers.
                    Some(_) => {}
                }
            }
        })
        .await
    }

    /// The next bytes, decompressed, at most `limit` of them; empty at the end.
    ///
    /// # Errors
    /// What is wrong with them.
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
        let Some(coding) = self.coding else { return Box::pin(chunks) };
        let what = self.what.clone();
        let decoded = async move {
            let mut chunks = Box::pin(chunks.map_err(io::Error::other).peekable());
            // Nothing at all is not compressed, whatever the header says.
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

    /// Two bodies of one that nobody has read of.
    fn fork(&self) -> Option<[Self; 2]> {
        let mut content = self.content.borrow_mut();
        let Content::AsItCame(_) = &*content else { return None };
        let Content::AsItCame(body) = std::mem::replace(&mut *content, Content::Closed) else { return None };
        Some(fork(body).map(|body| Self {
            what: self.what.clone(),
            length: self.length,
            content: RefCell::new(Content::AsItCame(body)),
            reader: RefCell::default(),
            ..*self
        }))
    }
}

fn closed() -> JsErrorBox {
    JsErrorBox::type_error("the body was cancelled")
}

/// A body that is there already.
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
        let length = self.length.filter(|_| self.is_untouched() && self.coding.is_none());
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

/// The same body under another number: the stream that it leaves behind closes what it finds under the old one. Nothing if it
/// is none that came.
#[op2]
pub(crate) fn op_body_move(state: &mut OpState, #[smi] rid: ResourceId) -> Option<u32> {
    let body: Rc<dyn Resource> = match state.resource_table.take::<CodedBody>(rid) {
        Ok(body) => body,
        Err(_) => state.resource_table.take::<RequestBody>(rid).ok()?,
    };
    Some(state.resource_table.add_rc_dyn(body))
}

/// Two bodies of one that nobody has read of; nothing if it is no such body.
#[op2]
pub(crate) fn op_body_fork(state: &mut OpState, #[smi] rid: ResourceId) -> Option<(u32, u32)> {
    let body = match state.resource_table.get::<CodedBody>(rid) {
        Ok(body) => body,
        // That of the request, whose stream closes what it leaves behind.
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
