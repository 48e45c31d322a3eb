//! Decides when to start the next worker. This is a pure function of the history, the policy, and how the last worker ended.

use std::time::Duration;

use crate::config::{RestartMode, RestartPolicy};

/// How useful the workers of one app have been so far, with its current code and configuration.
#[derive(Debug, Default)]
pub(crate) struct RestartHistory {
    /// Whether one of them was useful. If so, the app can answer requests, whatever ends its workers.
    was_useful: bool,
    /// How many workers in a row have ended without being useful.
    in_a_row: u32,
    /// How many of those ends the app itself must have caused.
    by_itself: u32,
}

/// What to do after the end of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Start the next worker after this pause. There is no pause the first time.
    RestartAfter(Duration),
    /// The app cannot answer. It counts as failed, and is only tried again after this pause.
    GiveUp(Duration),
    /// Start no worker, as the policy says.
    Stay,
}

/// How a worker ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    /// Whether it exited on its own with exit code 0.
    pub is_clean: bool,
    /// How useful it had been.
    pub worth: Worth,
}

/// How useful a worker had been when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Worth {
    /// It could not load its app. Trying again at once would fail again, unless the same code has loaded before.
    NotLoaded,
    /// It ended before it was ready, for another reason.
    NotReady,
    /// It was ready for requests.
    Ready {
        /// How long it had been ready.
        lasted: Duration,
        /// Whether it has answered a request.
        has_answered: bool,
        /// Whether a request has ended it. This says nothing about other requests.
        is_blamed: bool,
    },
}

impl RestartHistory {
    /// Records the end of a worker, and returns what to do. `random` in 0..1 spreads the pauses.
    ///
    /// An app that can answer is never given up because of what its requests do to it. There is always a next worker, after a
    /// pause of at most [`RestartPolicy::max`] if the last one was not useful.
    pub(crate) fn ended(&mut self, policy: &RestartPolicy, end: End, random: f64) -> Decision {
        match policy.policy {
            RestartMode::Never => return Decision::Stay,
            RestartMode::OnFailure if end.is_clean => return Decision::Stay,
            RestartMode::OnFailure | RestartMode::Always => {}
        }
        let is_own_fault = match end.worth {
            Worth::Ready { lasted, has_answered, .. } if has_answered || lasted >= policy.min_uptime => {
                *self = Self { was_useful: true, ..Self::default() };
                return Decision::RestartAfter(Duration::ZERO);
            }
            // The next request may be a different one.
            Worth::Ready { is_blamed: true, .. } if self.was_useful => {
                return Decision::RestartAfter(Duration::ZERO);
            }
            Worth::NotLoaded if !self.was_useful => return Decision::GiveUp(policy.slow_retry),
            // Code that has loaded before may load again. If it does not, no client can be served.
            Worth::NotLoaded => true,
            Worth::NotReady => !self.was_useful,
            Worth::Ready { is_blamed, .. } => !self.was_useful && !is_blamed,
        };
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.by_itself = self.by_itself.saturating_add(u32::from(is_own_fault));
        if is_own_fault && self.by_itself >= policy.crash_loop {
            return Decision::GiveUp(policy.slow_retry);
        }
        Decision::RestartAfter(pause(policy, self.in_a_row, random))
    }
}

/// Returns no pause for the first end in a row, then an exponential back-off with jitter, up to the maximum.
fn pause(policy: &RestartPolicy, in_a_row: u32, random: f64) -> Duration {
    let Some(exponent) = in_a_row.checked_sub(2) else { return Duration::ZERO };
    let exponent = i32::try_from(exponent).unwrap_or(i32::MAX);
    let spread = 1.0 + policy.jitter * (2.0 * random - 1.0);
    let seconds = policy.initial.as_secs_f64() * policy.factor.powi(exponent) * spread;
    // If the product has overflowed, it is infinite, and clamp() limits it.
    Duration::from_secs_f64(seconds.clamp(0.0, policy.max.as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    const fn ready(lasted: Duration, has_answered: bool, is_blamed: bool) -> End {
        End { is_clean: false, worth: Worth::Ready { lasted, has_answered, is_blamed } }
    }

    /// The end of a worker that was of no use, by itself.
    const YOUNG: End = ready(Duration::ZERO, false, false);
    /// The end of a worker that has answered.
    const USEFUL: End = ready(Duration::ZERO, true, true);
    const NOT_LOADED: End = End { is_clean: false, worth: Worth::NotLoaded };
    const NOT_READY: End = End { is_clean: false, worth: Worth::NotReady };
    const AT_ONCE: Decision = Decision::RestartAfter(Duration::ZERO);

    /// Returns the decision after each of these ends.
    fn decisions(ends: impl IntoIterator<Item = End>) -> Vec<Decision> {
        let (policy, mut history) = (RestartPolicy::default(), RestartHistory::default());
        ends.into_iter().map(|end| history.ended(&policy, end, 0.5)).collect()
    }

    #[test]
    fn a_worker_that_was_useful_is_replaced_at_once_however_often() {
        assert!(decisions([USEFUL; 1000]).iter().all(|decision| *decision == AT_ONCE));
        let old = ready(RestartPolicy::default().min_uptime, false, false);
        assert!(decisions([old; 1000]).iter().all(|decision| *decision == AT_ONCE));
    }

    #[test]
    fn pauses_before_the_next_worker_grow_to_a_second_and_a_useful_one_ends_them() {
        let policy = RestartPolicy { crash_loop: u32::MAX, ..RestartPolicy::default() };
        let mut history = RestartHistory::default();
        let mut after = |end| match history.ended(&policy, end, 0.5) {
            Decision::RestartAfter(pause) => pause.as_millis(),
            other => panic!("{other:?}"),
        };
        assert_eq!([YOUNG; 7].map(&mut after), [0, 100, 200, 400, 800, 1000, 1000]);
        assert_eq!([USEFUL, YOUNG, YOUNG].map(&mut after), [0, 0, 100]);
    }

    #[test]
    fn what_does_not_load_is_given_up_at_once_unless_the_same_has_answered_before() {
        let given_up = Decision::GiveUp(RestartPolicy::default().slow_retry);
        assert_eq!(decisions([NOT_LOADED; 3]), [given_up; 3]);
        let found = decisions([USEFUL, NOT_LOADED, NOT_LOADED, NOT_LOADED, NOT_LOADED, NOT_LOADED]);
        assert!(found[..5].iter().all(|decision| matches!(decision, Decision::RestartAfter(_))));
        assert_eq!(found[5], given_up);
    }

    #[test]
    fn what_dies_young_by_itself_or_does_not_become_ready_is_given_up_until_it_was_useful() {
        for end in [YOUNG, NOT_READY] {
            let found = decisions([end; 8]);
            let is_given_up: Vec<_> =
                found.iter().map(|found| matches!(found, Decision::GiveUp(_))).collect();
            assert_eq!(is_given_up, [false, false, false, false, true, true, true, true]);
            let after = decisions(std::iter::once(USEFUL).chain([end; 1000]));
            assert!(after.iter().all(|decision| matches!(decision, Decision::RestartAfter(_))));
        }
    }

    #[test]
    fn nobody_can_hold_an_app_down_with_requests_that_end_its_workers() {
        // Either an app has never answered and gets no other requests, or each new worker meets the next request of a burst.
        for lasted in [Duration::from_secs(1), Duration::ZERO] {
            let killed = ready(lasted, false, true);
            let most = RestartPolicy::default().max;
            assert!(decisions([killed; 1000]).iter().all(|decision| match decision {
                Decision::RestartAfter(pause) => *pause <= most,
                _ => false,
            }));
        }
    }

    fn any_policy() -> impl Strategy<Value = RestartPolicy> {
        let ms = |range| Strategy::prop_map(range, Duration::from_millis);
        let times = (ms(1u64..1000), ms(0u64..100_000), ms(1u64..100_000));
        let numbers = (1.0f64..10.0, 0.0f64..=1.0, 1u32..10);
        (times, numbers).prop_map(|((initial, longer, min_uptime), (factor, jitter, crash_loop))| {
            let max = initial + longer;
            RestartPolicy { initial, max, min_uptime, factor, jitter, crash_loop, ..RestartPolicy::default() }
        })
    }

    fn any_end() -> impl Strategy<Value = End> {
        let lasted = (0u64..100_000).prop_map(Duration::from_millis);
        let ready = (lasted, any::<bool>(), any::<bool>())
            .prop_map(|(lasted, has_answered, is_blamed)| Worth::Ready { lasted, has_answered, is_blamed });
        let worth = prop_oneof![Just(Worth::NotLoaded), Just(Worth::NotReady), ready];
        (any::<bool>(), worth).prop_map(|(is_clean, worth)| End { is_clean, worth })
    }

    proptest! {
        #[test]
        fn pauses_stay_within_bounds_and_grow(in_a_row in 0u32..=u32::MAX - 1, random in 0.0f64..1.0) {
            let policy = RestartPolicy::default();
            let (one, next) = (pause(&policy, in_a_row, random), pause(&policy, in_a_row + 1, random));
            prop_assert!(one <= next && next <= policy.max);
        }

        #[test]
        fn an_app_that_was_useful_is_given_up_for_nothing_but_code_that_does_not_load(
            policy in any_policy(), ends in vec((any_end(), 0.0f64..1.0), 1..60),
        ) {
            let mut history = RestartHistory::default();
            let (mut was_useful, mut since_useful, mut own) = (false, 0, 0);
            for (end, random) in ends {
                let decision = history.ended(&policy, end, random);
                let is_useful = matches!(end.worth, Worth::Ready { lasted, has_answered, .. }
                    if has_answered || lasted >= policy.min_uptime);
                if is_useful {
                    prop_assert_eq!(decision, AT_ONCE);
                    (was_useful, since_useful, own) = (true, 0, 0);
                    continue;
                }
                let counts = match end.worth {
                    Worth::NotLoaded => true,
                    Worth::NotReady => !was_useful,
                    Worth::Ready { is_blamed, .. } => !was_useful && !is_blamed,
                };
                let is_hopeless = end.worth == Worth::NotLoaded && !was_useful;
                if !is_hopeless {
                    (since_useful, own) = (since_useful + 1, own + u32::from(counts));
                }
                match decision {
                    Decision::GiveUp(pause) => {
                        prop_assert_eq!(pause, policy.slow_retry);
                        prop_assert!(is_hopeless || (counts && own >= policy.crash_loop));
                    }
                    Decision::RestartAfter(pause) => {
                        prop_assert!(!(is_hopeless || counts && own >= policy.crash_loop));
                        prop_assert!(pause <= policy.max && (since_useful > 1 || pause.is_zero()));
                    }
                    Decision::Stay => prop_assert!(false, "this policy always restarts"),
                }
            }
        }

        #[test]
        fn the_mode_decides_whether_there_is_another_worker(policy in any_policy(), ends in vec(any_end(), 1..60)) {
            let never = RestartPolicy { policy: RestartMode::Never, ..policy.clone() };
            let on_failure = RestartPolicy { policy: RestartMode::OnFailure, ..policy.clone() };
            let (mut first, mut second) = (RestartHistory::default(), RestartHistory::default());
            for end in ends {
                prop_assert_eq!(RestartHistory::default().ended(&never, end, 0.5), Decision::Stay);
                let found = first.ended(&on_failure, end, 0.5);
                if end.is_clean {
                    prop_assert_eq!(found, Decision::Stay);
                } else {
                    prop_assert_eq!(found, second.ended(&policy, end, 0.5));
                }
            }
        }
    }
}
