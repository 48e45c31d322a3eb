//! What a connection, its handle and its streams share: what is to be sent, which streams there are, and whether it goes on.

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

/// State shared by a connection, its handle and its streams.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) side: Side,
    pub(crate) outbox: Outbox,
    pub(crate) streams: FxHashMap<u64, Rc<RefCell<State>>>,
    /// Streams opened so far.
    pub(crate) opened: u64,
    /// Streams that the peer has opened so far, and how many of them are under way.
    pub(crate) accepted: u64,
    pub(crate) theirs: usize,
    /// Which of the opened ones the peer has begun with, if it tells.
    pub(crate) begun: Option<Begun>,
    pub(crate) closed: bool,
    /// Whether it ends with the streams that are under way.
    pub(crate) finishing: bool,
    /// What the peer sends that changes nothing.
    pub(crate) idle: Idle,
    pub(crate) driver: Option<Waker>,
    /// Whether the driver waits, and has to be told of new frames.
    pub(crate) driver_waits: bool,
    /// What bodies that come may hold, and how many unsent bytes it was told of.
    pub(crate) budget: Option<Arc<Budget>>,
    told_unsent: usize,
    /// What is queued for streams that are over.
    backlog: Backlog,
    /// Streams whose bodies wait for unsent bytes to leave.
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

    /// As [`Inner::put`], for what nothing else bounds: a peer that reads nothing could have more and more of it queued.
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

    /// As [`Inner::put`], for what ends a stream of the peer or belongs to its answer.
    pub(crate) fn put_answer(
        &mut self,
        kind: Kind,
        end: bool,
        stream: u64,
        encode: impl FnOnce(&mut BytesMut) -> Result<(), ProtocolError>,
    ) -> Result<(), ProtocolError> {
        // The worker sends as many as the supervisor opens, and need not count.
        match self.side {
            Side::Supervisor => self.put_uncounted(kind, end, stream, encode),
            Side::Worker => self.put(kind, end, stream, encode),
        }
    }

    /// Whether the peer may have begun with a stream: if it tells, whether it has; otherwise, whether a byte of it has left.
    pub(crate) fn has_reached(&self, state: &State) -> bool {
        self.outbox.has_written_beyond(state.head_at)
            && self.begun.as_ref().is_none_or(|begun| begun.count() >= number_of(state.id))
    }

    /// Whether bodies have to wait until more of what is queued has left. Workers are bounded by what the supervisor grants.
    pub(crate) fn is_full(&self) -> bool {
        self.side == Side::Supervisor && self.outbox.len() >= MAX_UNSENT_BODIES
    }

    /// Whether more than enough is kept for a peer that does not read it.
    pub(crate) fn is_behind(&self) -> bool {
        self.side == Side::Supervisor && self.backlog.bytes() >= MAX_UNSENT_BODIES
    }

    /// A stream is given up; its head goes out all the same.
    pub(crate) fn give_up(&mut self, state: &State) {
        if !self.outbox.has_written_beyond(state.head_at) {
            // With the frame that cancels it.
            self.backlog.add(state.head_len + HEADER_LEN, self.outbox.position() + HEADER_LEN as u64);
        }
    }

    /// The body of this stream waits for that.
    pub(crate) fn wait_for_room(&mut self, state: &Rc<RefCell<State>>) {
        self.waiting.push(state.clone());
    }

    /// Some of what was queued may have left.
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

    /// A stream is over.
    pub(crate) fn forget(&mut self, stream: u64) {
        if self.streams.remove(&stream).is_some() && !self.side.opens(stream) {
            self.theirs -= 1;
        }
        if self.is_finished() {
            self.wake_driver();
        }
    }

    /// Whether it was to end with its streams, and they have ended.
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

    /// Streams of this side that are under way.
    pub(crate) fn ours(&self) -> usize {
        self.streams.len() - self.theirs
    }

    /// The id of the next stream of this side; none if there are no more.
    pub(crate) fn next_id(&self) -> Option<u64> {
        Some(self.side.id_of(self.opened + 1)).filter(|id| *id <= MAX_STREAM_ID)
    }

    /// A frame of a stream that is not under way: it was sent before the peer knew of the end, or makes no sense.
    pub(crate) fn late(&mut self, stream: u64) -> Result<(), ProtocolError> {
        let last = if self.side.opens(stream) { self.opened } else { self.accepted };
        if number_of(stream) > last {
            return Err(ProtocolError::Unexpected("frame of a stream that was never opened"));
        }
        self.idle.frame()
    }
}

/// The driver's share of the state: when it goes, the connection has ended.
#[derive(Debug)]
pub(crate) struct Owned(Rc<RefCell<Inner>>);

impl Owned {
    pub(crate) fn new(inner: Rc<RefCell<Inner>>) -> Self {
        Self(inner)
    }

    /// It has ended. A peer that is gone begins with nothing any more.
    pub(crate) fn close(&self, is_peer_gone: bool) {
        let mut inner = self.0.borrow_mut();
        inner.closed = true;
        if !is_peer_gone {
            inner.begun = None;
        }
        let mut streams: Vec<_> = std::mem::take(&mut inner.streams).into_iter().collect();
        // In their order: whoever waits for the next connection waits in this one.
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
