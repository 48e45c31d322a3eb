//! How much an app may log (`log_rate`): so many bytes per second, and as many at once.

use std::time::{Duration, Instant};

use nano_protocol::limits::MAX_LOG_MESSAGE;

/// What a line counts beyond its text: time, level and names around it, so that empty lines are not free.
const LINE: u64 = 128;

/// Which part of a burst must be free before lines get through again after some were dropped, and at least a line of the
/// greatest length. Less would make every second line a notice of dropped ones.
const RESUME: u64 = 8;

/// Lets lines through as long as there is room for them, and counts the others.
#[derive(Debug)]
pub(crate) struct Gate {
    /// Bytes per second, and most bytes at once.
    rate: u64,
    room: u64,
    since: Instant,
    dropped: u64,
}

impl Gate {
    /// All of a burst is free.
    pub(crate) fn new(rate: u64, now: Instant) -> Self {
        Self { rate, room: rate, since: now, dropped: 0 }
    }

    /// Another rate from now on.
    pub(crate) fn configure(&mut self, rate: u64) {
        self.rate = rate;
        self.room = self.room.min(rate);
    }

    /// Whether a line of this length, in bytes, gets through.
    pub(crate) fn admits(&mut self, length: usize, now: Instant) -> bool {
        self.refill(now);
        let needed = length as u64 + LINE;
        if self.dropped > 0 || needed > self.room {
            self.dropped += 1;
            return false;
        }
        self.room -= needed;
        true
    }

    /// How many lines were dropped, once there is room again; the next ones get through.
    pub(crate) fn take_dropped(&mut self, now: Instant) -> Option<u64> {
        if self.dropped == 0 {
            return None;
        }
        self.refill(now);
        let resume = (self.rate / RESUME).max(MAX_LOG_MESSAGE as u64 + LINE).min(self.rate);
        (self.room >= resume).then(|| std::mem::take(&mut self.dropped))
    }

    /// How many lines were dropped that nothing has been said of yet.
    pub(crate) fn take_rest(&mut self) -> Option<u64> {
        (self.dropped > 0).then(|| std::mem::take(&mut self.dropped))
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.since).min(Duration::from_secs(1));
        let gained = (passed.as_secs_f64() * self.rate as f64) as u64;
        // Time that has gained nothing yet is kept.
        if gained > 0 {
            self.room = (self.room + gained).min(self.rate);
            self.since = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_gets_through_and_then_the_rate() {
        let mut now = Instant::now();
        let text = MAX_LOG_MESSAGE;
        let mut gate = Gate::new(10 * (LINE + text as u64), now);
        let admitted = |gate: &mut Gate, now| (0..20).filter(|_| gate.admits(text, now)).count();
        assert_eq!(admitted(&mut gate, now), 10);
        // Room for half a line is not room again.
        now += Duration::from_millis(50);
        assert_eq!((gate.take_dropped(now), gate.admits(text, now)), (None, false));
        now += Duration::from_millis(200);
        assert_eq!(gate.take_dropped(now), Some(11));
        assert_eq!(admitted(&mut gate, now), 2);
        assert_eq!((gate.take_rest(), gate.take_rest()), (Some(18), None));
        // However long it was quiet, a burst is all.
        now += Duration::from_secs(3600);
        assert_eq!(admitted(&mut gate, now), 10);
    }

    #[test]
    fn short_lines_count_too_and_a_lower_rate_holds_at_once() {
        let now = Instant::now();
        let mut gate = Gate::new(100 * LINE, now);
        gate.configure(10 * LINE);
        assert_eq!((0..100).filter(|_| gate.admits(0, now)).count(), 10);
    }
}
