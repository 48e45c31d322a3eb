//! One request on a connection: its two halves, their credit and their end.
//!
//! A stream is over when its response is: with the last response byte, with an error from the worker, with a cancel
//! from the supervisor or with the connection. Whatever else was still under way on it ends then too.

mod receiver;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};

use crate::ProtocolError;
use crate::budget::Bounds;
use crate::codec::{self, HeaderBlock};
use crate::frame::Kind;
use crate::inner::{Inner, Side};
use crate::limits::{COPY_BELOW, MAX_BODY_CHUNK, MOST_WINDOW, READ_BUFFER, STREAM_WINDOW};
use crate::message::{StatusLine, StreamError};
pub use receiver::Receiver;

/// Why a stream ended before its response was complete.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The connection ended.
    #[error("the connection ended")]
    Closed {
        /// Whether the peer may have begun with this request. If not, another worker may have it.
        reached: bool,
    },
    /// The worker gave up on the stream.
    #[error("{}", .0.message)]
    Worker(StreamError),
    /// The supervisor gave up on the stream, or the response is already complete.
    #[error("the stream is over")]
    Over,
}

/// The head of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseHead {
    /// Status code as sent by the worker, unchecked.
    pub status: u16,
    /// Header fields as sent by the worker, unchecked.
    pub headers: HeaderBlock,
    /// Whether the response has no body.
    pub end: bool,
}

/// What both halves and the connection know of a stream.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) id: u32,
    /// Where the request head stands in the outgoing byte stream.
    pub(crate) head_at: u64,
    /// How long it is, with its frame's header.
    pub(crate) head_len: usize,
    /// Which of the streams of the connection it is, from 1 on.
    pub(crate) ordinal: u64,
    head: Option<ResponseHead>,
    chunks: VecDeque<Bytes>,
    trailers: HeaderBlock,
    incoming_ended: bool,
    reader: Option<Waker>,
    /// Those who wait for the stream to be over.
    watchers: Vec<Waker>,
    /// Body bytes that the peer may send before any is consumed: those it still may, those that are here, and those consumed.
    window: usize,
    /// What the window is promised by, if anything bounds it.
    budget: Option<Bounds>,
    /// Body bytes the peer may still send.
    allowance: usize,
    /// Body bytes consumed and not yet granted again.
    consumed: usize,
    /// Body bytes this side may still send.
    credit: usize,
    /// Most that it may ever be.
    most_credit: usize,
    outgoing_ended: bool,
    writer: Option<Waker>,
    /// The body waits until unsent bytes have left.
    waits_for_room: bool,
    over: Option<Failure>,
}

impl State {
    /// A request of this side, whose response the budget bounds.
    pub(crate) fn opened(id: u32, head_at: u64, ordinal: u64, budget: Option<Bounds>) -> Self {
        let mut state = Self::new(id, budget, STREAM_WINDOW, STREAM_WINDOW);
        (state.head_at, state.ordinal) = (head_at, ordinal);
        state
    }

    /// A request of the peer, with what it grants for the response.
    pub(crate) fn accepted(id: u32, credit: usize) -> Self {
        Self::new(id, None, credit, MOST_WINDOW)
    }

    fn new(id: u32, budget: Option<Bounds>, credit: usize, most_credit: usize) -> Self {
        let window = budget.as_ref().map_or(STREAM_WINDOW, |budget| budget.first());
        Self {
            id,
            head_at: 0,
            head_len: 0,
            ordinal: 0,
            head: None,
            chunks: VecDeque::new(),
            trailers: HeaderBlock::default(),
            incoming_ended: false,
            reader: None,
            watchers: Vec::new(),
            window,
            budget,
            allowance: window,
            consumed: 0,
            credit,
            most_credit,
            outgoing_ended: false,
            writer: None,
            waits_for_room: false,
            over: None,
        }
    }

    pub(crate) fn on_head(&mut self, head: ResponseHead) -> Result<(), ProtocolError> {
        if self.head.is_some() || self.incoming_ended {
            return Err(ProtocolError::Unexpected("second response head"));
        }
        self.incoming_ended = head.end;
        self.head = Some(head);
        wake(&mut self.reader);
        Ok(())
    }

    pub(crate) fn on_chunk(&mut self, data: Bytes, end: bool) -> Result<(), ProtocolError> {
        if self.incoming_ended {
            return Err(ProtocolError::Unexpected("body chunk after the end"));
        }
        self.allowance =
            self.allowance.checked_sub(data.len()).ok_or(ProtocolError::CreditExceeded(self.id))?;
        self.hold(0, data.len());
        if !data.is_empty() {
            self.keep(data);
        }
        self.incoming_ended = end;
        wake(&mut self.reader);
        Ok(())
    }

    /// Small chunks gather in one: kept apart, each would take many times its length, and the window would bound nothing.
    fn keep(&mut self, data: Bytes) {
        match self.chunks.back_mut() {
            Some(last) if last.len() + data.len() <= COPY_BELOW => {
                // In place: what is this short is a copy of its own, see the decoder.
                let mut joined = BytesMut::from(std::mem::take(last));
                joined.extend_from_slice(&data);
                *last = joined.freeze();
            }
            // The reader is late, and what is kept for it keeps a whole read buffer.
            Some(_) if data.len() < READ_BUFFER / 4 => self.chunks.push_back(Bytes::copy_from_slice(&data)),
            _ => self.chunks.push_back(data),
        }
    }

    pub(crate) fn on_end(&mut self, trailers: HeaderBlock) -> Result<(), ProtocolError> {
        if self.incoming_ended {
            return Err(ProtocolError::Unexpected("second body end"));
        }
        self.trailers = trailers;
        self.incoming_ended = true;
        wake(&mut self.reader);
        Ok(())
    }

    pub(crate) fn on_credit(&mut self, bytes: usize) -> Result<(), ProtocolError> {
        self.credit += bytes;
        if self.credit > self.most_credit {
            return Err(ProtocolError::Unexpected("credit beyond the window"));
        }
        wake(&mut self.writer);
        Ok(())
    }

    /// No frame comes or goes for this stream any more. A body that had ended before stays readable.
    pub(crate) fn finish(&mut self, failure: Failure) {
        if self.over.is_none() {
            self.over = Some(failure);
        }
        wake(&mut self.reader);
        wake(&mut self.writer);
        self.watchers.drain(..).for_each(Waker::wake);
    }

    fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<Failure> {
        if let Some(failure) = &self.over {
            return Poll::Ready(failure.clone());
        }
        if !self.watchers.iter().any(|waker| waker.will_wake(cx.waker())) {
            self.watchers.push(cx.waker().clone());
        }
        Poll::Pending
    }

    pub(crate) fn window(&self) -> usize {
        self.window
    }

    fn hold(&self, before: usize, after: usize) {
        if let Some(budget) = &self.budget {
            budget.hold(before, after);
        }
    }

    /// The reader has done with bytes of the body. Returns what the peer may send for it, once that is worth a frame.
    fn consume(&mut self, length: usize) -> Option<usize> {
        self.hold(length, 0);
        if self.incoming_ended || self.over.is_some() {
            return None;
        }
        self.consumed += length;
        if self.consumed < self.window / 2 {
            return None;
        }
        let consumed = std::mem::take(&mut self.consumed);
        // The peer has sent all it may, and the reader keeps up with it.
        let kept = self.window.saturating_sub(self.allowance + consumed);
        let is_short = self.allowance <= self.window / 4 && kept <= self.window / 4;
        let next =
            self.budget.as_ref().map_or(self.window, |budget| budget.next(self.window, consumed, is_short));
        let grant = (consumed + next).saturating_sub(self.window);
        self.window = next;
        self.allowance += grant;
        (grant > 0).then_some(grant)
    }

    /// What was queued before its body has left.
    pub(crate) fn has_room(&mut self) {
        self.waits_for_room = false;
        wake(&mut self.writer);
    }

    pub(crate) fn has_head(&self) -> bool {
        self.head.is_some()
    }

    pub(crate) fn incoming_ended(&self) -> bool {
        self.incoming_ended
    }

    /// The peer's request has no body at all.
    pub(crate) fn mark_empty(&mut self) {
        self.incoming_ended = true;
    }

    pub(crate) fn mark_sent(&mut self) {
        self.outgoing_ended = true;
    }
}

impl Drop for State {
    fn drop(&mut self) {
        if let Some(budget) = &self.budget {
            budget.release(self.window);
            budget.hold(self.chunks.iter().map(Bytes::len).sum(), 0);
        }
    }
}

/// The reader of a stream has done with bytes of its body.
pub(crate) fn consume(inner: &RefCell<Inner>, state: &RefCell<State>, length: usize) {
    let mut state = state.borrow_mut();
    if let Some(grant) = state.consume(length) {
        inner.borrow_mut().put_credit(state.id, grant);
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

fn remember(slot: &mut Option<Waker>, cx: &Context<'_>) {
    if !slot.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
        *slot = Some(cx.waker().clone());
    }
}

/// The sending half: the request body for the supervisor, the response for the worker.
#[derive(Debug)]
pub struct Sender {
    pub(crate) inner: Rc<RefCell<Inner>>,
    pub(crate) state: Rc<RefCell<State>>,
}

impl Sender {
    /// Worker: sends the response head. `count` is the number of fields that `fields` yields.
    ///
    /// # Errors
    /// [`Failure`] if the stream is over; [`Failure::Over`] also if the head cannot be sent (too large): the stream is
    /// then still to be failed.
    pub fn respond<'a>(
        &self,
        status: u16,
        count: usize,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
        end: bool,
    ) -> Result<(), Failure> {
        let id = self.open_id()?;
        self.inner
            .borrow_mut()
            .put(Kind::ResponseHead, end, id, |out| {
                codec::encode(&StatusLine { status }, out)?;
                codec::encode_headers(count, fields, out)
            })
            .map_err(|_| Failure::Over)?;
        if end {
            self.sent_all();
        }
        Ok(())
    }

    /// Sends as much of `data` as the credit allows, the last of it marked as the end of the body if `end`. Pending
    /// until everything is queued; memory is bounded by the stream's window.
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

    /// Waits until at least a byte of the body can be sent, so that nobody reads what would only lie here; ready as well if the
    /// stream is over.
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
        let id = self.open_id()?;
        self.inner
            .borrow_mut()
            .put(Kind::BodyEnd, false, id, |out| {
                out.extend_from_slice(trailers.as_bytes());
                Ok(())
            })
            .map_err(|_| Failure::Over)?;
        self.sent_all();
        Ok(())
    }

    /// Worker: gives up on the stream. Nothing happens if it is over already.
    pub fn fail(&self, error: &StreamError) {
        let Ok(id) = self.open_id() else { return };
        let mut inner = self.inner.borrow_mut();
        let sent = inner.put(Kind::Error, false, id, |out| codec::encode(error, out));
        if sent.is_err() {
            let bare = StreamError { kind: error.kind, message: String::new() };
            // Cannot fail: two bytes are within every limit.
            let _ = inner.put(Kind::Error, false, id, |out| codec::encode(&bare, out));
        }
        drop(inner);
        self.sent_all();
    }

    /// Supervisor: the request body cannot be completed, so the request is given up.
    pub fn cancel(&self) {
        cancel(&self.inner, &self.state);
    }

    /// Supervisor: whether the peer may have begun with this request.
    pub fn is_reached(&self) -> bool {
        self.inner.borrow().has_reached(&self.state.borrow())
    }

    /// Waits until the stream is over, for whatever reason.
    pub fn poll_over(&self, cx: &mut Context<'_>) -> Poll<Failure> {
        self.state.borrow_mut().poll_over(cx)
    }

    /// Whether the stream is over: nothing sent now would arrive.
    pub fn is_over(&self) -> bool {
        self.open_id().is_err()
    }

    /// Whether everything in this direction has been sent.
    pub fn is_complete(&self) -> bool {
        self.state.borrow().outgoing_ended
    }

    fn open_id(&self) -> Result<u32, Failure> {
        let state = self.state.borrow();
        match &state.over {
            Some(failure) => Err(failure.clone()),
            None if state.outgoing_ended => Err(Failure::Over),
            None => Ok(state.id),
        }
    }

    fn sent_all(&self) {
        self.state.borrow_mut().outgoing_ended = true;
        if self.inner.borrow().side == Side::Worker {
            finish(&self.inner, &self.state, Failure::Over);
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        if self.inner.borrow().side == Side::Worker && !self.is_over() {
            self.fail(&StreamError {
                kind: crate::message::StreamErrorKind::HandlerFailed,
                message: "dropped without an answer".into(),
            });
        }
    }
}

/// Supervisor: tells the worker that nobody waits any more, unless the stream is over.
fn cancel(inner: &Rc<RefCell<Inner>>, state: &Rc<RefCell<State>>) {
    let id = {
        let state = state.borrow();
        if state.over.is_some() {
            return;
        }
        state.id
    };
    inner.borrow_mut().give_up(&state.borrow());
    // Cannot fail: the frame is empty.
    let _ = inner.borrow_mut().put(Kind::Cancel, false, id, |_| Ok(()));
    finish(inner, state, Failure::Over);
}

pub(crate) fn finish(inner: &Rc<RefCell<Inner>>, state: &Rc<RefCell<State>>, failure: Failure) {
    let (id, late) = {
        let state = state.borrow();
        (state.id, if state.incoming_ended { 0 } else { state.allowance })
    };
    inner.borrow_mut().forget(id, late);
    state.borrow_mut().finish(failure);
}
