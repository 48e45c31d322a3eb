//! A stream as the body of an outbound request. If it is aborted half way, it must not look complete to the server.

use std::borrow::Cow;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use deno_core::{CancelHandle, Resource};
use deno_error::JsErrorBox;
use deno_fetch::ResourceToBodyAdapter;
use hyper::body::{Body, Frame};

/// The first event that a request meets.
#[derive(Debug)]
pub(crate) enum Met {
    /// The head of its response has arrived. The rest of its body may still be on its way.
    Response,
    /// The app has aborted the request, which also ends the stream.
    Abort,
}

/// What a request has met; empty at first.
pub(crate) type Fate = Arc<OnceLock<Met>>;

/// A request body that is a stream.
pub(crate) struct Upload {
    body: ResourceToBodyAdapter,
    fate: Fate,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload").field("fate", &self.fate).finish_non_exhaustive()
    }
}

impl Upload {
    /// Wraps the stream behind a resource.
    pub(crate) fn new(resource: Rc<dyn Resource>, fate: Fate) -> Self {
        Self { body: ResourceToBodyAdapter::new(resource), fate }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = JsErrorBox;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, JsErrorBox>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let is_cut = frame.is_none() && matches!(self.fate.get(), Some(Met::Abort));
        Poll::Ready(if is_cut { Some(Err(JsErrorBox::type_error("the fetch was aborted"))) } else { frame })
    }
}

/// A resource that JavaScript closes to abort the request, and also once the request has been answered.
#[derive(Debug)]
pub(crate) struct Abort {
    cancel: Rc<CancelHandle>,
    fate: Fate,
}

impl Abort {
    /// Creates the abort handle of the request with this fate.
    pub(crate) fn new(cancel: Rc<CancelHandle>, fate: Fate) -> Self {
        Self { cancel, fate }
    }
}

impl Resource for Abort {
    fn name(&self) -> Cow<'_, str> {
        "fetchAbort".into()
    }

    fn close(self: Rc<Self>) {
        let _ = self.fate.set(Met::Abort);
        self.cancel.cancel();
    }
}
