//! A part of a response body as hyper gets it, and what a client of HTTP/2 has yet to take of those before.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Buf;
use nano_protocol::Chunk;

/// Part of a body on its way to a client.
#[derive(Debug)]
pub(crate) struct Part {
    chunk: Chunk,
    /// After the bytes, since it wakes whoever waits for their end.
    _untaken: Option<Held>,
}

/// Parts that h2 keeps because their client may not let them come yet.
#[derive(Debug, Default)]
pub(crate) struct Untaken {
    parts: Cell<usize>,
    /// Whom to tell that there are none.
    waker: RefCell<Option<Waker>>,
}

/// Counts its part as untaken until it is dropped.
#[derive(Debug)]
struct Held(Rc<Untaken>);

impl Part {
    /// Bytes that leave as soon as the socket takes them.
    pub(crate) fn new(chunk: Chunk) -> Self {
        Self { chunk, _untaken: None }
    }
}

impl Untaken {
    /// A part that counts until h2 has let go of it.
    pub(crate) fn part(self: &Rc<Self>, chunk: Chunk) -> Part {
        self.parts.set(self.parts.get() + 1);
        Part { chunk, _untaken: Some(Held(self.clone())) }
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.parts.get() == 0
    }

    /// Ready when there is none.
    pub(crate) fn poll_empty(&self, cx: &Context<'_>) -> Poll<()> {
        if self.is_empty() {
            return Poll::Ready(());
        }
        *self.waker.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let left = self.0.parts.get() - 1;
        self.0.parts.set(left);
        if left == 0
            && let Some(waker) = self.0.waker.take()
        {
            waker.wake();
        }
    }
}

impl Buf for Part {
    fn remaining(&self) -> usize {
        self.chunk.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.chunk.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.chunk.advance(count);
    }
}
