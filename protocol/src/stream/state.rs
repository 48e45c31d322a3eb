//! The state of a stream, which both of its halves and the connection share.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};

use crate::ProtocolError;
use crate::budget::{Bounds, Budget};
use crate::codec::HeaderBlock;
use crate::head::HeadKind;
use crate::limits::{COPY_BELOW, MOST_WINDOW, READ_BUFFER, STREAM_WINDOW};
use crate::message::{StreamError, UPGRADED};
use crate::side::Side;

/// Why a stream ended before its answer was complete.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The connection ended.
    #[error("the connection ended")]
    Closed {
        /// Whether the peer may have begun to process the stream. If not, another worker may get the request.
        reached: bool,
    },
    /// The acceptor gave up on the stream.
    #[error("{}", .0.message)]
    Peer(StreamError),
    /// The opener gave up the stream, or the stream is complete.
    #[error("the stream is over")]
    Over,
}

/// The head of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseHead {
    /// Status code as sent by the peer, unchecked.
    pub status: u16,
    /// Header fields as sent by the peer, unchecked.
    pub headers: HeaderBlock,
    /// Whether the answer has no body.
    pub end: bool,
}

/// The state of one stream.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) id: u64,
    /// Whether this side has opened it.
    pub(super) is_ours: bool,
    /// Whether a worker has opened it. The chunks of a call that waits must not keep whole read buffers alive.
    pub(super) is_call: bool,
    /// Whether it is a fetch that the peer has opened. The supervisor answers it only while there is room, and it may be cancelled
    /// at any time.
    pub(crate) is_fetch: bool,
    /// Whether it lasts until both directions have ended.
    pub(super) is_upgraded: bool,
    /// Which of its halves have not been dropped.
    pub(super) has_sender: bool,
    pub(super) has_receiver: bool,
    /// The position of its head in the outgoing byte stream, if this side has opened it.
    pub(crate) head_at: u64,
    /// The length of its head with the frame header, in bytes.
    pub(crate) head_len: usize,
    pub(super) head: Option<ResponseHead>,
    pub(super) chunks: VecDeque<Bytes>,
    pub(super) trailers: HeaderBlock,
    pub(super) incoming_ended: bool,
    pub(super) reader: Option<Waker>,
    /// Tasks that wait until the stream is over.
    pub(super) watchers: Vec<Waker>,
    /// Body bytes that the peer may send before any is consumed. They are those in `allowance`, those buffered here, and those
    /// in `consumed`.
    pub(super) window: usize,
    /// The budgets that the window is promised by, if any.
    pub(super) budget: Option<Bounds>,
    /// Body bytes the peer may still send.
    pub(super) allowance: usize,
    /// Body bytes that were consumed and for which the peer has no new credit yet.
    pub(super) consumed: usize,
    /// Body bytes this side may still send.
    pub(super) credit: usize,
    /// The largest `credit` that the peer may grant.
    pub(super) most_credit: usize,
    pub(super) outgoing_ended: bool,
    pub(super) writer: Option<Waker>,
    /// Whether the body waits until fewer bytes of the connection are unsent.
    pub(super) waits_for_room: bool,
    pub(super) over: Option<Failure>,
}

impl State {
    /// Creates the state of a stream that this side opens. The budget bounds its answer.
    pub(crate) fn opened(id: u64, head_at: u64, budget: Option<Bounds>, side: Side) -> Self {
        let window = budget.as_ref().map_or(STREAM_WINDOW, Bounds::first);
        let mut state = Self::new(id, budget, window, side.credit());
        (state.head_at, state.is_ours) = (head_at, true);
        state
    }

    /// Creates the state of a stream that the peer has opened. `credit` is what it grants for the answer; the budget bounds its
    /// body.
    pub(crate) fn accepted(
        id: u64,
        credit: usize,
        budget: Option<Bounds>,
        (peer, kind): (Side, HeadKind),
    ) -> Self {
        let (window, _) = peer.credit();
        if let Some(budget) = &budget {
            budget.promise(0, window);
        }
        let mut state = Self::new(id, budget, window, (credit, MOST_WINDOW));
        state.is_call = peer == Side::Worker;
        state.is_fetch = kind == HeadKind::Fetch;
        state
    }

    fn new(id: u64, budget: Option<Bounds>, window: usize, (credit, most_credit): (usize, usize)) -> Self {
        Self {
            id,
            is_ours: false,
            is_call: false,
            is_fetch: false,
            is_upgraded: false,
            has_sender: true,
            has_receiver: true,
            head_at: 0,
            head_len: 0,
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
        self.is_upgraded = head.status == UPGRADED;
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

    /// Buffers a chunk. Small chunks are joined: kept apart, each would take many times its length in memory, and the window
    /// would not bound that.
    fn keep(&mut self, data: Bytes) {
        match self.chunks.back_mut() {
            Some(last) if last.len() + data.len() <= COPY_BELOW => {
                // Joins without another copy: the decoder has copied chunks as short as this one, so nobody shares the buffer.
                let mut joined = BytesMut::from(std::mem::take(last));
                joined.extend_from_slice(&data);
                *last = joined.freeze();
            }
            // The reader is slow, and a chunk that is not copied keeps a whole read buffer alive.
            _ if self.is_call && data.len() >= COPY_BELOW => {
                self.chunks.push_back(Bytes::copy_from_slice(&data))
            }
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

    /// Ends the stream: no more frames are sent or accepted for it. A body that was complete before stays readable.
    pub(crate) fn finish(&mut self, failure: Failure) {
        if self.over.is_none() {
            self.over = Some(failure);
        }
        wake(&mut self.reader);
        wake(&mut self.writer);
        self.watchers.drain(..).for_each(Waker::wake);
    }

    pub(super) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<Failure> {
        if let Some(failure) = &self.over {
            return Poll::Ready(failure.clone());
        }
        if !self.watchers.iter().any(|waker| waker.will_wake(cx.waker())) {
            self.watchers.push(cx.waker().clone());
        }
        Poll::Pending
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.is_some()
    }

    pub(crate) fn window(&self) -> usize {
        self.window
    }

    /// Has another budget bound what is received: it counts what is promised and buffered now, and the one before no more.
    pub(super) fn move_to(&mut self, budget: Arc<Budget>) {
        let held = self.chunks.iter().map(Bytes::len).sum();
        let bounds = Bounds { app: budget, client: None };
        bounds.promise(0, self.window);
        bounds.hold(0, held);
        if let Some(before) = self.budget.replace(bounds) {
            before.release(self.window);
            before.hold(held, 0);
        }
    }

    fn hold(&self, before: usize, after: usize) {
        if let Some(budget) = &self.budget {
            budget.hold(before, after);
        }
    }

    /// Counts body bytes that the reader has consumed. Returns how many more the peer may send, once that is worth a frame.
    pub(super) fn consume(&mut self, length: usize) -> Option<usize> {
        self.hold(length, 0);
        if self.incoming_ended || self.over.is_some() {
            return None;
        }
        self.consumed += length;
        if self.consumed < self.window / 2 {
            return None;
        }
        let consumed = std::mem::take(&mut self.consumed);
        // The window holds the stream up: the peer has used most of it, and the reader keeps up.
        let kept = self.window.saturating_sub(self.allowance + consumed);
        let is_short = self.allowance <= self.window / 4 && kept <= self.window / 4;
        let next =
            self.budget.as_ref().map_or(self.window, |budget| budget.next(self.window, consumed, is_short));
        let grant = (consumed + next).saturating_sub(self.window);
        self.window = next;
        self.allowance += grant;
        (grant > 0).then_some(grant)
    }

    /// Wakes the writer, as enough of what was unsent has left.
    pub(crate) fn has_room(&mut self) {
        self.waits_for_room = false;
        wake(&mut self.writer);
    }

    pub(crate) fn has_head(&self) -> bool {
        self.head.is_some()
    }

    /// Returns whether its answer has ended or, after an upgrade, both directions.
    pub(crate) fn is_complete(&self) -> bool {
        match (self.is_upgraded, self.is_ours) {
            (true, _) => self.incoming_ended && self.outgoing_ended,
            (false, true) => self.incoming_ended,
            (false, false) => self.outgoing_ended,
        }
    }

    /// Returns whether it is upgraded and a half was dropped whose direction has not ended.
    pub(crate) fn is_abandoned(&self) -> bool {
        let is_missing =
            !self.has_sender && !self.outgoing_ended || !self.has_receiver && !self.incoming_ended;
        self.is_upgraded && is_missing && self.over.is_none()
    }

    /// Marks that the peer sends no body at all.
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

pub(super) fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

pub(super) fn remember(slot: &mut Option<Waker>, cx: &Context<'_>) {
    if !slot.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
        *slot = Some(cx.waker().clone());
    }
}
