//! The body of an outbound request that is a stream: one that is given up half way must never look complete to whoever gets it.

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

/// What a request meets first.
#[derive(Debug)]
pub(crate) enum Met {
    /// The head of its response. The rest of its body may still be under way.
    Response,
    /// The app does not want it any more, and has ended the stream with that.
    Abort,
}

/// What a request has met; nothing at first.
pub(crate) type Fate = Arc<OnceLock<Met>>;

/// A stream that leaves.
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
    /// The stream behind a resource.
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

/// What JavaScript closes to give a request up, and once it has been answered.
#[derive(Debug)]
pub(crate) struct Abort {
    cancel: Rc<CancelHandle>,
    fate: Fate,
}

impl Abort {
    /// Of the request with this fate.
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
