//! How long a client may say nothing: it is pinged when it is silent, and counts as gone when that does not help.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// What is due because of silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SilenceDue {
    Ping,
    /// The client counts as gone.
    End,
}

/// Whether a client was heard.
#[derive(Debug, Clone, Copy)]
enum Heard {
    No,
    Yes,
    /// Nothing is read from it, so that it cannot be.
    Unread,
}

/// The silence of one client. It is looked at in steps, so that a message costs no clock.
#[derive(Debug)]
pub(crate) struct Silence {
    ping: Option<Duration>,
    timeout: Option<Duration>,
    /// Whether the client was heard since the last look.
    heard: Heard,
    /// How long it has been silent at the last look.
    silent: Duration,
    /// The next look. None if the client may be silent for ever.
    next: Option<Pin<Box<Sleep>>>,
}

impl Silence {
    /// The client is pinged after a silence of `ping`, and gone after one of `timeout`.
    pub(crate) fn new(ping: Option<Duration>, timeout: Option<Duration>) -> Self {
        let next = ping.or(timeout).map(|step| Box::pin(sleep(step)));
        Self { ping, timeout, heard: Heard::Yes, silent: Duration::ZERO, next }
    }

    /// Notes that the client has said something.
    pub(crate) fn ends(&mut self) {
        self.heard = Heard::Yes;
    }

    /// Notes that nothing is read from the client, so that its pongs cannot be heard. It is pinged even so: if it has closed the
    /// connection, writing fails.
    pub(crate) fn is_unread(&mut self) {
        self.heard = Heard::Unread;
    }

    /// Waits until something is due.
    pub(crate) fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<SilenceDue> {
        let (Some(next), Some(step)) = (&mut self.next, self.ping.or(self.timeout)) else {
            return Poll::Pending;
        };
        while next.as_mut().poll(cx).is_ready() {
            next.as_mut().reset(Instant::now() + step);
            match std::mem::replace(&mut self.heard, Heard::No) {
                Heard::No => self.silent += step,
                Heard::Unread => self.silent = Duration::ZERO,
                Heard::Yes => {
                    self.silent = Duration::ZERO;
                    continue;
                }
            }
            if self.timeout.is_some_and(|timeout| self.silent >= timeout) {
                return Poll::Ready(SilenceDue::End);
            }
            if self.ping.is_some() {
                return Poll::Ready(SilenceDue::Ping);
            }
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_silent_client_is_pinged_and_then_gone() {
        let [ping, end] = [2, 5].map(|seconds| Some(Duration::from_secs(seconds)));
        let mut silence = Silence::new(ping, end);
        let mut due = Vec::new();
        for _ in 0..3 {
            due.push(poll_fn(|cx| silence.poll_due(cx)).await);
            if due.len() == 1 {
                silence.ends();
            }
        }
        assert_eq!(due, [SilenceDue::Ping; 3]);
        assert_eq!(poll_fn(|cx| silence.poll_due(cx)).await, SilenceDue::End);
        let mut only_gone = Silence::new(None, end);
        assert_eq!(poll_fn(|cx| only_gone.poll_due(cx)).await, SilenceDue::End);
        let mut unread = Silence::new(ping, end);
        for _ in 0..9 {
            unread.is_unread();
            assert_eq!(poll_fn(|cx| unread.poll_due(cx)).await, SilenceDue::Ping);
        }
        let mut patient = Silence::new(None, None);
        timeout(Duration::from_secs(1_000_000), poll_fn(|cx| patient.poll_due(cx))).await.unwrap_err();
    }
}
