//! The state that a connection, its handle and its streams share: the queued frames, the open streams, and whether the
//! connection has ended.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

use bytes::{Bytes, BytesMut};
use rustc_hash::FxHashMap;

use crate::ProtocolError;
use crate::backlog::Backlog;
use crate::budget::Budget;
use crate::codec;
use crate::frame::{HEADER_LEN, Kind, MAX_STREAM_ID};
use crate::idle::Idle;
use crate::limits::MAX_UNSENT_BODIES;
use crate::outbox::Outbox;
use crate::side::{Side, number_of};
use crate::stream::{Failure, State};
use crate::witness::Begun;

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) side: Side,
    pub(crate) outbox: Outbox,
    pub(crate) streams: FxHashMap<u64, Rc<RefCell<State>>>,
    /// Streams that this side has opened so far.
    pub(crate) opened: u64,
    /// Streams that the peer has opened so far, and how many of them (`theirs`) are still open.
    pub(crate) accepted: u64,
    pub(crate) theirs: usize,
    /// How many of the streams of this side the peer has begun to process, if the peer reports it.
    pub(crate) begun: Option<Begun>,
    pub(crate) closed: bool,
    /// Whether the connection ends as soon as no stream is open.
    pub(crate) finishing: bool,
    pub(crate) idle: Idle,
    pub(crate) driver: Option<Waker>,
    /// Whether the driver waits and has to be woken for new frames.
    pub(crate) driver_waits: bool,
    /// Bounds the bodies that are received; `told_unsent` is the number of unsent bytes reported to it last.
    pub(crate) budget: Option<Arc<Budget>>,
    told_unsent: usize,
    /// Queued bytes of streams that are over, and others that no window bounds.
    backlog: Backlog,
    /// Streams whose bodies wait until fewer bytes are unsent.
    waiting: Vec<Rc<RefCell<State>>>,
}

impl Inner {
    pub(crate) fn new(side: Side) -> Self {
        Self {
            side,
            outbox: Outbox::default(),
            streams: FxHashMap::default(),
            opened: 0,
            accepted: 0,
            theirs: 0,
            begun: None,
            closed: false,
            finishing: false,
            idle: Idle::default(),
            driver: None,
            driver_waits: false,
            budget: None,
            told_unsent: 0,
            backlog: Backlog::default(),
            waiting: Vec::new(),
        }
    }

    pub(crate) fn put(
        &mut self,
        kind: Kind,
        end: bool,
        stream: u64,
        encode: impl FnOnce(&mut BytesMut) -> Result<(), ProtocolError>,
    ) -> Result<(), ProtocolError> {
        self.outbox.frame(kind, end, stream, encode)?;
        self.wake_driver();
        Ok(())
    }

    pub(crate) fn put_chunk(&mut self, stream: u64, end: bool, data: Bytes) {
        self.outbox.chunk(stream, end, data);
        self.wake_driver();
    }

    pub(crate) fn put_credit(&mut self, stream: u64, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        // Cannot fail: the payload is at most five bytes.
        let _ = self.put_uncounted(Kind::Credit, false, stream, |out| codec::encode(&bytes, out));
    }

    /// Queues a frame that no other limit bounds, and counts it in the backlog. Otherwise a peer that does not read could make
    /// the queue grow without end.
    pub(crate) fn put_uncounted(
        &mut self,
        kind: Kind,
        end: bool,
        stream: u64,
        encode: impl FnOnce(&mut BytesMut) -> Result<(), ProtocolError>,
    ) -> Result<(), ProtocolError> {
        let before = self.outbox.position();
        self.put(kind, end, stream, encode)?;
        let after = self.outbox.position();
        self.backlog.add((after - before) as usize, after);
        Ok(())
    }

    /// Queues a frame that ends a stream of the peer or belongs to its answer.
    pub(crate) fn put_answer(
        &mut self,
        kind: Kind,
        end: bool,
        (stream, is_fetch): (u64, bool),
        encode: impl FnOnce(&mut BytesMut) -> Result<(), ProtocolError>,
    ) -> Result<(), ProtocolError> {
        // A worker sends no more of these than the supervisor opens streams, so it does not count them.
        match self.side {
            Side::Supervisor if !is_fetch => self.put_uncounted(kind, end, stream, encode),
            // The answer to a fetch is queued when there is room.
            Side::Supervisor | Side::Worker => self.put(kind, end, stream, encode),
        }
    }

    /// Returns whether the peer may have begun to process a stream: a byte of its head has left, and the peer, if it reports
    /// that, has begun.
    pub(crate) fn has_reached(&self, state: &State) -> bool {
        self.outbox.has_written_beyond(state.head_at)
            && self.begun.as_ref().is_none_or(|begun| begun.count() >= number_of(state.id))
    }

    /// Returns whether bodies have to wait until fewer bytes are unsent. In a worker they never do: the credit that the
    /// supervisor grants bounds them.
    pub(crate) fn is_full(&self) -> bool {
        self.side == Side::Supervisor && self.outbox.len() >= MAX_UNSENT_BODIES
    }

    /// Returns whether the backlog is over its limit because the peer does not read.
    pub(crate) fn is_behind(&self) -> bool {
        self.side == Side::Supervisor && self.backlog.bytes() >= MAX_UNSENT_BODIES
    }

    /// Counts the head of a stream that is given up before its head was sent: the head is sent nevertheless.
    pub(crate) fn give_up(&mut self, state: &State) {
        if !self.outbox.has_written_beyond(state.head_at) {
            // The frame that cancels it is counted with it.
            self.backlog.add(state.head_len + HEADER_LEN, self.outbox.position() + HEADER_LEN as u64);
        }
    }

    /// Has the stream woken when the connection is no longer [full](Self::is_full).
    pub(crate) fn wait_for_room(&mut self, state: &Rc<RefCell<State>>) {
        // A peer that does not read may open and give up any number of them.
        if self.waiting.len() > 2 * self.streams.len() {
            self.waiting.retain(|waiting| !waiting.borrow().is_over());
        }
        self.waiting.push(state.clone());
    }

    /// Updates all counts after a write.
    pub(crate) fn written(&mut self) {
        let unsent = self.outbox.len();
        if let Some(budget) = &self.budget {
            budget.hold(std::mem::replace(&mut self.told_unsent, unsent), unsent);
        }
        self.backlog.written(self.outbox.written());
        if unsent < MAX_UNSENT_BODIES / 2 {
            for state in self.waiting.drain(..) {
                state.borrow_mut().has_room();
            }
        }
    }

    /// Removes a stream that is over.
    pub(crate) fn forget(&mut self, stream: u64) {
        if self.streams.remove(&stream).is_some() && !self.side.opens(stream) {
            self.theirs -= 1;
        }
        if self.is_finished() {
            self.wake_driver();
        }
    }

    /// Returns whether the connection is finishing, no stream is open and everything is sent.
    pub(crate) fn is_finished(&self) -> bool {
        self.finishing && self.streams.is_empty() && self.outbox.is_empty()
    }

    pub(crate) fn wake_driver(&mut self) {
        if std::mem::take(&mut self.driver_waits)
            && let Some(driver) = &self.driver
        {
            driver.wake_by_ref();
        }
    }

    /// Returns how many streams of this side are open.
    pub(crate) fn ours(&self) -> usize {
        self.streams.len() - self.theirs
    }

    /// Returns the id of the next stream of this side; none if all ids are used.
    pub(crate) fn next_id(&self) -> Option<u64> {
        Some(self.side.id_of(self.opened + 1)).filter(|id| *id <= MAX_STREAM_ID)
    }

    /// Accepts a frame of a stream that is over: it was sent before the peer knew of the end.
    ///
    /// # Errors
    /// [`ProtocolError::Unexpected`] if there never was such a stream, [`ProtocolError::Flood`] if such frames are too many.
    pub(crate) fn late(&mut self, stream: u64) -> Result<(), ProtocolError> {
        let last = if self.side.opens(stream) { self.opened } else { self.accepted };
        if number_of(stream) > last {
            return Err(ProtocolError::Unexpected("frame of a stream that was never opened"));
        }
        self.idle.frame()
    }
}

/// The driver's reference to the state. Dropping it ends the connection.
#[derive(Debug)]
pub(crate) struct Owned(Rc<RefCell<Inner>>);

impl Owned {
    pub(crate) fn new(inner: Rc<RefCell<Inner>>) -> Self {
        Self(inner)
    }

    /// Ends the connection and fails every stream. The count of begun streams is exact only if the peer is gone, as it cannot
    /// begin further ones then.
    pub(crate) fn close(&self, is_peer_gone: bool) {
        let mut inner = self.0.borrow_mut();
        inner.closed = true;
        if !is_peer_gone {
            inner.begun = None;
        }
        let mut streams: Vec<_> = std::mem::take(&mut inner.streams).into_iter().collect();
        // In the order of their ids, so that those who retry on another connection keep their order.
        streams.sort_unstable_by_key(|(id, _)| *id);
        inner.theirs = 0;
        inner.waiting.clear();
        let reached: Vec<_> = streams
            .into_iter()
            .map(|(_, state)| {
                let reached = inner.has_reached(&state.borrow());
                (state, reached)
            })
            .collect();
        drop(inner);
        for (state, reached) in reached {
            state.borrow_mut().finish(Failure::Closed { reached });
        }
    }
}

impl std::ops::Deref for Owned {
    type Target = Rc<RefCell<Inner>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(budget) = &self.budget {
            budget.hold(self.told_unsent, 0);
        }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        self.close(false);
    }
}
