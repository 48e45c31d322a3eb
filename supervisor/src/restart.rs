//! When to start the next worker: a pure function of history and time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::config::{RestartMode, RestartPolicy};

/// The crashes of one app that still count.
#[derive(Debug, Default)]
pub struct History {
    /// Crashes inside the policy's window, oldest first.
    recent: VecDeque<Instant>,
    /// Crashes since the app last ran for a stable period.
    in_a_row: u32,
}

/// What to do after the end of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Start the next worker after this pause; the first time there is none.
    RestartAfter(Duration),
    /// The app crashes in a loop: it counts as failed and is only tried again after this pause.
    GiveUp(Duration),
    /// Start none: the policy wants it so.
    Stay,
}

/// How a worker ended, as far as the policy is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By itself, with exit code 0.
    Clean,
    /// In any other way.
    Crash,
    /// It could not load its app: trying again at once would fail again, since nothing has changed.
    NotLoaded,
}

impl History {
    /// Records the end, at `now`, of a worker that had been ready for `ready_for`. `random` in 0..1 spreads the pauses.
    pub fn ended(
        &mut self,
        policy: &RestartPolicy,
        end: End,
        now: Instant,
        ready_for: Duration,
        random: f64,
    ) -> Decision {
        match (policy.mode, end) {
            (RestartMode::Never, _) | (RestartMode::OnFailure, End::Clean) => return Decision::Stay,
            (_, End::NotLoaded) => return Decision::GiveUp(policy.slow_retry),
            (_, End::Clean | End::Crash) => {}
        }
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
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn policy() -> RestartPolicy {
        RestartPolicy { crash_loop: 5, ..RestartPolicy::default() }
    }

    #[test]
    fn the_first_restart_is_immediate_and_a_stable_period_resets() {
        let (policy, mut history, now) = (policy(), History::default(), Instant::now());
        let mut crash = |ready_for| history.ended(&policy, End::Crash, now, ready_for, 0.5);
        assert_eq!(crash(Duration::ZERO), Decision::RestartAfter(Duration::ZERO));
        assert_eq!(crash(Duration::ZERO), Decision::RestartAfter(policy.initial));
        assert_eq!(crash(Duration::ZERO), Decision::RestartAfter(policy.initial.mul_f64(policy.factor)));
        assert_eq!(crash(policy.stable), Decision::RestartAfter(Duration::ZERO));
    }

    #[test]
    fn an_app_that_does_not_load_is_given_up_at_once_and_its_crashes_do_not_count() {
        let (policy, mut history, now) = (policy(), History::default(), Instant::now());
        for _ in 0..20 {
            let decision = history.ended(&policy, End::NotLoaded, now, Duration::ZERO, 0.5);
            assert_eq!(decision, Decision::GiveUp(policy.slow_retry));
        }
        let decision = history.ended(&policy, End::Crash, now, Duration::ZERO, 0.5);
        assert_eq!(decision, Decision::RestartAfter(Duration::ZERO));
    }

    fn any_policy() -> impl Strategy<Value = RestartPolicy> {
        let ms = |range| Strategy::prop_map(range, Duration::from_millis);
        let times = (ms(1u64..1000), ms(0u64..100_000), ms(1u64..100_000), ms(1u64..100_000));
        let numbers = (1.0f64..10.0, 0.0f64..=1.0, 1u32..10);
        (times, numbers).prop_map(|((initial, longer, stable, window), (factor, jitter, crash_loop))| {
            let max = initial + longer;
            RestartPolicy {
                initial,
                max,
                stable,
                window,
                factor,
                jitter,
                crash_loop,
                ..RestartPolicy::default()
            }
        })
    }

    /// When a crash came after the one before, how long its worker had been ready, and a random number.
    fn any_crashes() -> impl Strategy<Value = Vec<(Duration, Duration, f64)>> {
        let crash = (0u64..50_000, 0u64..50_000, 0.0f64..1.0);
        vec(
            crash.prop_map(|(gap, ready, random)| {
                let ready = ready.min(gap);
                (Duration::from_millis(gap), Duration::from_millis(ready), random)
            }),
            1..60,
        )
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

        #[test]
        fn an_app_is_given_up_exactly_when_it_crashes_too_often_in_the_window(
            policy in any_policy(), crashes in any_crashes(),
        ) {
            let (mut history, mut now) = (History::default(), Instant::now());
            let mut times = Vec::new();
            for (gap, ready_for, random) in crashes {
                now += gap;
                if ready_for >= policy.stable {
                    times.clear();
                }
                times.push(now);
                let in_window = times.iter().filter(|time| now.duration_since(**time) <= policy.window).count();
                let decision = history.ended(&policy, End::Crash, now, ready_for, random);
                let is_loop = in_window >= policy.crash_loop as usize;
                prop_assert_eq!(matches!(decision, Decision::GiveUp(_)), is_loop);
                match decision {
                    Decision::GiveUp(pause) => prop_assert_eq!(pause, policy.slow_retry),
                    Decision::RestartAfter(pause) => {
                        prop_assert!(pause <= policy.max);
                        // Nothing but the first crash since a stable period is forgiven.
                        prop_assert_eq!(pause.is_zero() && policy.jitter < 1.0, times.len() == 1 && policy.jitter < 1.0);
                    }
                    Decision::Stay => prop_assert!(false, "this policy always restarts"),
                }
            }
        }

        #[test]
        fn the_mode_decides_whether_there_is_another_worker(policy in any_policy(), crashes in any_crashes()) {
            let never = RestartPolicy { mode: RestartMode::Never, ..policy.clone() };
            let on_failure = RestartPolicy { mode: RestartMode::OnFailure, ..policy.clone() };
            let (mut first, mut second) = (History::default(), History::default());
            let mut now = Instant::now();
            for (gap, ready_for, random) in crashes {
                now += gap;
                for end in [End::Clean, End::Crash, End::NotLoaded] {
                    let decision = History::default().ended(&never, end, now, ready_for, random);
                    prop_assert_eq!(decision, Decision::Stay);
                }
                let clean = first.ended(&on_failure, End::Clean, now, ready_for, random);
                prop_assert_eq!(clean, Decision::Stay);
                let crash = first.ended(&on_failure, End::Crash, now, ready_for, random);
                prop_assert_eq!(crash, second.ended(&policy, End::Crash, now, ready_for, random));
            }
        }
    }
}
