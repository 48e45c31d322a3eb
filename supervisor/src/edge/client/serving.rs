//! A request in progress on a connection, and its body.

use std::rc::Rc;
use std::time::Duration;

use super::{Activity, Client, StreamOutput};
use crate::edge::pace::{MinRate, Pace};

/// Idle frames forgiven with each part of a response: a fixed number, and one per this many bytes, since the client has
/// to send WINDOW_UPDATE frames for them.
const ANSWERED: (u32, usize) = (4, 2048);

/// A request in progress, until its response is complete.
#[derive(Debug)]
pub(crate) struct Serving(Rc<Client>);

impl Serving {
    /// Begins a request whose head has been read.
    pub(crate) fn new(client: &Rc<Client>) -> Self {
        client.requests.set(client.requests.get() + 1);
        client.activity.set(Activity::Serving);
        client.has_answer.set(true);
        if !client.is_http2() {
            client.set_head(0);
            client.has_body.set(false);
            client.leaves_unread.set(false);
        }
        Self(client.clone())
    }

    /// Notes that the request has a body. If the socket were closed before the body has been read, the kernel would
    /// reset the connection, and the client might lose the response.
    pub(crate) fn body(&self) -> Reading {
        self.0.leaves_unread.set(true);
        self.0.has_body.set(true);
        self.0.behind.take();
        Reading(self.0.clone())
    }

    /// Notes that the connection carries a WebSocket from now on: what comes is no request.
    pub(crate) fn upgraded(&self) {
        self.0.has_body.set(true);
    }

    /// Notes that the request is malformed, so that an HTTP/1 connection ends after it.
    pub(crate) fn distrust(&self) {
        self.0.is_unclear.set(true);
    }

    pub(crate) fn is_http2(&self) -> bool {
        self.0.is_http2()
    }

    /// Sets the least rate, in bytes per second, at which the client must read.
    pub(crate) fn min_rate(&self, rate: MinRate) {
        self.0.min_rate.set(rate);
    }

    /// See [`Client::asked`].
    pub(crate) fn asked(&self) {
        self.0.asked();
    }

    /// See [`Client::gave`].
    pub(crate) fn gave(&self, bytes: usize) {
        self.0.gave(bytes);
    }

    /// See [`Client::waits`].
    pub(crate) fn waits(&self) {
        self.0.waits();
    }

    /// Returns whether the windows of an HTTP/2 client already allow everything that was passed to it, including this
    /// many bytes of this response. If so, only the socket can delay it.
    pub(crate) fn lets_come(&self, bytes: u64) -> bool {
        self.0.frames.borrow().lets_come(bytes, self.0.passed.get())
    }
}

/// A request body that is being read.
#[derive(Debug)]
pub(crate) struct Reading(Rc<Client>);

impl Reading {
    /// Starts to watch the client's pace with the body.
    pub(crate) fn pace(&self, limit: Duration, rate: MinRate) -> Rc<Pace> {
        self.0.admission.pace(limit, rate)
    }

    /// Notes that the body is chunked: where it ends is only known when it has been read.
    pub(crate) fn is_chunked(&self) {
        self.0.is_unclear.set(true);
    }

    /// Notes that the body was read to its end.
    pub(crate) fn done(&self) {
        self.0.is_unclear.set(false);
        self.done_with_trailers();
    }

    /// Notes that the body was read to its end, with trailer fields. hyper accepts any form of empty line after these,
    /// but other implementations may not, so the connection stays unclear.
    pub(crate) fn done_with_trailers(&self) {
        self.0.leaves_unread.set(false);
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.requests.set(self.0.requests.get() - 1);
        self.0.rest();
    }
}

/// The request body of an HTTP/1 client, until it has been read to its end or given up. The connection is not idle
/// meanwhile, even if the response is complete.
#[derive(Debug)]
pub(crate) struct Unread(Rc<Client>);

impl Unread {
    /// Begins a body. `awaits_continue` tells whether the client waits for an interim response before it sends it.
    pub(crate) fn new(client: &Rc<Client>, awaits_continue: bool) -> Self {
        client.unread.set(client.unread.get() + 1);
        client.awaits_continue.set(awaits_continue);
        Self(client.clone())
    }

    /// Notes that the body is being read. If the client waits for an interim response, hyper sends it.
    pub(crate) fn begin(&self) {
        self.0.awaits_continue.set(false);
    }

    /// Notes that the body was read to its end after the response.
    pub(crate) fn discarded(&self) {
        // Otherwise the next request has begun, and decides for itself.
        if self.0.requests.get() == 0 {
            self.0.leaves_unread.set(false);
        }
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        self.0.unread.set(self.0.unread.get() - 1);
        self.0.rest();
    }
}

impl Client {
    /// Makes the connection idle if nothing is in progress.
    fn rest(&self) {
        if self.requests.get() == 0 && self.unread.get() == 0 {
            self.activity.set(Activity::Idle(self.admission.now()));
        }
    }

    /// Notes that more of the response is requested: the client has taken all that there was, or is about to.
    pub(crate) fn asked(&self) {
        let given = self.given.get();
        self.given.set(StreamOutput { is_asked: true, waits: false, ..given });
    }

    /// Counts this many more bytes of the response as passed to the client.
    pub(crate) fn gave(&self, bytes: usize) {
        let given = self.given.get();
        self.given.set(StreamOutput { is_asked: true, waits: true, bytes: given.bytes + bytes });
        self.passed.set(self.passed.get() + bytes as u64);
        let (some, each) = ANSWERED;
        let forgiven = some + u32::try_from(bytes / each).unwrap_or(u32::MAX - some);
        self.idle_frames.set(self.idle_frames.get().saturating_sub(forgiven));
        self.slot.forgive_idle_frames(forgiven);
    }

    /// Notes that the response is complete but the client has not taken all of it yet.
    pub(crate) fn waits(&self) {
        let given = self.given.get();
        self.given.set(StreamOutput { is_asked: true, waits: true, ..given });
    }

    /// Has the connection polled.
    pub(crate) fn wake(&self) {
        if let Some(driver) = &*self.driver.borrow() {
            driver.wake_by_ref();
        }
    }
}
