//! The bodies of responses until they have been read, and what becomes of those that nobody reads: each holds a connection, of
//! which an app has so many (`max_outbound`).
//!
//! A body ends with the request that fetched it, unless somebody waits for its bytes at that moment, and earlier if it is the
//! one that was left alone for longest when a connection is wanted and there is no place for one. An abort of the fetch ends it
//! wherever it is, also on its way to a client or into a cache.

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

use crate::requests::in_flight::FetchedBody;

/// The body of one response.
#[derive(Debug)]
pub(crate) struct Unread {
    /// What it is, for people, such as "the response from `https://example.com`".
    pub(crate) what: String,
    /// As JavaScript calls the request that fetched it; zero for none.
    pub(crate) request: u32,
    /// When it came.
    pub(crate) since: Instant,
    /// The connection that it came over, by which it is told from others.
    line: Weak<dyn Any + Send + Sync>,
    /// As JavaScript calls it.
    rid: AtomicU32,
    state: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    /// Gone when it has been read, or ended.
    body: Option<ResBody>,
    /// Why it was ended.
    why: Option<String>,
    /// Who waits for its bytes.
    reader: Option<Waker>,
    /// Whether anybody has asked for them.
    is_begun: bool,
}

impl Unread {
    /// A body that has just come.
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

    /// Sets the name by which JavaScript refers to it.
    pub(crate) fn call(&self, rid: u32) {
        self.rid.store(rid, Ordering::Relaxed);
    }

    /// Whether JavaScript calls it so.
    pub(crate) fn is_called(&self, rid: u32) -> bool {
        self.rid.load(Ordering::Relaxed) == rid
    }

    /// Whether it comes over this connection.
    pub(crate) fn is_on<T>(&self, line: &Arc<T>) -> bool {
        std::ptr::addr_eq(self.line.as_ptr(), Arc::as_ptr(line))
    }

    fn state(&self) -> MutexGuard<'_, Held> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody has asked for any of it.
    pub(crate) fn is_left_alone(&self) -> bool {
        let state = self.state();
        state.body.is_some() && !state.is_begun
    }

    /// Gives it up, and says why to whoever reads on. Says whether there was anything left.
    pub(crate) fn end(&self, why: impl FnOnce() -> String) -> bool {
        let mut state = self.state();
        let Some(body) = state.body.take() else { return false };
        state.why = Some(why());
        let reader = state.reader.take();
        drop(state);
        // The connection hears of it, and what it does then may ask here.
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

/// Reads it.
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
