//! What a peer sends that changes nothing. Some of that is in the nature of things: frames of a stream that were on their way when
//! it ended, answers to pings. A peer that sends more and more of it only takes time from others.

use crate::ProtocolError;
use crate::limits::{MAX_IDLE_FRAMES, MOST_WINDOW};

/// Frames besides those of its body that may still come of a stream that is over: its head, its end, an error, credit.
const LATE: usize = 8;

/// Answers that a ping may have.
const ANSWERS: usize = 4;

/// Most frames that are expected at once; in truth there are never nearly as many.
const MOST: usize = 4 * MOST_WINDOW;

/// Counts them.
#[derive(Debug, Default)]
pub(crate) struct Idle {
    frames: u32,
    /// That may come, because of what has happened here.
    expected: usize,
    /// Streams that the peer has opened and cancelled, less those that were answered.
    cancelled: u32,
}

impl Idle {
    /// A stream is over for this side, of which so many body bytes may be on their way, each in a frame of its own.
    pub(crate) fn ended(&mut self, bytes: usize) {
        self.expect(bytes + LATE);
    }

    /// The peer has been asked for a sign of life.
    pub(crate) fn asked(&mut self) {
        self.expect(ANSWERS);
    }

    fn expect(&mut self, frames: usize) {
        self.expected = (self.expected + frames).min(MOST);
    }

    /// A frame that changes nothing.
    ///
    /// # Errors
    /// [`ProtocolError::Flood`] if there are too many.
    pub(crate) fn frame(&mut self) -> Result<(), ProtocolError> {
        if self.expected > 0 {
            self.expected -= 1;
            return Ok(());
        }
        self.frames += 1;
        if self.frames > MAX_IDLE_FRAMES { Err(ProtocolError::Flood) } else { Ok(()) }
    }

    /// A stream that the peer has opened, and cancelled before it was answered. Nothing calls for that.
    ///
    /// # Errors
    /// [`ProtocolError::Flood`] if there are too many.
    pub(crate) fn cancelled(&mut self) -> Result<(), ProtocolError> {
        self.cancelled += 1;
        if self.cancelled > MAX_IDLE_FRAMES { Err(ProtocolError::Flood) } else { Ok(()) }
    }

    /// A stream that the peer has opened was answered.
    pub(crate) fn answered(&mut self) {
        self.cancelled = self.cancelled.saturating_sub(1);
    }

    /// A frame of which something comes.
    pub(crate) fn forgive(&mut self) {
        self.frames = self.frames.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_costs_nothing_and_no_more_is_expected_than_can_be() {
        let mut idle = Idle::default();
        idle.ended(10);
        idle.asked();
        for _ in 0..10 + LATE + ANSWERS + MAX_IDLE_FRAMES as usize {
            idle.frame().unwrap();
        }
        assert!(idle.frame().is_err());
        let mut idle = Idle::default();
        (0..1000).for_each(|_| idle.ended(MOST_WINDOW));
        assert_eq!(idle.expected, MOST);
    }

    #[test]
    fn what_changes_something_forgives_as_much() {
        let mut idle = Idle::default();
        for _ in 0..10 * MAX_IDLE_FRAMES {
            idle.frame().unwrap();
            idle.forgive();
        }
    }
}
