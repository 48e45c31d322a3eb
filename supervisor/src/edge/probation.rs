//! Holds back kinds of requests that have recently ended workers. The next worker first has time for other requests,
//! so that a burst of requests that end workers does not starve the others. A pure policy: it takes the time as an
//! argument.
//!
//! Requests that are held back are not refused. An answer to one of them clears its kind.

use std::time::{Duration, Instant};

use crate::model::kind::Kind;

/// How long a new worker is reserved for other kinds after the first end; doubled with each further one.
const FIRST: Duration = Duration::from_millis(50);

/// The longest time for which a new worker is reserved for other kinds.
const LONGEST: Duration = Duration::from_secs(1);

/// A kind is forgotten when it has ended no worker for this long.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// Most kinds that are remembered per app. Beyond that, the oldest are dropped.
const MOST: usize = 32;

/// The kinds of one app that are held back.
#[derive(Debug, Default)]
pub(crate) struct Probation(Vec<Suspended>);

#[derive(Debug)]
struct Suspended {
    kind: Kind,
    /// Workers ended in a row, without a response in between.
    ends: u32,
    last: Instant,
}

impl Probation {
    /// Records that a request of this kind has ended a worker.
    pub(crate) fn ended(&mut self, kind: Kind, now: Instant) {
        self.forget(now);
        let before = self.0.extract_if(.., |known| known.kind == kind).next();
        let ends = before.map_or(0, |before| before.ends).saturating_add(1);
        self.0.push(Suspended { kind, ends, last: now });
        let surplus = self.0.len().saturating_sub(MOST);
        self.0.drain(..surplus);
    }

    /// Records that a request of this kind was answered. Returns whether the kind was held back.
    pub(crate) fn answered(&mut self, kind: &Kind) -> bool {
        let before = self.0.len();
        self.0.retain(|known| known.kind != *kind);
        before != self.0.len()
    }

    /// Returns whether no kind is held back.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns how long a worker has to be ready before it gets a request of this kind.
    pub(crate) fn hold(&self, kind: &Kind, now: Instant) -> Duration {
        let known = self.0.iter().find(|known| known.kind == *kind);
        let held = known.filter(|known| now.saturating_duration_since(known.last) < FORGOTTEN);
        held.map_or(Duration::ZERO, |known| {
            let doubled = 1u32.checked_shl(known.ends.saturating_sub(1)).unwrap_or(u32::MAX);
            FIRST.saturating_mul(doubled).min(LONGEST)
        })
    }

    /// Removes the kinds that have ended no worker for [`FORGOTTEN`].
    pub(crate) fn forget(&mut self, now: Instant) {
        self.0.retain(|known| now.saturating_duration_since(known.last) < FORGOTTEN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn kind(number: u8) -> Kind {
        Kind::of("GET", &format!("/{number}"))
    }

    #[test]
    fn the_more_often_a_kind_has_ended_workers_the_longer_it_waits_and_one_answer_clears_it() {
        let (mut probation, now) = (Probation::default(), Instant::now());
        let mut after_end = || {
            probation.ended(kind(1), now);
            probation.hold(&kind(1), now).as_millis()
        };
        assert_eq!([(); 7].map(|()| after_end()), [50, 100, 200, 400, 800, 1000, 1000]);
        assert_eq!(probation.hold(&kind(2), now), Duration::ZERO);
        assert!(!probation.answered(&kind(2)) && probation.answered(&kind(1)) && probation.is_empty());
        probation.ended(kind(1), now);
        assert_eq!(probation.hold(&kind(1), now), FIRST);
        assert_eq!(probation.hold(&kind(1), now + FORGOTTEN), Duration::ZERO);
        probation.forget(now + FORGOTTEN);
        assert!(probation.is_empty());
    }

    proptest! {
        #[test]
        fn nobody_is_held_back_for_long_or_without_cause(steps in vec((any::<bool>(), 0u8..60, 0u64..30_000), 0..200)) {
            let (mut probation, mut now) = (Probation::default(), Instant::now());
            let mut ended = std::collections::BTreeSet::new();
            for (is_end, number, passed) in steps {
                now += Duration::from_millis(passed);
                if is_end {
                    probation.ended(kind(number), now);
                    ended.insert(number);
                    prop_assert!(probation.hold(&kind(number), now) >= FIRST);
                } else {
                    probation.answered(&kind(number));
                    ended.remove(&number);
                }
                prop_assert!(probation.0.len() <= MOST);
                for number in 0..60 {
                    let hold = probation.hold(&kind(number), now);
                    prop_assert!(hold <= LONGEST && (hold.is_zero() || ended.contains(&number)));
                }
            }
        }
    }
}
