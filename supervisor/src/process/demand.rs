//! How many spares to keep: as many as were recently needed at the same time, within bounds. A pure policy that is given the
//! time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Needs within this time count as simultaneous: booting a process takes about half of it on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(1);

/// How long a need is remembered.
const REMEMBERED: Duration = Duration::from_secs(30);

/// How many needs are remembered; the oldest are dropped first.
const MOST: usize = 256;

/// How many spares there may be beyond the configured number, for each heap limit.
const EXTRA: usize = 4;

/// Recent needs: when, and for which heap limit in bytes.
#[derive(Debug, Default)]
pub(super) struct Demand(VecDeque<(Instant, u64)>);

impl Demand {
    /// Records that a worker with this heap limit ended without being told to.
    pub(super) fn needed(&mut self, heap: u64, now: Instant) {
        self.0.push_back((now, heap));
        let surplus = self.0.len().saturating_sub(MOST);
        self.0.drain(..surplus);
    }

    /// How many spares to keep for this heap limit if `each` are configured.
    pub(super) fn wanted(&mut self, heap: u64, each: usize, now: Instant) -> usize {
        self.0.retain(|(then, _)| now.saturating_duration_since(*then) < REMEMBERED);
        let needs = || self.0.iter().filter(|(_, needed)| *needed == heap).map(|(then, _)| *then);
        let at_once = |first: Instant| {
            needs().filter(|then| *then >= first && then.saturating_duration_since(first) < AT_ONCE).count()
        };
        let peak = needs().map(at_once).max().unwrap_or_default();
        // Zero turns spares off.
        if each == 0 { 0 } else { peak.clamp(each, each + EXTRA) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn there_are_as_many_as_were_needed_at_once_of_late() {
        let (mut demand, now) = (Demand::default(), Instant::now());
        let at = |ms| now + Duration::from_millis(ms);
        assert_eq!((demand.wanted(1, 0, now), demand.wanted(1, 2, now)), (0, 2));
        // One after the other.
        for second in 0..5 {
            demand.needed(1, at(second * 1000));
        }
        assert_eq!(demand.wanted(1, 1, at(5000)), 1);
        // Five at once, each second, and another heap once.
        for number in 0..15 {
            demand.needed(1, at(6000 + number / 5 * 1000 + number));
        }
        demand.needed(2, at(8000));
        let mut wanted = |each, ms| [1, 2, 3].map(|heap| demand.wanted(heap, each, at(ms)));
        assert_eq!(wanted(1, 9000), [5, 1, 1]);
        assert_eq!(wanted(0, 9000), [0; 3]);
        assert_eq!(wanted(1, 60_000), [1; 3]);
    }

    proptest! {
        #[test]
        fn there_are_never_many_more_than_configured(
            needs in proptest::collection::vec((0u64..500, 0u64..3), 0..400), each in 0usize..8,
        ) {
            let (mut demand, mut now) = (Demand::default(), Instant::now());
            for (passed, heap) in needs {
                now += Duration::from_millis(passed);
                demand.needed(heap, now);
                let wanted = demand.wanted(heap, each, now);
                prop_assert!(wanted >= each && wanted <= each + EXTRA && (each > 0 || wanted == 0));
                prop_assert!(demand.0.len() <= MOST);
            }
        }
    }
}
