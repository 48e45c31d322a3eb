//! One request of a connection, and its body.

use std::rc::Rc;
use std::time::Duration;

use super::{Client, Given, Phase};
use crate::edge::pace::{MinRate, Pace};

/// An answer may cost its client a frame to let the next part come for each so many bytes, and some more.
const ANSWERED: (u32, usize) = (4, 2048);

/// One request of a connection, until its response is complete.
#[derive(Debug)]
pub(crate) struct Serving(Rc<Client>);

impl Serving {
    /// A request has been read.
    pub(crate) fn new(client: &Rc<Client>) -> Self {
        client.requests.set(client.requests.get() + 1);
        client.phase.set(Phase::Serving);
        client.has_answer.set(true);
        if !client.is_http2() {
            client.set_head(0);
            client.has_body.set(false);
        }
        Self(client.clone())
    }

    /// The request has a body; until that has been read, a close would make the kernel reset the connection, and the
    /// client might lose the answer.
    pub(crate) fn body(&self) -> Reading {
        self.0.leaves_unread.set(true);
        self.0.has_body.set(true);
        self.0.behind.take();
        Reading(self.0.clone())
    }

    /// The request is not HTTP as it should be.
    pub(crate) fn distrust(&self) {
        self.0.is_unclear.set(true);
    }

    /// Whether the client speaks HTTP/2.
    pub(crate) fn is_http2(&self) -> bool {
        self.0.is_http2()
    }

    /// At this rate, in bytes per second, the client has to take what there is for it.
    pub(crate) fn min_rate(&self, rate: MinRate) {
        self.0.min_rate.set(rate);
    }

    /// More of the answer is wanted: the client has taken what there was, or is about to.
    pub(crate) fn asked(&self) {
        let given = self.0.given.get();
        self.0.given.set(Given { is_asked: true, waits: false, ..given });
    }

    /// So much more of the answer is there for the client.
    pub(crate) fn gave(&self, bytes: usize) {
        let client = &self.0;
        let given = client.given.get();
        client.given.set(Given { is_asked: true, waits: true, bytes: given.bytes + bytes });
        client.passed.set(client.passed.get() + bytes as u64);
        let (some, each) = ANSWERED;
        let forgiven = some + u32::try_from(bytes / each).unwrap_or(u32::MAX - some);
        client.idle_frames.set(client.idle_frames.get().saturating_sub(forgiven));
        client.seat.forgive_idle_frames(forgiven);
    }

    /// All of the answer is there, and the client has yet to take some of it.
    pub(crate) fn waits(&self) {
        let given = self.0.given.get();
        self.0.given.set(Given { is_asked: true, waits: true, ..given });
    }

    /// Whether a client of HTTP/2 lets everything come that it has been given, so many bytes of this answer among it, whatever
    /// it says from now on. What keeps it then is the socket alone.
    pub(crate) fn lets_come(&self, bytes: u64) -> bool {
        self.0.frames.borrow().lets_come(bytes, self.0.passed.get())
    }
}

/// A request body that is being read.
#[derive(Debug)]
pub(crate) struct Reading(Rc<Client>);

impl Reading {
    /// The pace of the client with it, from now on.
    pub(crate) fn pace(&self, limit: Duration, rate: MinRate) -> Rc<Pace> {
        self.0.crowd.pace(limit, rate)
    }

    /// Its end is found by its chunks, and is not certain before.
    pub(crate) fn is_chunked(&self) {
        self.0.is_unclear.set(true);
    }

    /// It has been read to its end.
    pub(crate) fn done(&self) {
        self.0.is_unclear.set(false);
        self.done_with_trailers();
    }

    /// As [`Self::done`]; but hyper ends trailer fields at an empty line of any form, others may not.
    pub(crate) fn done_with_trailers(&self) {
        self.0.leaves_unread.set(false);
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let client = &self.0;
        client.requests.set(client.requests.get() - 1);
        if client.requests.get() == 0 {
            client.phase.set(Phase::Idle(client.crowd.now()));
        }
    }
}
