//! The state of one client connection: its addresses, what it is doing, and its time limits.
//!
//! - [`heads`]: where the request heads of an HTTP/1 client end. [`frames`]: the frames that an HTTP/2 client sends.
//! - [`peer`]: the two addresses of a connection.
//! - [`serving`]: one request of a connection.

pub(crate) mod frames;
pub(crate) mod heads;
pub(crate) mod peer;
pub(crate) mod serving;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::edge::admission::{Admission, Admitted, ConnectionSlot, FLOOD, FORGIVEN};
use crate::edge::pace::{Debt, MinRate, TickLimits};
use crate::model::overdue::Overdue;
use frames::Frames;
use heads::Head;

/// Ticks for which a connection must have been idle before it is closed together with its listener. A client that has
/// just received a response may already be sending the next request; it is told to close with the response to that
/// one.
const CLOSING_IDLE: u64 = 4;

/// HTTP/2 frames that are read from one connection before other connections get their turn.
const TURN: u32 = 256;

/// Bytes that are read at once of an HTTP/2 connection with WebSockets: as long as they may begin many frames, and at most.
const SHORT_READ: usize = 4 * 1024;
pub(crate) const LONG_READ: usize = 16 * 1024;

/// Input counts as at least one frame per this many bytes.
const FRAME: usize = 256;

/// What a stream has passed to its client since the stream was last polled.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StreamOutput {
    /// Whether more of the response body was requested.
    pub is_asked: bool,
    /// Whether the client has not taken the last part yet.
    pub waits: bool,
    /// Bytes passed to the client.
    pub bytes: usize,
}

/// What a connection is doing, as far as time limits depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Activity {
    /// Accepted at this tick; nothing has been received yet.
    Fresh(u64),
    /// Idle since this tick.
    Idle(u64),
    /// Part of a request head has been received; it began at this tick.
    ReadingHead(u64),
    /// At least one request is being answered.
    Serving,
}

/// The state of one client connection, shared by its I/O, its requests and the sweep of its thread.
#[derive(Debug)]
pub(crate) struct Client {
    admission: Rc<Admission>,
    slot: ConnectionSlot,
    activity: Cell<Activity>,
    requests: Cell<usize>,
    /// Request bodies of an HTTP/1 client that have neither been read to their end nor been given up.
    unread: Cell<usize>,
    /// Whether the connection speaks HTTP/2. `None` until that is known.
    is_http2: Cell<Option<bool>>,
    frames: RefCell<Frames>,
    /// Bytes received of the unfinished request head.
    head: Cell<usize>,
    /// Whether the request line of that head is complete.
    has_line: Cell<bool>,
    /// The unfinished head that was read after the last complete one.
    behind: Cell<Head>,
    /// Whether the current request has a body, so that further input may belong to it.
    has_body: Cell<bool>,
    /// The tick since which an HTTP/2 header block has been unfinished, if there is one.
    head_since: Cell<Option<u64>>,
    /// Frames that request and carry nothing, minus those that were forgiven.
    idle_frames: Cell<u32>,
    turn: Cell<u32>,
    /// Woken at the next tick. Set while reading pauses because the client has sent too many such frames.
    held_up: RefCell<Option<Waker>>,
    /// Whether the connection's listener is being closed.
    closing: Rc<Cell<bool>>,
    /// WebSockets that are open over HTTP/2.
    sockets: Cell<usize>,
    /// How far the client is behind with reading responses.
    debt: Debt,
    /// The least rate at which clients must read and send, as set by the app of the last request.
    min_rate: Cell<MinRate>,
    /// What the stream that is being polled has passed to the client since the last call of `take_given`.
    given: Cell<StreamOutput>,
    /// Bytes of response bodies passed to the client so far.
    passed: Cell<u64>,
    /// Whether the client may still be sending data that will not be read.
    leaves_unread: Cell<bool>,
    /// Whether other implementations may disagree on where the next request begins.
    is_unclear: Cell<bool>,
    /// Whether the client sends a request body only when it is told to continue, and has not been told yet.
    awaits_continue: Cell<bool>,
    /// Whether what hyper writes may belong to one of our responses: its buffer has not been empty since one began.
    has_answer: Cell<bool>,
    overdue: Cell<Option<Overdue>>,
    /// Woken when `overdue` is set.
    driver: RefCell<Option<Waker>>,
}

impl Client {
    /// Creates the state of a new connection. `closing` becomes true when its listener closes.
    pub(crate) fn new(admission: &Rc<Admission>, slot: ConnectionSlot, closing: &Rc<Cell<bool>>) -> Self {
        let now = admission.now();
        Self {
            admission: admission.clone(),
            slot,
            activity: Cell::new(Activity::Fresh(now)),
            closing: closing.clone(),
            requests: Cell::new(0),
            unread: Cell::new(0),
            is_http2: Cell::new(None),
            frames: RefCell::default(),
            head: Cell::new(0),
            has_line: Cell::new(false),
            behind: Cell::default(),
            has_body: Cell::new(false),
            head_since: Cell::new(None),
            idle_frames: Cell::new(0),
            turn: Cell::new(0),
            held_up: RefCell::default(),
            sockets: Cell::new(0),
            debt: Debt::new(now),
            min_rate: Cell::new(None),
            given: Cell::default(),
            passed: Cell::new(0),
            leaves_unread: Cell::new(false),
            is_unclear: Cell::new(false),
            awaits_continue: Cell::new(false),
            has_answer: Cell::new(false),
            overdue: Cell::new(None),
            driver: RefCell::default(),
        }
    }

    pub(crate) fn admission(&self) -> &Rc<Admission> {
        &self.admission
    }

    /// Polls for the reason why the connection must be closed. Called with every request, so the common case does
    /// almost nothing.
    pub(crate) fn poll_overdue(&self, cx: &mut Context<'_>) -> Poll<Overdue> {
        if let Some(why) = self.overdue.get() {
            return Poll::Ready(why);
        }
        self.turn.set(0);
        let mut driver = self.driver.borrow_mut();
        if !driver.as_ref().is_some_and(|driver| driver.will_wake(cx.waker())) {
            *driver = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    fn set_head(&self, bytes: usize) {
        let before = self.head.replace(bytes);
        if before != bytes {
            self.admission.count_head(before, bytes);
        }
    }

    /// Returns whether the connection speaks HTTP/2, or `None` until enough bytes have been received to tell.
    pub(crate) fn speaks_http2(&self) -> Option<bool> {
        self.is_http2.get()
    }

    /// Returns whether the connection is known to speak HTTP/2.
    pub(crate) fn is_http2(&self) -> bool {
        self.is_http2.get() == Some(true)
    }

    /// Notes that the client may still be sending data that will not be read.
    pub(crate) fn leave_unread(&self) {
        self.leaves_unread.set(true);
    }

    pub(crate) fn leaves_unread(&self) -> bool {
        self.leaves_unread.get()
    }

    /// Returns whether an HTTP/1 connection must end with the response that is due. The listener is closing, or an
    /// intermediary may take the next request to begin elsewhere and would match the next response to the wrong
    /// request, or it is unknown whether a body that was not asked for is going to be sent.
    pub(crate) fn is_last(&self) -> bool {
        self.closing.get() || self.is_unclear.get() || self.awaits_continue.get()
    }

    /// Returns whether input has to be inspected, because it is a request head or consists of HTTP/2 frames.
    pub(crate) fn is_watched(&self) -> bool {
        self.is_http2.get() != Some(false) || self.activity.get() != Activity::Serving || !self.has_body.get()
    }

    /// Returns whether other connections get their turn before more is read.
    pub(crate) fn has_had_its_turn(&self) -> bool {
        self.turn.get() >= TURN || self.overdue.get().is_some()
    }

    /// Returns whether reading stops until the next tick, because the client has sent too many frames that request
    /// nothing, counted over all of its connections.
    pub(crate) fn is_held_up(&self, cx: &Context<'_>) -> bool {
        let is_held_up = self.is_http2() && self.slot.is_flooded();
        if is_held_up {
            *self.held_up.borrow_mut() = Some(cx.waker().clone());
        }
        is_held_up
    }

    /// Returns how many bytes are read at once at most, if that is limited. Messages of WebSockets may be short: so many of them would
    /// wait in h2 before anybody takes them that it would end the connection.
    pub(crate) fn most_read(&self) -> Option<usize> {
        (self.sockets.get() > 0).then(|| self.frames.borrow().left().clamp(SHORT_READ, LONG_READ))
    }

    /// Counts a WebSocket that opens over HTTP/2.
    pub(crate) fn opens_socket(&self) {
        self.sockets.set(self.sockets.get() + 1);
    }

    /// Counts a WebSocket that ends over HTTP/2.
    pub(crate) fn ends_socket(&self) {
        self.sockets.set(self.sockets.get() - 1);
    }

    /// Processes bytes that have been received.
    pub(crate) fn has_read(&self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if self.is_http2.get().is_none() {
            self.is_http2.set(frames::is_http2(self.head.get(), bytes));
            if self.is_http2() {
                *self.frames.borrow_mut() = Frames::after(self.head.get());
                // Frames between requests (PING, SETTINGS) are not an unfinished head.
                self.activity.set(Activity::Idle(self.admission.now()));
                self.set_head(0);
            }
        }
        if self.is_http2() {
            return self.has_read_frames(bytes);
        }
        self.behind.set(self.behind.get().and(bytes));
        match self.activity.get() {
            Activity::Fresh(since) => self.activity.set(Activity::ReadingHead(since)),
            Activity::Idle(_) => self.activity.set(Activity::ReadingHead(self.admission.now())),
            Activity::ReadingHead(_) => {}
            Activity::Serving => return,
        }
        let had_line = self.head.get() > 0 && self.has_line.get();
        self.has_line.set(had_line || bytes.contains(&b'\n'));
        self.set_head(self.head.get() + bytes.len());
    }

    /// Takes what the stream that is being polled has passed to the client since the last call.
    pub(crate) fn take_given(&self) -> StreamOutput {
        self.given.take()
    }

    /// Returns the least rate at which clients must read and send, as set by the app of the last request.
    pub(crate) fn min_rate(&self) -> MinRate {
        self.min_rate.get()
    }

    /// Returns whether the unfinished head has a complete request line.
    pub(crate) fn has_request_line(&self) -> bool {
        self.has_line.get()
    }

    fn has_read_frames(&self, bytes: &[u8]) {
        let mut frames = self.frames.borrow_mut();
        let seen = frames.scan(bytes);
        // A long header block, or one that refers to a large HPACK table, is as much work as many frames.
        let bytes = u32::try_from(bytes.len() / FRAME).unwrap_or(TURN);
        self.turn.set(self.turn.get() + seen.frames.max(bytes));
        let head = frames.head();
        let since = head.and_then(|_| self.head_since.get().or(Some(self.admission.now())));
        self.head_since.set(since);
        self.set_head(head.unwrap_or(0));
        if self.slot.count_idle_frames(seen.idle) {
            self.admission.count_held_up();
        }
        let idle = self.idle_frames.get() + seen.idle;
        self.idle_frames.set(idle);
        if idle > FLOOD {
            self.end(Overdue::Flood);
        }
    }

    /// Counts bytes that were written. `taken` is `None` if the socket takes no more now.
    pub(crate) fn has_written(&self, taken: Option<usize>) {
        if taken.is_some() && self.debt.is_waited_for() && matches!(self.activity.get(), Activity::Idle(_)) {
            self.activity.set(Activity::Idle(self.admission.now()));
        }
        self.debt.waits(taken.is_none());
        self.debt.moved(taken.unwrap_or(0));
    }

    /// Notes that hyper's write buffer is empty.
    pub(crate) fn has_flushed(&self) {
        if self.requests.get() > 0 || !self.has_answer.replace(false) || self.is_http2() {
            return;
        }
        // hyper may have read the beginning of the next head after this request. It serves a complete one at once.
        let behind = self.behind.get();
        if behind.bytes > 0 {
            self.activity.set(Activity::ReadingHead(self.admission.now()));
            self.has_line.set(behind.has_line);
            self.set_head(behind.bytes);
        }
    }

    /// Returns whether what hyper writes can only be its own response to bytes that are not a request.
    pub(crate) fn is_refused(&self) -> bool {
        !self.has_answer.get() && !self.is_http2()
    }
}

impl Admitted for Client {
    fn slot(&self) -> &ConnectionSlot {
        &self.slot
    }

    fn head(&self) -> usize {
        self.head.get()
    }

    fn idle_since(&self) -> Option<u64> {
        if self.overdue.get().is_some() || self.debt.is_waited_for() {
            return None;
        }
        match self.activity.get() {
            Activity::Fresh(since) | Activity::Idle(since) | Activity::ReadingHead(since) => Some(since),
            Activity::Serving => None,
        }
    }

    fn sweep(&self, limits: TickLimits) {
        let now = self.admission.now();
        self.idle_frames.set(self.idle_frames.get().saturating_sub(FORGIVEN));
        if let Some(reader) = self.held_up.take() {
            reader.wake();
        }
        let behind = self.debt.look(now, self.min_rate.get());
        let closing = self.closing.get();
        let soon = |limit: u64| if closing { limit.min(CLOSING_IDLE) } else { limit };
        let (idle, head) = (soon(limits.idle), soon(limits.head));
        let why = match self.activity.get() {
            _ if behind > limits.send => Overdue::Stalled,
            _ if self.head_since.get().is_some_and(|since| now - since > head) => Overdue::Head,
            // The client still has to read responses that are complete here but remain in the socket's buffers.
            _ if self.debt.is_waited_for() => return,
            Activity::Idle(since) if now - since > idle => Overdue::Idle,
            // A connection that never sends anything is treated as one whose head does not arrive.
            Activity::Fresh(since) if closing && now - since > idle => Overdue::Idle,
            Activity::Fresh(since) | Activity::ReadingHead(since) if now - since > head => Overdue::Head,
            _ => return,
        };
        self.end(why);
    }

    fn end(&self, why: Overdue) {
        if self.overdue.get().is_some() {
            return;
        }
        self.overdue.set(Some(why));
        self.set_head(0);
        if let Some(driver) = self.driver.take() {
            driver.wake();
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.set_head(0);
    }
}

#[cfg(test)]
mod tests;
