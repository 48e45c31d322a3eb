//! One client connection: where it leads, what it is doing, and how long it may.
//!
//! - [`io`]: its socket as hyper sees it.

pub mod io;

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// How often connections are looked at. Time is counted in these, so that no request costs a timer or a look at a clock.
pub const TICK: Duration = Duration::from_millis(250);

/// For how long a connection must have been idle before it is ended with its listener: a client that has just had its answer
/// may already be sending the next request, and is told to close with the answer to that.
const CLOSING_IDLE: u64 = 4;

/// What a connection is doing, as far as time limits are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing at all so far, since this tick.
    Fresh(u64),
    /// Nothing, since this tick.
    Idle(u64),
    /// Part of a request head has come, since this tick.
    ReadingHead(u64),
    /// Requests are being answered.
    Serving,
}

/// Where a connection leads from and to.
#[derive(Debug)]
pub struct Peer {
    /// The client's address.
    pub address: SocketAddr,
    /// Its IP address as text, which every request carries on.
    pub ip: String,
    /// The address it connected to.
    pub local: SocketAddr,
}

impl Peer {
    /// What is known of an accepted connection.
    pub fn new(address: SocketAddr, local: SocketAddr) -> Self {
        Self { address, ip: address.ip().to_canonical().to_string(), local }
    }
}

/// The state of one client connection, shared by its I/O, its requests and the sweep of its thread.
#[derive(Debug)]
pub struct Client {
    phase: Cell<Phase>,
    requests: Cell<usize>,
    is_http2: Cell<bool>,
    clock: Rc<Cell<u64>>,
    /// Whether the listener it came through is being closed.
    closing: Rc<Cell<bool>>,
    /// Since this tick the client has not taken what there is for it.
    stalled: Cell<Option<u64>>,
    /// The client may be sending what nobody will read.
    leaves_unread: Cell<bool>,
    /// Where the next request would begin may be read in more than one way.
    is_unclear: Cell<bool>,
    overdue: Cell<Option<Overdue>>,
    /// Whom to tell of that.
    driver: RefCell<Option<Waker>>,
}

/// Why a connection is closed by the sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overdue {
    /// It was idle for too long.
    Idle,
    /// Its request head took too long.
    Head,
    /// It did not take its answer.
    Stalled,
}

/// Time limits of a connection, in ticks.
#[derive(Debug, Clone, Copy)]
pub struct TickLimits {
    /// Without a request.
    pub idle: u64,
    /// For one request head.
    pub head: u64,
    /// Without taking any byte of an answer.
    pub send: u64,
}

impl Client {
    /// A fresh connection; `clock` counts ticks, and `closing` becomes true when it is to end soon.
    pub fn new(clock: &Rc<Cell<u64>>, closing: &Rc<Cell<bool>>) -> Self {
        Self {
            phase: Cell::new(Phase::Fresh(clock.get())),
            closing: closing.clone(),
            requests: Cell::new(0),
            is_http2: Cell::new(false),
            clock: clock.clone(),
            stalled: Cell::new(None),
            leaves_unread: Cell::new(false),
            is_unclear: Cell::new(false),
            overdue: Cell::new(None),
            driver: RefCell::default(),
        }
    }

    /// A request has been read.
    pub fn serve(self: &Rc<Self>) -> Serving {
        self.requests.set(self.requests.get() + 1);
        self.phase.set(Phase::Serving);
        Serving(self.clone())
    }

    /// Ready when the sweep wants the connection closed. Polled with every request, so it does next to nothing.
    pub fn poll_overdue(&self, cx: &mut Context<'_>) -> Poll<Overdue> {
        if let Some(why) = self.overdue.get() {
            return Poll::Ready(why);
        }
        let mut driver = self.driver.borrow_mut();
        if !driver.as_ref().is_some_and(|driver| driver.will_wake(cx.waker())) {
            *driver = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Closes the connection if it has been in one phase for longer than the limits allow.
    pub fn sweep(&self, limits: TickLimits) {
        let now = self.clock.get();
        let idle = if self.closing.get() { limits.idle.min(CLOSING_IDLE) } else { limits.idle };
        let why = match (self.phase.get(), self.stalled.get()) {
            (_, Some(since)) if now - since > limits.send => Overdue::Stalled,
            (Phase::Idle(since), _) if now - since > idle => Overdue::Idle,
            // Sooner or later one that never says anything is one whose head does not come.
            (Phase::Fresh(since), _) if self.closing.get() && now - since > idle => Overdue::Idle,
            (Phase::Fresh(since) | Phase::ReadingHead(since), _) if now - since > limits.head => {
                Overdue::Head
            }
            _ => return,
        };
        self.overdue.set(Some(why));
        if let Some(driver) = self.driver.take() {
            driver.wake();
        }
    }

    /// Whether the connection speaks HTTP/2, as far as is known.
    pub fn is_http2(&self) -> bool {
        self.is_http2.get()
    }

    /// The connection speaks HTTP/2: what comes between requests (pings, settings) is no head under way.
    pub fn speaks_http2(&self) {
        self.is_http2.set(true);
    }

    /// Whether the client may be sending what nobody will read.
    pub fn leaves_unread(&self) -> bool {
        self.leaves_unread.get()
    }

    /// Whether a connection of HTTP/1 has to end with the answer now due: others may read what follows from another place, and
    /// would take the next answer for that to another request.
    pub fn is_unclear(&self) -> bool {
        self.is_unclear.get()
    }

    fn has_read(&self) {
        match self.phase.get() {
            Phase::Fresh(since) => self.phase.set(Phase::ReadingHead(since)),
            Phase::Idle(_) if self.is_http2.get() => self.phase.set(Phase::Idle(self.clock.get())),
            Phase::Idle(_) => self.phase.set(Phase::ReadingHead(self.clock.get())),
            Phase::ReadingHead(_) | Phase::Serving => {}
        }
    }

    fn has_written(&self, taken: bool) {
        let since = if taken { None } else { self.stalled.get().or(Some(self.clock.get())) };
        self.stalled.set(since);
    }

    /// Whether what hyper writes now may be its own answer to bytes that are no request.
    fn may_be_refused(&self) -> bool {
        self.requests.get() == 0 && !self.is_http2.get()
    }
}

/// One request of a connection, until its response is complete.
#[derive(Debug)]
pub struct Serving(Rc<Client>);

impl Serving {
    /// The request has a body; until that has been read, a close would make the kernel reset the connection, and the
    /// client might lose the answer.
    pub fn body(&self) -> Reading {
        self.0.leaves_unread.set(true);
        Reading(self.0.clone())
    }

    /// The request is not HTTP as it should be.
    pub fn distrust(&self) {
        self.0.is_unclear.set(true);
    }
}

/// A request body that is being read.
#[derive(Debug)]
pub struct Reading(Rc<Client>);

impl Reading {
    /// Its end is found by its chunks, and is not certain before.
    pub fn is_chunked(&self) {
        self.0.is_unclear.set(true);
    }

    /// It has been read to its end.
    pub fn done(&self) {
        self.0.is_unclear.set(false);
        self.done_with_trailers();
    }

    /// As [`Self::done`]; but hyper ends trailer fields at an empty line of any form, others may not.
    pub fn done_with_trailers(&self) {
        self.0.leaves_unread.set(false);
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let client = &self.0;
        client.requests.set(client.requests.get() - 1);
        if client.requests.get() == 0 {
            client.phase.set(Phase::Idle(client.clock.get()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_slow_and_stalled_connections_are_overdue_and_busy_ones_are_not() {
        let clock = Rc::new(Cell::new(0));
        let closing = Rc::new(Cell::new(false));
        let client = Rc::new(Client::new(&clock, &closing));
        let overdue = || {
            client.sweep(TickLimits { idle: 10, head: 5, send: 20 });
            client.overdue.take()
        };
        clock.set(5);
        assert_eq!(overdue(), None);
        clock.set(6);
        assert_eq!(overdue(), Some(Overdue::Head));
        let serving = client.serve();
        clock.set(100);
        assert_eq!(overdue(), None);
        client.has_written(false);
        clock.set(110);
        client.has_written(false);
        clock.set(120);
        assert_eq!(overdue(), None);
        clock.set(121);
        assert_eq!(overdue(), Some(Overdue::Stalled));
        client.has_written(true);
        assert_eq!(overdue(), None);
        clock.set(100);
        drop(serving);
        clock.set(110);
        assert_eq!(overdue(), None);
        clock.set(111);
        assert_eq!(overdue(), Some(Overdue::Idle));
        client.has_read();
        assert_eq!(overdue(), None);
        clock.set(117);
        assert_eq!(overdue(), Some(Overdue::Head));
    }

    #[test]
    fn a_connection_that_is_to_close_ends_once_it_has_been_idle_for_a_moment() {
        let (clock, closing) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(true)));
        let client = Rc::new(Client::new(&clock, &closing));
        let overdue = || {
            client.sweep(TickLimits { idle: 100, head: 100, send: 100 });
            client.overdue.take()
        };
        assert_eq!(overdue(), None);
        clock.set(CLOSING_IDLE + 1);
        assert_eq!(overdue(), Some(Overdue::Idle), "it never said anything");
        let serving = client.serve();
        clock.set(50);
        assert_eq!(overdue(), None);
        drop(serving);
        clock.set(50 + CLOSING_IDLE);
        assert_eq!(overdue(), None);
        clock.set(51 + CLOSING_IDLE);
        assert_eq!(overdue(), Some(Overdue::Idle));
    }
}
