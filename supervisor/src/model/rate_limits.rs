//! The rate limits that an app has as bindings. All its workers share them, on every I/O thread, so that neither a crash nor a
//! replacement resets a count.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Keys that are counted at once for one app, in all its rate limits. An entry takes some 20 bytes.
const KEYS: usize = 1 << 16;

/// The counts of one app.
#[derive(Debug)]
pub(crate) struct RateLimits {
    /// Hashes keys, which only it can guess.
    hasher: RandomState,
    /// The periods begin here.
    since: Instant,
    periods: Mutex<HashMap<String, RatePeriod>>,
}

/// The counts of one rate limit.
#[derive(Debug, Default)]
struct RatePeriod {
    /// When the period ends.
    until: Duration,
    counts: HashMap<u64, u32>,
}

/// What a rate limit says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RateVerdict {
    Within,
    Beyond,
    /// Too many other keys are counted.
    Uncounted,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self { hasher: RandomState::new(), since: Instant::now(), periods: Mutex::default() }
    }
}

impl RateLimits {
    /// Counts one of `limit` for this key in the rate limit of this name.
    pub(crate) fn take(&self, name: &str, limit: u32, period: Duration, key: &str) -> RateVerdict {
        self.take_at(self.since.elapsed(), name, limit, period, key)
    }

    fn take_at(&self, now: Duration, name: &str, limit: u32, period: Duration, key: &str) -> RateVerdict {
        let key = self.hasher.hash_one(key);
        let mut periods = self.periods.lock().unwrap_or_else(PoisonError::into_inner);
        if periods.get(name).is_none_or(|period| period.until <= now) {
            periods.retain(|_, period| period.until > now);
            let begun = now.as_nanos() / period.as_nanos().max(1);
            let until = period.saturating_mul(u32::try_from(begun + 1).unwrap_or(u32::MAX));
            periods.insert(name.to_owned(), RatePeriod { until, counts: HashMap::new() });
        }
        let known = periods.values().map(|period| period.counts.len()).sum::<usize>();
        let Some(RatePeriod { counts, .. }) = periods.get_mut(name) else { return RateVerdict::Uncounted };
        if known >= KEYS && !counts.contains_key(&key) {
            return RateVerdict::Uncounted;
        }
        let count = counts.entry(key).or_default();
        if *count >= limit {
            return RateVerdict::Beyond;
        }
        *count += 1;
        RateVerdict::Within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn each_key_has_the_limit_in_each_period_and_in_each_rate_limit() {
        let limits = RateLimits::default();
        let take = |second, name, key| limits.take_at(Duration::from_secs(second), name, 2, MINUTE, key);
        use RateVerdict::{Beyond, Within};
        assert_eq!([take(0, "A", "k"), take(59, "A", "k"), take(59, "A", "k")], [Within, Within, Beyond]);
        assert_eq!([take(59, "A", "other"), take(59, "B", "k"), take(60, "A", "k")], [Within; 3]);
        assert_eq!(limits.take_at(Duration::ZERO, "C", 0, MINUTE, "k"), Beyond);
    }

    #[test]
    fn keys_beyond_the_most_are_not_counted_and_those_known_still_are() {
        let limits = RateLimits::default();
        let take = |second, key: &str| limits.take_at(Duration::from_secs(second), "A", 1, MINUTE, key);
        for number in 0..KEYS {
            assert_eq!(take(0, &number.to_string()), RateVerdict::Within);
        }
        assert_eq!(take(0, "more"), RateVerdict::Uncounted);
        assert_eq!(take(0, "7"), RateVerdict::Beyond);
        assert_eq!(take(60, "more"), RateVerdict::Within);
    }
}
