//! When a cron is due. A pure function of the last time up to which it was looked after, and the present time.

use std::time::{Duration, SystemTime};

use crate::config::Cron;

/// By how much the clock of the machine may be set back before a cron is due again at times that have passed already.
const SET_BACK: Duration = Duration::from_secs(5 * 60);

/// What a look at the clock gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dueness {
    /// A run is due since this time, the last of all since the look before.
    Due(SystemTime),
    /// The next run is due at this time.
    Next(SystemTime),
    /// No run will ever be due.
    Never,
}

/// Returns up to when a cron was looked after, in the time that holds now: it was `last` before the clock may have been set back.
pub(super) fn not_ahead(last: SystemTime, now: SystemTime) -> SystemTime {
    if last > now + SET_BACK { now } else { last }
}

/// Looks whether a cron was due after `last`. However often it was, it is due once.
pub(super) fn look(cron: &Cron, last: SystemTime, now: SystemTime) -> Dueness {
    match cron.next_after(last) {
        Some(first) if first <= now => Dueness::Due(latest(cron, first, now)),
        Some(next) => Dueness::Next(next),
        None => Dueness::Never,
    }
}

/// The last time up to `now` at which a cron is due. It is due at `first`.
fn latest(cron: &Cron, first: SystemTime, now: SystemTime) -> SystemTime {
    let up_to_now = |time: &SystemTime| *time <= now;
    // Of a long time only the end is walked through: the shortest end in which it is due at all.
    let mut end = Duration::from_secs(60);
    let mut latest = loop {
        let begin = now.checked_sub(end).filter(|begin| *begin > first);
        let Some(begin) = begin else { break first };
        match cron.next_after(begin).filter(up_to_now) {
            Some(found) => break found,
            None => end *= 2,
        }
    };
    while let Some(later) = cron.next_after(latest).filter(up_to_now) {
        latest = later;
    }
    latest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> SystemTime {
        humantime::parse_rfc3339_weak(text).unwrap()
    }

    fn looked(cron: &str, last: &str, now: &str) -> String {
        let shown = |time| humantime::format_rfc3339_seconds(time).to_string();
        match look(&cron.parse().unwrap(), at(last), at(now)) {
            Dueness::Due(time) => format!("due {}", shown(time)),
            Dueness::Next(time) => format!("next {}", shown(time)),
            Dueness::Never => "never".into(),
        }
    }

    #[test]
    fn it_is_due_at_its_time_and_not_before() {
        let of = |now| looked("*/5 * * * *", "2026-11-25 12:00:00", now);
        assert_eq!(of("2026-11-25 12:00:00"), "next 2026-11-25T12:05:00Z");
        assert_eq!(of("2026-11-25 12:04:59"), "next 2026-11-25T12:05:00Z");
        assert_eq!(of("2026-11-25 12:05:00"), "due 2026-11-25T12:05:00Z");
        assert_eq!(of("2026-11-25 12:05:01"), "due 2026-11-25T12:05:00Z");
    }

    #[test]
    fn what_was_missed_is_due_once() {
        let of = |cron, last| looked(cron, last, "2026-11-25 12:03:07");
        assert_eq!(of("* * * * *", "2026-11-25 11:00:00"), "due 2026-11-25T12:03:00Z");
        assert_eq!(of("* * * * *", "1999-11-25 11:00:00"), "due 2026-11-25T12:03:00Z");
        assert_eq!(of("0 0 * * MON", "2026-10-01 00:00:00"), "due 2026-11-23T00:00:00Z");
        assert_eq!(of("0 0 29 FEB *", "2019-01-01 00:00:00"), "due 2024-02-29T00:00:00Z");
        assert_eq!(of("0 0 1 1 *", "2026-01-01 00:00:00"), "next 2027-01-01T00:00:00Z");
    }

    #[test]
    fn a_clock_that_is_set_back_a_little_repeats_nothing() {
        let (last, of) = (at("2026-11-25 12:00:00"), |now| not_ahead(at("2026-11-25 12:00:00"), at(now)));
        assert_eq!(of("2026-11-25 12:00:30"), last);
        assert_eq!(of("2026-11-25 11:58:30"), last);
        assert_eq!(of("2026-11-25 09:58:30"), at("2026-11-25 09:58:30"));
        assert_eq!(
            looked("* * * * *", "2026-11-25 12:00:00", "2026-11-25 11:58:30"),
            "next 2026-11-25T12:01:00Z"
        );
    }

    proptest! {
        #[test]
        fn the_latest_time_is_the_last_one(
            cron in "(\\*/7|3|59) (\\*|4|\\*/5) (\\*|L|15W|9) (\\*|2|\\*/4) (\\*|MON|6L)",
            last in 1_600_000_000u64..1_800_000_000, passed in 0u64..40_000_000,
        ) {
            let cron: Cron = cron.parse().unwrap();
            let last = SystemTime::UNIX_EPOCH + Duration::from_secs(last);
            let now = last + Duration::from_secs(passed);
            match look(&cron, last, now) {
                Dueness::Due(time) => {
                    prop_assert!(last < time && time <= now);
                    prop_assert!(cron.next_after(time).is_none_or(|later| later > now));
                }
                Dueness::Next(time) => prop_assert!(time > now),
                Dueness::Never => prop_assert!(false),
            }
        }
    }
}
