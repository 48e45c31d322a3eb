//! Decides whether a worker is recycled before it reaches a limit because it has grown. This is a pure function of its size
//! when it became ready, its size now, and how the workers before it fared.
//!
//! Growth is judged, not size: what counts is the share of the room between its first size and its limit that a worker has
//! taken. An app that is merely large never takes that room. An app that grows to a certain size and stays there costs one or
//! two replacements, until its workers are allowed to come closer to the limit and stay below it. An app that does not stay
//! below the limit leaks. Its next workers are no longer allowed to come close. After many replacements this is tried once
//! more, and each failed trial doubles the number of replacements before the next one.

use std::time::{Duration, Instant};

/// A worker that was replaced after at least this time does not allow the next one to come closer to the limit. Its growth
/// costs a start only now and then, whatever its cause.
const LONG: Duration = Duration::from_secs(10 * 60);

/// The share of its room that a worker may take, indexed by how many workers in a row were replaced soon.
const SHARES: [f64; 3] = [0.5, 0.75, 0.875];

/// After this many replacements in a row, [`LAST`] is the share.
const MANY: usize = 8;

/// After this many replacements of an app that leaks, one worker is allowed to come close to the limit again. The number
/// doubles each time such a worker reaches the limit.
const TRIAL: usize = 16;

/// The largest share.
const LAST: f64 = 0.9375;

/// The divisor for the part of a limit that no worker can use: V8 reserves some of its heap for new objects.
const RESERVE: u64 = 16;

/// The expected time to start another worker.
const START: Duration = Duration::from_secs(1);

/// The smallest size of the reserve, in bytes.
const LEAST_RESERVE: u64 = 4 * 1024 * 1024;

/// How much the previous workers of an app have grown.
#[derive(Debug, Clone, Default)]
pub(crate) struct Growth {
    /// Workers in a row that were replaced soon after they became ready because they had grown.
    soon: usize,
    /// Workers that were allowed to come close to the limit and reached it.
    leaked: u32,
    /// Workers that were replaced since the last one that reached the limit.
    since: usize,
}

impl Growth {
    /// Returns whether a worker has grown too much. It had the size `first` when it became ready and has the size `now`; all
    /// sizes are in bytes.
    pub(crate) fn is_too_much(&self, first: u64, now: u64, limit: u64) -> bool {
        let most = limit.saturating_sub((limit / RESERVE).max(LEAST_RESERVE));
        let Some(room) = most.checked_sub(first) else { return false };
        let share = match self.soon {
            _ if self.leaks() => SHARES[0],
            soon if soon >= MANY => LAST,
            soon => SHARES[soon.min(SHARES.len() - 1)],
        };
        now.saturating_sub(first) as f64 > share * room as f64
    }

    /// Records that a worker is replaced because it has grown. It has been ready for `lived`.
    pub(crate) fn replaced(&mut self, lived: Duration) {
        (self.soon, self.since) = (if lived >= LONG { 0 } else { self.soon + 1 }, self.since + 1);
    }

    /// Whether the app leaks, so that no worker is allowed to come close to the limit for now.
    fn leaks(&self) -> bool {
        self.leaked > 0 && self.since < TRIAL.saturating_mul(1 << (self.leaked - 1).min(20))
    }

    /// Records that a worker has reached its limit. If it `was_full` before its last growth, it was wrong to expect it to stay
    /// below the limit.
    pub(crate) fn came_to_limit(&mut self, was_full: bool) {
        if was_full && self.soon > 0 {
            (self.leaked, self.since) = (self.leaked + 1, 0);
        }
        self.soon = self.soon.min(SHARES.len() - 1);
    }
}

/// How fast a size grows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Trend {
    last: Option<(Instant, u64)>,
    per_second: f64,
}

impl Trend {
    /// Records the current size, in bytes.
    pub(crate) fn seen(self, size: u64, now: Instant) -> Self {
        let Some((then, before)) = self.last else {
            return Self { last: Some((now, size)), per_second: 0.0 };
        };
        let passed = now.saturating_duration_since(then).as_secs_f64();
        // Two measurements at nearly the same time say nothing about the rate.
        if passed < 0.001 {
            return self;
        }
        Self { last: Some((now, size)), per_second: size.saturating_sub(before) as f64 / passed }
    }

    /// Returns whether the limit would be reached before another worker can be expected to take over.
    pub(crate) fn is_urgent(self, limit: u64) -> bool {
        let size = self.last.map_or(0, |(_, size)| size);
        self.per_second > 0.0 && size as f64 + self.per_second * START.as_secs_f64() > limit as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MIB: u64 = 1 << 20;

    /// Simulates workers for `minutes`. Returns how often one is replaced, and whether one reaches the limit first. `size`
    /// returns the size of a worker by its age. It is measured twice a second, and a replacement takes a second to start.
    fn simulate(minutes: u64, limit: u64, size: impl Fn(Duration) -> u64) -> (usize, bool) {
        let (mut growth, mut replaced, mut age) = (Growth::default(), 0, Duration::ZERO);
        for _ in 0..minutes * 120 {
            age += Duration::from_millis(500);
            if growth.is_too_much(size(Duration::ZERO), size(age), limit) {
                if size(age + Duration::from_secs(1)) >= limit {
                    return (replaced, true);
                }
                growth.replaced(age);
                (replaced, age) = (replaced + 1, Duration::ZERO);
            } else if size(age) >= limit {
                return (replaced, true);
            }
        }
        (replaced, false)
    }

    #[test]
    fn a_leak_never_comes_to_the_limit() {
        for per_second in [MIB / 100, MIB / 10, MIB, 4 * MIB] {
            let leak = |age: Duration| 5 * MIB + (per_second as f64 * age.as_secs_f64()) as u64;
            let (replaced, is_over) = simulate(6 * 60, 128 * MIB, leak);
            assert!(!is_over && replaced > 0, "{per_second}: {replaced}");
        }
    }

    #[test]
    fn what_is_merely_large_is_never_replaced() {
        for share in [50, 70, 90, 99] {
            assert_eq!(simulate(60, 128 * MIB, |_| 128 * MIB * share / 100), (0, false));
        }
    }

    #[test]
    fn what_grows_to_a_size_and_stays_there_is_let_be_soon() {
        for (most, times) in [(60, 0), (70, 1), (95, 2), (105, 2), (110, 8)] {
            let cache = |age: Duration| (5 + age.as_secs()).min(most) * MIB;
            assert_eq!(simulate(24 * 60, 128 * MIB, cache), (times, false), "{most}");
        }
    }

    #[test]
    fn whoever_comes_to_the_limit_is_not_let_come_close_again_soon() {
        let (first, half, most) = (5 * MIB, 64 * MIB, 128 * MIB);
        let mut growth = Growth::default();
        // A single request that uses all memory says nothing about growth, and neither does the first worker.
        growth.came_to_limit(true);
        growth.replaced(Duration::ZERO);
        growth.came_to_limit(false);
        assert!(!growth.is_too_much(first, half, most));
        // A cache of this size is tolerated after some replacements, however full a worker once was. A leak makes the trials
        // ever rarer.
        let nearly = most / 100 * 85;
        for trial in [TRIAL, 2 * TRIAL, 4 * TRIAL] {
            growth.came_to_limit(true);
            let mut replaced = 0;
            while growth.is_too_much(first, nearly, most) {
                assert!(replaced == trial || growth.is_too_much(first, half, most));
                growth.replaced(Duration::ZERO);
                replaced += 1;
            }
            assert_eq!(replaced, trial);
        }
    }

    #[test]
    fn what_comes_to_the_limit_within_a_second_is_urgent() {
        let begun = Instant::now();
        let at = |sizes: &[u64]| {
            let looks = sizes.iter().zip(0u32..);
            looks.fold(Trend::default(), |trend, (size, number)| {
                trend.seen(size * MIB, begun + number * Duration::from_millis(100))
            })
        };
        assert!(at(&[64, 80]).is_urgent(128 * MIB));
        for calm in [&[][..], &[127], &[64, 65], &[120, 90], &[64, 80, 80]] {
            assert!(!at(calm).is_urgent(128 * MIB), "{calm:?}");
        }
        let twice = at(&[64, 80]).seen(127 * MIB, begun + Duration::from_millis(100));
        assert!(twice.is_urgent(128 * MIB));
    }

    proptest! {
        #[test]
        fn whoever_was_replaced_soon_may_come_closer_but_not_to_the_end(
            limit in 16 * MIB..1 << 40, first in 0u64..1 << 40, soon in 0usize..100,
        ) {
            let of = |soon| Growth { soon, ..Growth::default() };
            let (one, next) = (of(soon), of(soon + 1));
            prop_assert!(!one.is_too_much(first, first, limit));
            for step in 0..=20 {
                let now = limit / 20 * step;
                prop_assert!(one.is_too_much(first, now, limit) || !next.is_too_much(first, now, limit));
            }
            prop_assert!(first >= limit / 2 || next.is_too_much(first, limit, limit));
        }
    }
}
