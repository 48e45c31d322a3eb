//! What a connection, its handle and its streams share: what is to be sent, which streams there are, and whether it goes on.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

use bytes::{Bytes, BytesMut};
use rustc_hash::FxHashMap;

use crate::ProtocolError;
use crate::budget::Budget;
use crate::codec;
use crate::frame::{HEADER_LEN, Kind};
use crate::idle::Idle;
use crate::limits::MAX_UNSENT_BODIES;
use crate::outbox::Outbox;
use crate::stream::{Failure, State};
use crate::witness::Begun;

/// Which end of the connection this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Opens streams.
    Supervisor,
    /// Answers them.
    Worker,
}

/// State shared by a connection, its handle and its streams.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) side: Side,
    pub(crate) outbox: Outbox,
    pub(crate) streams: FxHashMap<u32, Rc<RefCell<State>>>,
    pub(crate) last_id: u32,
    /// Streams opened so far.
    pub(crate) opened: u64,
    /// Which of them the peer has begun with, if it tells.
    pub(crate) begun: Option<Begun>,
    pub(crate) closed: bool,
    /// Whether it ends with the streams that are under way.
    pub(crate) finishing: bool,
    /// What the peer sends that changes nothing.
    pub(crate) idle: Idle,
    pub(crate) driver: Option<Waker>,
    /// Whether the driver waits, and has to be told of new frames.
    pub(crate) driver_waits: bool,
    /// What responses may hold, and how many unsent bytes it was told of.
    pub(crate) budget: Option<Arc<Budget>>,
    told_unsent: usize,
    /// Bytes of heads that are unsent although their streams were given up: nothing else counts them.
    given_up: usize,
    /// Streams whose bodies wait for unsent bytes to leave.
    waiting: Vec<Rc<RefCell<State>>>,
}

impl Inner {
    pub(crate) fn new(side: Side) -> Self {
        Self {
            side,
            outbox: Outbox::default(),
            streams: FxHashMap::default(),
            last_id: 0,
            opened: 0,
            begun: None,
            closed: false,
            finishing: false,
            idle: Idle::default(),
            driver: None,
            driver_waits: false,
            budget: None,
            told_unsent: 0,
            given_up: 0,
            waiting: Vec::new(),
        }
    }

    pub(crate) fn put(
        &mut self,
        kind: Kind,
        end: bool,
        stream: u32,
        encode: impl FnOnce(&mut BytesMut) -> Result<(), ProtocolError>,
    ) -> Result<(), ProtocolError> {
        self.outbox.frame(kind, end, stream, encode)?;
        self.wake_driver();
        Ok(())
    }

    pub(crate) fn put_chunk(&mut self, stream: u32, end: bool, data: Bytes) {
        self.outbox.chunk(stream, end, data);
        self.wake_driver();
    }

    pub(crate) fn put_credit(&mut self, stream: u32, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        // Cannot fail: the payload is at most five bytes.
        let _ = self.put(Kind::Credit, false, stream, |out| codec::encode(&bytes, out));
    }

    /// Whether the peer may have begun with a stream: if it tells, whether it has; otherwise, whether a byte of it has left.
    pub(crate) fn has_reached(&self, state: &State) -> bool {
        self.outbox.has_written_beyond(state.head_at)
            && self.begun.as_ref().is_none_or(|begun| begun.count() >= state.ordinal)
    }

    /// Whether bodies have to wait until more of what is queued has left. Workers are bounded by what the supervisor grants.
    pub(crate) fn is_full(&self) -> bool {
        self.side == Side::Supervisor && self.outbox.len() >= MAX_UNSENT_BODIES
    }

    /// Whether more than enough is kept for the peer that nobody waits for any more.
    pub(crate) fn is_behind(&self) -> bool {
        self.given_up >= MAX_UNSENT_BODIES
    }

    /// A stream is given up; its head goes out all the same.
    pub(crate) fn give_up(&mut self, state: &State) {
        if !self.outbox.has_written_beyond(state.head_at) {
            // With the frame that cancels it.
            self.given_up += state.head_len + HEADER_LEN;
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
        self.given_up = self.given_up.min(unsent);
        if unsent < MAX_UNSENT_BODIES / 2 {
            for state in self.waiting.drain(..) {
                state.borrow_mut().has_room();
            }
        }
    }

    /// A stream is over, of which so many body bytes may be on their way.
    pub(crate) fn forget(&mut self, stream: u32, late: usize) {
        self.idle.ended(late);
        self.streams.remove(&stream);
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

    pub(crate) fn next_id(&mut self) -> u32 {
        loop {
            self.last_id = self.last_id.wrapping_add(1);
            if self.last_id != 0 && !self.streams.contains_key(&self.last_id) {
                return self.last_id;
            }
        }
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
        streams.sort_unstable_by_key(|(_, state)| state.borrow().ordinal);
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
