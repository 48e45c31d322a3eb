//! When to start the next worker: a pure function of history and time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::config::RestartPolicy;

/// The crashes of one app that still count.
#[derive(Debug, Default)]
pub struct History {
    /// Crashes inside the policy's window, oldest first.
    recent: VecDeque<Instant>,
    /// Crashes since the app last ran for a stable period.
    in_a_row: u32,
}

/// What to do after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Start the next worker after this pause; the first time there is none.
    RestartAfter(Duration),
    /// The app crashes in a loop: it counts as failed and is only tried again after this pause.
    GiveUp(Duration),
}

impl History {
    /// Records a crash at `now` of a worker that had been ready for `ready_for`. `random` in 0..1 spreads the pauses.
    pub fn crashed(
        &mut self,
        policy: &RestartPolicy,
        now: Instant,
        ready_for: Duration,
        random: f64,
    ) -> Decision {
        if ready_for >= policy.stable {
            self.in_a_row = 0;
            self.recent.clear();
        }
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.recent.push_back(now);
        while self.recent.front().is_some_and(|first| now.duration_since(*first) > policy.window) {
            self.recent.pop_front();
        }
        if self.recent.len() >= policy.crash_loop as usize {
            self.recent.drain(..self.recent.len() - policy.crash_loop as usize);
            return Decision::GiveUp(policy.slow_retry);
        }
        Decision::RestartAfter(pause(policy, self.in_a_row, random))
    }
}

/// Nothing for the first crash in a row, then exponential back-off with jitter, never more than the maximum.
fn pause(policy: &RestartPolicy, in_a_row: u32, random: f64) -> Duration {
    let Some(exponent) = in_a_row.checked_sub(2) else { return Duration::ZERO };
    let exponent = i32::try_from(exponent).unwrap_or(i32::MAX);
    let spread = 1.0 + policy.jitter * (2.0 * random - 1.0);
    let seconds = policy.initial.as_secs_f64() * policy.factor.powi(exponent) * spread;
    // A product that has overflowed is infinite, and min() brings it back.
    Duration::from_secs_f64(seconds.clamp(0.0, policy.max.as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn policy() -> RestartPolicy {
        RestartPolicy { crash_loop: 5, ..RestartPolicy::default() }
    }

    #[test]
    fn the_first_restart_is_immediate_and_a_stable_period_resets() {
        let (policy, mut history, now) = (policy(), History::default(), Instant::now());
        let mut crash = |ready_for| history.crashed(&policy, now, ready_for, 0.5);
        assert_eq!(crash(Duration::ZERO), Decision::RestartAfter(Duration::ZERO));
        assert_eq!(crash(Duration::ZERO), Decision::RestartAfter(policy.initial));
        assert_eq!(crash(Duration::ZERO), Decision::RestartAfter(policy.initial.mul_f64(policy.factor)));
        assert_eq!(crash(policy.stable), Decision::RestartAfter(Duration::ZERO));
    }

    #[test]
    fn a_crash_loop_is_given_up_and_stays_given_up() {
        let (policy, mut history, now) = (policy(), History::default(), Instant::now());
        for _ in 1..policy.crash_loop {
            assert!(matches!(history.crashed(&policy, now, Duration::ZERO, 0.0), Decision::RestartAfter(_)));
        }
        for _ in 0..3 {
            assert_eq!(
                history.crashed(&policy, now, Duration::ZERO, 0.0),
                Decision::GiveUp(policy.slow_retry)
            );
        }
        let later = now + policy.window + Duration::from_secs(1);
        assert!(matches!(history.crashed(&policy, later, Duration::ZERO, 0.0), Decision::RestartAfter(_)));
    }

    proptest! {
        #[test]
        fn pauses_stay_within_bounds(in_a_row in 0u32..=u32::MAX, random in 0.0f64..1.0) {
            let policy = policy();
            prop_assert!(pause(&policy, in_a_row, random) <= policy.max);
        }

        #[test]
        fn pauses_grow(in_a_row in 2u32..40, random in 0.0f64..1.0) {
            let policy = policy();
            prop_assert!(pause(&policy, in_a_row, random) <= pause(&policy, in_a_row + 1, random));
        }
    }
}
