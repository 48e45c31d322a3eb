//! The bodies of responses until they have been read, and how those that nobody reads are ended: each holds a connection, whose
//! number is limited (`max_outbound`).
//!
//! A body ends with the request that fetched it, unless a reader waits for its bytes at that moment. It ends earlier if a new
//! connection finds no free slot and this body has been left unread for the longest time. An abort of the fetch ends it wherever
//! it is, also on its way to a client or into a cache.

use std::any::Any;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use deno_error::JsErrorBox;
use deno_fetch::ResBody;
use hyper::body::{Body, Frame, SizeHint};

use crate::requests::belongings::FetchedBody;

/// The body of one response.
#[derive(Debug)]
pub(crate) struct Unread {
    /// A description for messages, such as "the response from `https://example.com`".
    pub(crate) what: String,
    /// The id in JavaScript of the request that fetched it; zero for none.
    pub(crate) request: u32,
    /// When its head arrived.
    pub(crate) since: Instant,
    /// The connection that it uses, for comparison only.
    line: Weak<dyn Any + Send + Sync>,
    /// Its resource id in JavaScript.
    rid: AtomicU32,
    state: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    /// `None` once it has been read or ended.
    body: Option<ResBody>,
    /// Why it was ended.
    why: Option<String>,
    /// Wakes the reader that waits for its bytes.
    reader: Option<Waker>,
    /// Whether anybody has begun to read it.
    is_begun: bool,
}

impl Unread {
    /// Creates a body that has just arrived.
    pub(crate) fn new(
        body: ResBody,
        what: String,
        request: u32,
        line: Weak<dyn Any + Send + Sync>,
    ) -> Arc<Self> {
        let body = (!body.is_end_stream()).then_some(body);
        let state = Held { body, why: None, reader: None, is_begun: false };
        let rid = AtomicU32::new(u32::MAX);
        Arc::new(Self { what, request, since: Instant::now(), line, rid, state: Mutex::new(state) })
    }

    /// Sets its resource id in JavaScript.
    pub(crate) fn call(&self, rid: u32) {
        self.rid.store(rid, Ordering::Relaxed);
    }

    /// Returns whether it has this resource id.
    pub(crate) fn is_called(&self, rid: u32) -> bool {
        self.rid.load(Ordering::Relaxed) == rid
    }

    /// Returns whether it uses this connection.
    pub(crate) fn is_on<T>(&self, line: &Arc<T>) -> bool {
        std::ptr::addr_eq(self.line.as_ptr(), Arc::as_ptr(line))
    }

    fn state(&self) -> MutexGuard<'_, Held> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether bytes are left and nobody has begun to read them.
    pub(crate) fn is_left_alone(&self) -> bool {
        let state = self.state();
        state.body.is_some() && !state.is_begun
    }

    /// Ends the body: further reads fail with `why`. Returns whether there was anything left.
    pub(crate) fn end(&self, why: impl FnOnce() -> String) -> bool {
        let mut state = self.state();
        let Some(body) = state.body.take() else { return false };
        state.why = Some(why());
        let reader = state.reader.take();
        drop(state);
        // Dropped without the lock: it notifies the connection, which may call back into this type.
        drop(body);
        if let Some(reader) = reader {
            reader.wake();
        }
        true
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, JsErrorBox>>> {
        let mut state = self.state();
        state.is_begun = true;
        if let Some(why) = &state.why {
            return Poll::Ready(Some(Err(JsErrorBox::type_error(why.clone()))));
        }
        let Some(body) = &mut state.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(cx);
        let is_over = match &polled {
            Poll::Pending => {
                if !state.reader.as_ref().is_some_and(|reader| reader.will_wake(cx.waker())) {
                    state.reader = Some(cx.waker().clone());
                }
                return Poll::Pending;
            }
            Poll::Ready(Some(Ok(_))) => false,
            Poll::Ready(Some(Err(_)) | None) => true,
        };
        state.reader = None;
        let over = if is_over { state.body.take() } else { None };
        drop(state);
        drop(over);
        polled
    }
}

impl FetchedBody for Unread {
    fn end_unless_awaited(&self) -> bool {
        let is_awaited = self.state().reader.is_some();
        !is_awaited && self.end_with_request()
    }

    fn end_with_request(&self) -> bool {
        self.end(|| {
            format!(
                "{} ended with the request that fetched it, which is over: read its body before that, or within \
                 waitUntil()",
                self.what
            )
        })
    }
}

/// The body, for whoever reads it.
#[derive(Debug)]
pub(crate) struct Reader(pub(crate) Arc<Unread>);

impl Body for Reader {
    type Data = Bytes;
    type Error = JsErrorBox;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, JsErrorBox>>> {
        self.0.poll(cx)
    }

    fn is_end_stream(&self) -> bool {
        let state = self.0.state();
        state.why.is_none() && state.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.state().body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
