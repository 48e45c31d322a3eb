//! Limits the frames of a peer that have no effect. Some of them are expected: frames of a stream that were in transit when it
//! ended, and answers to pings. A peer that sends many others only takes time from the rest.

use crate::ProtocolError;
use crate::limits::{MAX_IDLE_FRAMES, MOST_WINDOW};

/// Frames that may still arrive for a stream that is over, besides those of its body: its head, its end, an error, credit.
const LATE: usize = 8;

/// Frames with which a peer may answer one ping.
const ANSWERS: usize = 4;

/// Most frames that are expected at once. The real number is always far lower.
const MOST: usize = 4 * MOST_WINDOW;

/// Counts frames without effect.
#[derive(Debug, Default)]
pub(crate) struct Idle {
    frames: u32,
    /// Frames without effect that may arrive because of what this side has done. They are not counted.
    expected: usize,
    /// Streams that the peer has opened and cancelled, minus those that were answered.
    cancelled: u32,
}

impl Idle {
    /// Expects late frames of a stream that has ended on this side. `bytes` of its body may be in transit, each in a frame of
    /// its own.
    pub(crate) fn ended(&mut self, bytes: usize) {
        self.expect(bytes + LATE);
    }

    /// Expects the answers to a ping.
    pub(crate) fn asked(&mut self) {
        self.expect(ANSWERS);
    }

    fn expect(&mut self, frames: usize) {
        self.expected = (self.expected + frames).min(MOST);
    }

    /// Counts a frame without effect.
    ///
    /// # Errors
    /// [`ProtocolError::Flood`] if they are too many.
    pub(crate) fn frame(&mut self) -> Result<(), ProtocolError> {
        if self.expected > 0 {
            self.expected -= 1;
            return Ok(());
        }
        self.frames += 1;
        if self.frames > MAX_IDLE_FRAMES { Err(ProtocolError::Flood) } else { Ok(()) }
    }

    /// Counts a stream that the peer has opened and then cancelled before it was answered. This side never causes that.
    ///
    /// # Errors
    /// [`ProtocolError::Flood`] if they are too many.
    pub(crate) fn cancelled(&mut self) -> Result<(), ProtocolError> {
        self.cancelled += 1;
        if self.cancelled > MAX_IDLE_FRAMES { Err(ProtocolError::Flood) } else { Ok(()) }
    }

    /// Counts an answer to a stream of the peer, which makes up for one cancelled stream.
    pub(crate) fn answered(&mut self) {
        self.cancelled = self.cancelled.saturating_sub(1);
    }

    /// Counts a frame that has an effect, which makes up for one without.
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
