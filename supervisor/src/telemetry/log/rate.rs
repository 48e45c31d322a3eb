//! The log rate limit of an app (`log_rate`): a token bucket of bytes per second, whose burst is one second's worth.

use std::time::{Duration, Instant};

use nano_protocol::limits::MAX_LOG_MESSAGE;

/// The cost of a line beyond its text, in bytes: time, level and names. Empty lines are not free.
const LINE: u64 = 128;

/// After a drop, one in `RESUME` of the burst must be free before lines are accepted again, and at least the size of the
/// longest line. Otherwise every second line would be a notice of dropped lines.
const RESUME: u64 = 8;

/// Accepts lines while the bucket has room, and counts the others.
#[derive(Debug)]
pub(crate) struct Gate {
    /// Bytes per second, which is also the burst.
    rate: u64,
    room: u64,
    since: Instant,
    dropped: u64,
}

impl Gate {
    /// Starts with the whole burst.
    pub(crate) fn new(rate: u64, now: Instant) -> Self {
        Self { rate, room: rate, since: now, dropped: 0 }
    }

    /// Changes the rate.
    pub(crate) fn configure(&mut self, rate: u64) {
        self.rate = rate;
        self.room = self.room.min(rate);
    }

    /// Whether a line of this length, in bytes, is accepted.
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

    /// How many lines were dropped, once there is room again. Further lines are accepted then.
    pub(crate) fn take_dropped(&mut self, now: Instant) -> Option<u64> {
        if self.dropped == 0 {
            return None;
        }
        self.refill(now);
        let resume = (self.rate / RESUME).max(MAX_LOG_MESSAGE as u64 + LINE).min(self.rate);
        (self.room >= resume).then(|| std::mem::take(&mut self.dropped))
    }

    /// How many dropped lines have not been reported yet.
    pub(crate) fn take_rest(&mut self) -> Option<u64> {
        (self.dropped > 0).then(|| std::mem::take(&mut self.dropped))
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.since).min(Duration::from_secs(1));
        let gained = (passed.as_secs_f64() * self.rate as f64) as u64;
        // Keeps the elapsed time until it is worth at least one byte.
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
        // Room for half a line is not enough to resume.
        now += Duration::from_millis(50);
        assert_eq!((gate.take_dropped(now), gate.admits(text, now)), (None, false));
        now += Duration::from_millis(200);
        assert_eq!(gate.take_dropped(now), Some(11));
        assert_eq!(admitted(&mut gate, now), 2);
        assert_eq!((gate.take_rest(), gate.take_rest()), (Some(18), None));
        // However long it was idle, the burst is the limit.
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
