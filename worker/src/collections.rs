//! Decides when V8 is asked for a full collection, so that it is known in time how much of a fast-growing heap is garbage. The
//! decision depends only on the heap in use, on the size that survived the last collection, and on how long collections take.
//!
//! V8 itself may run only one full collection between a small heap and a full one. Then nobody can tell whether the app leaks
//! or just uses memory.

use std::time::{Duration, Instant};

/// Requested collections may take one part in this many of the time.
const SHARE: u32 = 20;

/// How much unused collection time may be saved up.
const SAVED: Duration = Duration::from_millis(250);

/// Decides when a full collection is requested.
#[derive(Debug)]
pub(crate) struct Collections {
    /// The largest heap, in bytes.
    limit: u64,
    /// What has survived the last full collection, in bytes.
    live: u64,
    /// Collection time that is available.
    saved: Duration,
    /// How much longer than the available time the last collections took.
    owed: Duration,
    counted: Instant,
}

impl Collections {
    /// Begins with a heap of at most `limit` bytes, of which `live` are alive.
    pub(crate) fn new(limit: u64, live: u64, now: Instant) -> Self {
        Self { limit, live, saved: SAVED, owed: Duration::ZERO, counted: now }
    }

    /// Records how many bytes survived a full collection, requested or not.
    pub(crate) fn collected(&mut self, live: u64) {
        self.live = live;
    }

    /// Returns whether a collection is due with `used` bytes in use. It is if they are at least half of the limit, and an eighth
    /// of the limit more than survived the last one (a sixteenth near the limit), and if there is time left for it.
    pub(crate) fn is_due(&mut self, used: u64, now: Instant) -> bool {
        let step = if self.live < self.limit / 4 * 3 { self.limit / 8 } else { self.limit / 16 };
        if used < (self.limit / 2).max(self.live.saturating_add(step)) {
            return false;
        }
        let earned = now.saturating_duration_since(self.counted) / SHARE;
        self.counted = now;
        self.saved = (self.saved + earned.saturating_sub(self.owed)).min(SAVED);
        self.owed = self.owed.saturating_sub(earned);
        self.owed.is_zero() && !self.saved.is_zero()
    }

    /// Records how long a requested collection took.
    pub(crate) fn took(&mut self, time: Duration) {
        self.owed += time.saturating_sub(self.saved);
        self.saved = self.saved.saturating_sub(time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn what_grows_is_looked_at_from_half_of_the_limit_on_and_closer_near_the_end() {
        let mut now = Instant::now();
        let mut collections = Collections::new(128 * MIB, 5 * MIB, now);
        let mut looked = Vec::new();
        for used in 5..128 {
            now += Duration::from_secs(1);
            if collections.is_due(used * MIB, now) {
                looked.push(used);
                collections.collected(used * MIB);
                collections.took(Duration::from_millis(40));
            }
        }
        assert_eq!(looked, [64, 80, 96, 104, 112, 120]);
    }

    #[test]
    fn no_more_than_their_share_of_the_time_goes_to_collections() {
        for (passed, takes) in [(0, 1), (1, 1), (1, 40), (10, 300), (100, 10), (1000, 40), (1000, 2000)] {
            let begun = Instant::now();
            let (mut now, mut spent, last) = (begun, Duration::ZERO, Duration::from_millis(takes));
            let mut collections = Collections::new(128 * MIB, 5 * MIB, begun);
            for _ in 0..1000 {
                now += Duration::from_millis(passed);
                if collections.is_due(127 * MIB, now) {
                    (now, spent) = (now + last, spent + last);
                    collections.took(last);
                    // All of it was garbage.
                    collections.collected(5 * MIB);
                }
                assert!(spent.saturating_sub(last) <= (now - begun) / SHARE + SAVED, "{passed} {takes}");
            }
            assert!(!spent.is_zero());
        }
    }
}
