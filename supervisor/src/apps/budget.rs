//! Decides which app may start a worker when: limits the starts per second over all apps that no command asked for, and gives
//! fair turns. The module is pure: it is told the time and only decides.
//!
//! A crash costs a start, and starts cost processor time that healthy apps need.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::model::ids::AppId;

/// For how many seconds unused starts are saved up: so many may then happen at once.
const BURST: f64 = 2.0;

/// Every so many turns, the app that has waited longest gets the turn, whatever its rank.
const AGING: u64 = 4;

/// The priority of an app that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// The app's last worker was useful.
    Useful,
    /// The app's last worker was not useful.
    Young,
}

/// How many starts are left, and which apps wait for one.
#[derive(Debug)]
pub(crate) struct Budget {
    per_second: f64,
    left: f64,
    counted: Instant,
    /// In the order of arrival.
    waiting: Vec<(AppId, Rank)>,
    turns: u64,
    /// The number of the last turn of every app that had one.
    last: BTreeMap<AppId, u64>,
}

/// The answer to an app that asks for a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The app may start.
    Now,
    /// No app may start before this time.
    At(Instant),
    /// Another app may start now.
    Other,
}

impl Budget {
    /// Creates a budget of `per_second` starts per second, which is full at `now`.
    pub(crate) fn new(per_second: u32, now: Instant) -> Self {
        let per_second = f64::from(per_second);
        let (waiting, last) = (Vec::new(), BTreeMap::new());
        Self { per_second, left: per_second * BURST, counted: now, waiting, turns: 0, last }
    }

    /// Sets how many starts per second are allowed.
    pub(crate) fn configure(&mut self, per_second: u32) {
        self.per_second = f64::from(per_second);
    }

    /// Adds an app to those that wait.
    pub(crate) fn enter(&mut self, app: AppId, rank: Rank) {
        self.leave(app);
        self.waiting.push((app, rank));
    }

    /// Removes an app from those that wait.
    pub(crate) fn leave(&mut self, app: AppId) {
        self.waiting.retain(|(waiting, _)| *waiting != app);
    }

    /// Returns how many apps wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Removes an app that is gone.
    pub(crate) fn forget(&mut self, app: AppId) {
        self.leave(app);
        self.last.remove(&app);
    }

    /// Returns whether an app that waits may start now. `is_needed` says whether requests wait for an app.
    pub(crate) fn ask(&mut self, app: AppId, now: Instant, is_needed: impl Fn(AppId) -> bool) -> Turn {
        let passed = now.saturating_duration_since(self.counted).as_secs_f64();
        self.left = (self.left + passed * self.per_second).min(self.per_second * BURST);
        self.counted = now.max(self.counted);
        if self.left < 1.0 {
            // The small extra makes up for rounding, so that a whole start is available by then.
            let wait = (1.0 - self.left) / self.per_second + 0.000_1;
            return Turn::At(now + Duration::from_secs_f64(wait));
        }
        let last = |app: &AppId| self.last.get(app).copied().unwrap_or_default();
        let next = if self.turns % AGING == AGING - 1 {
            self.waiting.first()
        } else {
            let order = |(app, rank): &&(AppId, Rank)| (*rank, !is_needed(*app), last(app));
            self.waiting.iter().min_by_key(order)
        };
        if next.is_none_or(|(next, _)| *next != app) {
            return Turn::Other;
        }
        self.leave(app);
        self.left -= 1.0;
        self.turns += 1;
        self.last.insert(app, self.turns);
        Turn::Now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn apps(count: u32) -> Vec<AppId> {
        (0..count).map(AppId::of_number).collect()
    }

    /// Simulates apps that want to start over and over. Each has a rank, and whether requests wait for it. Returns the number
    /// of starts of each.
    fn simulate(per_second: u32, seconds: u64, all: &[(AppId, Rank, bool)]) -> BTreeMap<AppId, u64> {
        let begun = Instant::now();
        let mut budget = Budget::new(per_second, begun);
        let mut starts: BTreeMap<_, _> = all.iter().map(|(app, ..)| (*app, 0)).collect();
        all.iter().for_each(|(app, rank, _)| budget.enter(*app, *rank));
        for step in 0..seconds * 1000 {
            let now = begun + Duration::from_millis(step);
            for (app, rank, _) in all {
                let is_needed = |asked| all.iter().any(|(app, _, is_needed)| *app == asked && *is_needed);
                if budget.ask(*app, now, is_needed) == Turn::Now {
                    *starts.entry(*app).or_default() += 1;
                    budget.enter(*app, *rank);
                }
            }
        }
        starts
    }

    #[test]
    fn whoever_is_alone_starts_at_once() {
        let (now, app) = (Instant::now(), apps(1)[0]);
        let mut budget = Budget::new(4, now);
        for _ in 0..8 {
            budget.enter(app, Rank::Young);
            assert_eq!(budget.ask(app, now, |_| false), Turn::Now);
        }
        budget.enter(app, Rank::Young);
        let Turn::At(later) = budget.ask(app, now, |_| false) else { panic!("beyond the budget") };
        assert!(later > now + Duration::from_millis(249) && later < now + Duration::from_millis(251));
        assert_eq!((budget.ask(app, later, |_| false), budget.waiting()), (Turn::Now, 0));
    }

    #[test]
    fn turns_are_fair_and_whoever_dies_young_comes_last_but_comes() {
        let apps = apps(4);
        let young: Vec<_> = apps.iter().map(|app| (*app, Rank::Young, false)).collect();
        let starts = simulate(10, 10, &young);
        let (least, most) = (starts.values().min().unwrap(), starts.values().max().unwrap());
        assert!(most - least <= 1, "{starts:?}");
        let mixed =
            [(apps[0], Rank::Young, true), (apps[1], Rank::Useful, false), (apps[2], Rank::Useful, true)];
        let starts = simulate(10, 10, &mixed);
        assert!(
            starts[&apps[2]] > starts[&apps[1]] && starts[&apps[1]] > 0 && starts[&apps[0]] > 0,
            "{starts:?}"
        );
    }

    #[test]
    fn an_app_that_crashes_as_fast_as_it_can_does_not_hold_up_one_that_crashes_now_and_then() {
        let (now, apps) = (Instant::now(), apps(2));
        let mut budget = Budget::new(1, now);
        for app in [apps[0], apps[0]] {
            budget.enter(app, Rank::Useful);
            assert_eq!(budget.ask(app, now, |_| true), Turn::Now);
        }
        budget.enter(apps[0], Rank::Useful);
        budget.enter(apps[1], Rank::Useful);
        let later = now + Duration::from_millis(1001);
        assert_eq!(budget.ask(apps[0], later, |_| true), Turn::Other);
        assert_eq!(budget.ask(apps[1], later, |_| true), Turn::Now);
    }

    proptest! {
        #[test]
        fn there_are_never_more_starts_than_the_budget_and_nobody_waits_for_ever(
            per_second in 1u32..50, all in vec((any::<bool>(), any::<bool>()), 1..8),
        ) {
            let apps = apps(8);
            let rank = |is_useful| if is_useful { Rank::Useful } else { Rank::Young };
            let all: Vec<_> = all.iter().zip(apps).map(|((one, other), app)| (app, rank(*one), *other)).collect();
            let starts = simulate(per_second, 4, &all);
            let sum: u64 = starts.values().sum();
            prop_assert!(sum <= u64::from(per_second) * (4 + BURST as u64));
            // The app that has waited longest gets every fourth turn.
            if sum >= AGING * all.len() as u64 {
                prop_assert!(starts.values().all(|count| *count > 0), "{starts:?}");
            }
        }
    }
}
