//! The receiving half of a stream. Bytes that are read from it become credit for the peer.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use super::ending::{consume, give_up};
use super::state::{Failure, ResponseHead, State, remember};
use crate::budget::Budget;
use crate::chunk::Chunk;
use crate::codec::HeaderBlock;
use crate::inner::Inner;

/// The receiving half: the opener reads the answer from it, the acceptor the body.
#[derive(Debug)]
pub struct Receiver {
    pub(crate) inner: Rc<RefCell<Inner>>,
    pub(crate) state: Rc<RefCell<State>>,
}

impl Receiver {
    /// Opener: waits for the head of the answer. Its header fields are returned only once.
    ///
    /// # Errors
    /// [`Failure`] if the stream ends before.
    pub fn poll_head(&self, cx: &mut Context<'_>) -> Poll<Result<ResponseHead, Failure>> {
        let mut state = self.state.borrow_mut();
        if let Some(head) = &mut state.head {
            // The rest of the head stays, as a mark that it was received; the fields are moved out.
            let headers = std::mem::take(&mut head.headers);
            return Poll::Ready(Ok(ResponseHead { status: head.status, headers, end: head.end }));
        }
        if let Some(failure) = &state.over {
            return Poll::Ready(Err(failure.clone()));
        }
        remember(&mut state.reader, cx);
        Poll::Pending
    }

    /// Waits for the next body bytes; `None` at the end of the body. Consumed bytes become credit for the peer.
    ///
    /// # Errors
    /// [`Failure`] if the stream ends before the body is complete.
    pub fn poll_chunk(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Failure>>> {
        let polled = self.poll_bytes(cx);
        if let Poll::Ready(Some(Ok(chunk))) = &polled {
            consume(&self.inner, &self.state, chunk.len());
        }
        polled
    }

    /// Waits as [`Receiver::poll_chunk`] does, for callers that pass the bytes on: they count as consumed only when the returned
    /// chunk is dropped.
    ///
    /// # Errors
    /// [`Failure`] if the stream ends before the body is complete.
    pub fn poll_part(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Chunk, Failure>>> {
        self.poll_bytes(cx).map_ok(|bytes| Chunk::new(bytes, self.inner.clone(), self.state.clone()))
    }

    fn poll_bytes(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Failure>>> {
        let mut state = self.state.borrow_mut();
        if let Some(chunk) = state.chunks.pop_front() {
            return Poll::Ready(Some(Ok(chunk)));
        }
        if state.incoming_ended {
            return Poll::Ready(None);
        }
        if let Some(failure) = &state.over {
            return Poll::Ready(Some(Err(failure.clone())));
        }
        remember(&mut state.reader, cx);
        Poll::Pending
    }

    /// Returns the next body bytes if they have already been received.
    pub fn try_chunk(&self) -> Option<Bytes> {
        match self.poll_chunk(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(Ok(chunk))) => Some(chunk),
            _ => None,
        }
    }

    /// Returns the next body bytes if they have already been received. They are consumed as with [`Receiver::poll_part`].
    pub fn try_part(&self) -> Option<Chunk> {
        match self.poll_part(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(Ok(part))) => Some(part),
            _ => None,
        }
    }

    /// Returns whether the whole body has been received.
    pub fn is_received(&self) -> bool {
        self.state.borrow().incoming_ended
    }

    /// Returns whether the whole body has been received and read.
    pub fn is_done(&self) -> bool {
        let state = self.state.borrow();
        state.incoming_ended && state.chunks.is_empty()
    }

    /// Has this budget bound what is received from now on, as for a stream that was opened to last.
    pub fn lasts(&self, budget: Arc<Budget>) {
        self.state.borrow_mut().move_to(budget);
    }

    /// Waits until the stream is over, and returns why.
    pub fn poll_over(&self, cx: &mut Context<'_>) -> Poll<Failure> {
        self.state.borrow_mut().poll_over(cx)
    }

    /// Puts back a part that was taken from a body which has been received completely.
    pub fn put_back(self, part: Chunk) -> Self {
        self.state.borrow_mut().chunks.push_front(part.into_bytes());
        self
    }

    /// Returns the trailer fields, which are empty before the end of the body.
    pub fn trailers(&self) -> HeaderBlock {
        self.state.borrow().trailers.clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let mut state = self.state.borrow_mut();
        state.has_receiver = false;
        let waits_for_nothing = state.is_ours && !state.is_upgraded && state.over.is_none();
        let is_given_up = waits_for_nothing || state.is_abandoned();
        drop(state);
        if is_given_up {
            give_up(&self.inner, &self.state);
        }
    }
}
