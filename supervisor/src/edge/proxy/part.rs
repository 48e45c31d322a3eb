//! Parts of a response body, and the count of those that h2 holds until an HTTP/2 client's windows allow them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};
use nano_protocol::Chunk;

/// A part of a response body.
#[derive(Debug)]
pub(crate) struct BodyPart {
    chunk: Chunk,
    /// Declared after `chunk`, so that the bytes are freed before this wakes the body.
    _untaken: Option<Counted>,
}

/// Counts the parts that h2 holds because the client's windows may not allow them yet.
#[derive(Debug, Default)]
pub(crate) struct Untaken {
    parts: Cell<usize>,
    /// Woken when no part is counted any more.
    waker: RefCell<Option<Waker>>,
}

/// Counts a part until it is dropped.
#[derive(Debug)]
struct Counted(Rc<Untaken>);

impl BodyPart {
    /// Creates a part that is not counted, because only the socket can delay it.
    pub(crate) fn new(chunk: Chunk) -> Self {
        Self { chunk, _untaken: None }
    }
}

impl Untaken {
    /// Creates a part that is counted until h2 has dropped it.
    pub(crate) fn part(self: &Rc<Self>, chunk: Chunk) -> BodyPart {
        self.parts.set(self.parts.get() + 1);
        BodyPart { chunk, _untaken: Some(Counted(self.clone())) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parts.get() == 0
    }

    /// Waits until no part is counted.
    pub(crate) fn poll_empty(&self, cx: &Context<'_>) -> Poll<()> {
        if self.is_empty() {
            return Poll::Ready(());
        }
        *self.waker.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Counted {
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

impl Buf for BodyPart {
    fn remaining(&self) -> usize {
        self.chunk.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.chunk.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.chunk.advance(count);
    }

    fn copy_to_bytes(&mut self, length: usize) -> Bytes {
        self.chunk.copy_to_bytes(length)
    }
}
