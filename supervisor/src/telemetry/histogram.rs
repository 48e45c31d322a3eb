//! A latency histogram with four buckets per power of two: no value is off by more than a fifth.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use crate::telemetry::counter::{add, get};

/// Buckets per power of two.
const STEPS: usize = 4;

/// Covers durations up to 134 s. Longer ones count as that.
const BUCKETS: usize = 26 * STEPS;

/// A histogram of durations with one writer thread; others read it.
#[derive(Debug)]
pub(crate) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    /// In microseconds.
    sum: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: std::array::from_fn(|_| AtomicU64::new(0)), sum: AtomicU64::new(0) }
    }
}

impl Histogram {
    pub(crate) fn record(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        add(&self.buckets[bucket(micros)], 1);
        add(&self.sum, micros);
    }
}

/// The bucket of a number of microseconds.
fn bucket(micros: u64) -> usize {
    let Some(doubling) = micros.checked_ilog2().filter(|doubling| *doubling >= 2) else {
        return micros as usize;
    };
    let step = (micros >> (doubling - 2)) as usize & (STEPS - 1);
    ((doubling as usize - 1) * STEPS + step).min(BUCKETS - 1)
}

/// The lower bound of a bucket, in microseconds.
fn floor(bucket: usize) -> u64 {
    if bucket < STEPS { bucket as u64 } else { ((STEPS + bucket % STEPS) as u64) << (bucket / STEPS - 1) }
}

/// The contents of one histogram, or the sum of several, at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    buckets: [u64; BUCKETS],
    sum: u64,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self { buckets: [0; BUCKETS], sum: 0 }
    }
}

impl Snapshot {
    /// Adds the contents of a histogram.
    pub(crate) fn add(&mut self, histogram: &Histogram) {
        for (bucket, count) in self.buckets.iter_mut().zip(&histogram.buckets) {
            *bucket += get(count);
        }
        self.sum += get(&histogram.sum);
    }

    /// The difference to an earlier snapshot of the same histograms.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let buckets = std::array::from_fn(|at| self.buckets[at].saturating_sub(earlier.buckets[at]));
        Self { buckets, sum: self.sum.saturating_sub(earlier.sum) }
    }

    /// The number of durations.
    pub(crate) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The sum of all durations.
    pub(crate) fn sum(&self) -> Duration {
        Duration::from_micros(self.sum)
    }

    /// The quantile for a `quantile` from 0 to 1; none without any durations.
    pub(crate) fn quantile(&self, quantile: f64) -> Option<Duration> {
        let count = self.count();
        let wanted = (count as f64 * quantile).max(1.0);
        let mut below = 0.0;
        for (at, found) in self.buckets.iter().enumerate().filter(|(_, found)| **found > 0) {
            let found = *found as f64;
            if below + found >= wanted {
                let (low, high) = (floor(at) as f64, floor(at + 1) as f64);
                let micros = low + (high - low) * ((wanted - below) / found);
                return Some(Duration::from_micros(micros as u64));
            }
            below += found;
        }
        None
    }

    /// Cumulative buckets as Prometheus has them: upper bounds in seconds, each twice the one before, and the number of
    /// durations below each.
    pub(crate) fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        // From a quarter of a millisecond on: finer buckets are of no use.
        (8..=26).map(|doubling: usize| {
            let end = (doubling - 1) * STEPS;
            let below = self.buckets.get(..end).unwrap_or(&self.buckets).iter().sum();
            ((1u64 << doubling) as f64 / 1e6, below)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn buckets_join_without_gaps() {
        for at in 0..BUCKETS - 1 {
            assert_eq!(bucket(floor(at)), at);
            assert_eq!(bucket(floor(at + 1) - 1), at);
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_close_and_differences_exact() {
        let histogram = Histogram::default();
        for ms in 1..=1000 {
            histogram.record(Duration::from_millis(ms));
        }
        let mut first = Snapshot::default();
        first.add(&histogram);
        let ms = |quantile| first.quantile(quantile).unwrap().as_secs_f64() * 1000.0;
        assert!(
            (ms(0.5) - 500.0).abs() < 20.0 && (ms(0.99) - 990.0).abs() < 50.0,
            "{} {}",
            ms(0.5),
            ms(0.99)
        );
        assert_eq!(Snapshot::default().quantile(0.5), None);
        histogram.record(Duration::from_secs(1));
        let mut second = Snapshot::default();
        second.add(&histogram);
        let since = second.since(&first);
        assert_eq!((since.count(), since.sum()), (1, Duration::from_secs(1)));
        let (bounds, counts): (Vec<_>, Vec<_>) = second.cumulative().unzip();
        assert!(bounds.is_sorted() && counts.is_sorted() && *counts.last().unwrap() == 1001, "{counts:?}");
        assert!((bounds[0] - 0.000_256).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn a_bucket_holds_what_is_put_into_it(micros in 0u64..100_000_000) {
            let at = bucket(micros);
            prop_assert!(floor(at) <= micros && micros < floor(at + 1));
        }
    }
}
