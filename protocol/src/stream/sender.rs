//! The sending half of a stream. It sends body bytes as far as credit allows.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;

use super::ending::{cancel, fail, finish, give_up};
use super::state::{Failure, State, remember};
use crate::codec::{self, HeaderBlock};
use crate::frame::Kind;
use crate::inner::Inner;
use crate::limits::MAX_BODY_CHUNK;
use crate::message::{StatusLine, StreamError, UPGRADED};

/// The sending half: the opener sends its body with it, the acceptor its answer.
#[derive(Debug)]
pub struct Sender {
    pub(crate) inner: Rc<RefCell<Inner>>,
    pub(crate) state: Rc<RefCell<State>>,
}

impl Sender {
    /// Acceptor: sends the head of the answer. `count` is the number of fields that `fields` yields. After the status 101 the
    /// stream is open in both directions until each has ended.
    ///
    /// # Errors
    /// [`Failure`] if the stream is over. [`Failure::Over`] also if the head is too large; the caller then still has to
    /// [fail](Self::fail) the stream.
    pub fn respond<'a>(
        &self,
        status: u16,
        count: usize,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
        end: bool,
    ) -> Result<(), Failure> {
        let id = (self.open_id()?, self.state.borrow().is_fetch);
        if self.state.borrow().is_ours {
            return Err(Failure::Over);
        }
        let mut inner = self.inner.borrow_mut();
        let sent = inner.put_answer(Kind::ResponseHead, end, id, |out| {
            codec::encode(&StatusLine { status }, out)?;
            codec::encode_headers(count, fields, out)
        });
        sent.map_err(|_| Failure::Over)?;
        drop(inner);
        self.state.borrow_mut().is_upgraded = status == UPGRADED;
        if end {
            self.sent_all();
        }
        let is_abandoned = self.state.borrow().is_abandoned();
        if is_abandoned {
            give_up(&self.inner, &self.state);
        }
        Ok(())
    }

    /// Sends as much of `data` as the credit allows. With `end`, the last byte of it ends the body. Pending until everything is
    /// queued; memory is bounded by the window of the stream.
    ///
    /// # Errors
    /// [`Failure`] if the stream is over.
    pub fn poll_send(&self, cx: &mut Context<'_>, data: &mut Bytes, end: bool) -> Poll<Result<(), Failure>> {
        while !data.is_empty() {
            let id = self.open_id()?;
            if self.poll_room(cx).is_pending() {
                return Poll::Pending;
            }
            let mut state = self.state.borrow_mut();
            let part = data.split_to(data.len().min(state.credit).min(MAX_BODY_CHUNK));
            state.credit -= part.len();
            drop(state);
            let last = end && data.is_empty();
            self.inner.borrow_mut().put_chunk(id, last, part);
            if last {
                self.sent_all();
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Waits until at least one byte of the body can be sent, so that the caller reads no data that would only be buffered.
    /// Also ready if the stream is over.
    pub fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state.borrow_mut();
        let is_full = self.inner.borrow().is_full();
        if state.over.is_some() || (state.credit > 0 && !is_full) {
            return Poll::Ready(());
        }
        remember(&mut state.writer, cx);
        if is_full && !std::mem::replace(&mut state.waits_for_room, true) {
            drop(state);
            self.inner.borrow_mut().wait_for_room(&self.state);
        }
        Poll::Pending
    }

    /// Ends the body, with trailer fields if any.
    ///
    /// # Errors
    /// [`Failure`] if the stream is over.
    pub fn end(&self, trailers: &HeaderBlock) -> Result<(), Failure> {
        let id = (self.open_id()?, self.state.borrow().is_fetch);
        let sent = self.inner.borrow_mut().put_answer(Kind::BodyEnd, false, id, |out| {
            out.extend_from_slice(trailers.as_bytes());
            Ok(())
        });
        sent.map_err(|_| Failure::Over)?;
        self.sent_all();
        Ok(())
    }

    /// Acceptor: fails the stream. Does nothing if it is over already.
    pub fn fail(&self, error: &StreamError) {
        fail(&self.inner, &self.state, error);
    }

    /// Opener: gives the stream up, because its body cannot be completed.
    pub fn cancel(&self) {
        cancel(&self.inner, &self.state);
    }

    /// Opener: returns whether the peer may have begun to process the stream.
    pub fn is_reached(&self) -> bool {
        self.inner.borrow().has_reached(&self.state.borrow())
    }

    /// Waits until the stream is over, and returns why.
    pub fn poll_over(&self, cx: &mut Context<'_>) -> Poll<Failure> {
        self.state.borrow_mut().poll_over(cx)
    }

    /// Returns whether nothing more can be sent, because the stream or this direction of it has ended.
    pub fn is_over(&self) -> bool {
        self.open_id().is_err()
    }

    /// Returns whether everything in this direction has been queued, up to its end.
    pub fn is_complete(&self) -> bool {
        self.state.borrow().outgoing_ended
    }

    fn open_id(&self) -> Result<u64, Failure> {
        let state = self.state.borrow();
        match &state.over {
            Some(failure) => Err(failure.clone()),
            None if state.outgoing_ended => Err(Failure::Over),
            None => Ok(state.id),
        }
    }

    fn sent_all(&self) {
        let mut state = self.state.borrow_mut();
        state.outgoing_ended = true;
        let is_complete = state.is_complete();
        drop(state);
        if is_complete {
            finish(&self.inner, &self.state, Failure::Over);
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let mut state = self.state.borrow_mut();
        state.has_sender = false;
        let has_no_answer = !state.is_ours && !state.outgoing_ended && state.over.is_none();
        let is_given_up = has_no_answer || state.is_abandoned();
        drop(state);
        if is_given_up {
            give_up(&self.inner, &self.state);
        }
    }
}
