//! Cron expressions, in the grammar of Cloudflare's Cron Triggers: `saffron` is the parser that they use.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use saffron::parse::{CronExpr, DayOfMonthExpr, DayOfWeekExpr, Expr, Exprs, OrsExpr};

use crate::config::errors::Flaw;

/// The fields of an expression: the name, and how to write it.
const FIELDS: [(&str, &str); 5] = [
    ("minute", "write 0 to 59, such as 30, 0-15, */5 or 0,30"),
    ("hour", "write 0 to 23, such as 6, 9-17, */2 or 0,12"),
    (
        "day of the month",
        "write 1 to 31, such as 1, 1-7, */2, L for the last day, or 15W for the weekday next to the 15th",
    ),
    ("month", "write 1 to 12 or JAN to DEC, such as 1, MAR-JUN, */3 or JAN,JUL"),
    (
        "day of the week",
        "write SUN to SAT, or 1 to 7, where 1 is Sunday, such as MON-FRI, 6L for the last Friday of the month, or MON#1 for \
         its first Monday",
    ),
];

/// The names of usual schedules, which Cloudflare does not have, and what to write.
const NICKNAMES: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * SUN"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// A cron expression. Times are in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cron {
    text: String,
    pattern: saffron::Cron,
}

impl Cron {
    /// Returns the expression as it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the first time after `time` at which it is due, if there is one.
    pub(crate) fn next_after(&self, time: SystemTime) -> Option<SystemTime> {
        self.pattern.next_after(DateTime::<Utc>::from(time)).map(Into::into)
    }
}

impl FromStr for Cron {
    type Err = Flaw;

    fn from_str(text: &str) -> Result<Self, Flaw> {
        let parsed: CronExpr = text.parse().map_err(|_| flaw(text))?;
        if goes_backwards(&parsed) {
            return Err(Flaw::new(
                format!("{text:?} has a range that goes backwards"),
                "write its two parts, such as 22-23,0-2 or SAT,SUN",
            ));
        }
        let pattern = saffron::Cron::new(parsed);
        if !pattern.any() {
            return Err(Flaw::new(
                format!("{text:?} is never due: none of its months has that day"),
                "correct the day of the month, or the month",
            ));
        }
        Ok(Self { text: text.to_owned(), pattern })
    }
}

/// Whether a range ends before it begins. The parser takes such a range, and makes it two values longer than it is.
fn goes_backwards(parsed: &CronExpr) -> bool {
    fn any<E: PartialOrd>(exprs: &Exprs<E>) -> bool {
        exprs.iter().any(|expr| match expr {
            OrsExpr::Range(start, end) | OrsExpr::Step { start, end, .. } => start > end,
            _ => false,
        })
    }
    fn one<E: PartialOrd>(expr: &Expr<E>) -> bool {
        matches!(expr, Expr::Many(exprs) if any(exprs))
    }
    let days = matches!(&parsed.doms, DayOfMonthExpr::Many(exprs) if any(exprs));
    let days_of_week = matches!(&parsed.dows, DayOfWeekExpr::Many(exprs) if any(exprs));
    one(&parsed.minutes) || one(&parsed.hours) || one(&parsed.months) || days || days_of_week
}

/// What is wrong with a text that is no cron expression.
fn flaw(text: &str) -> Flaw {
    if let Some((name, same)) = NICKNAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        return Flaw::new(format!("{name:?} is no cron expression here"), format!("write {same:?}"));
    }
    let fields: Vec<_> = text.split_ascii_whitespace().collect();
    if fields.len() != FIELDS.len() {
        let names = FIELDS.map(|(name, _)| name).join(", ");
        let seconds = if fields.len() == FIELDS.len() + 1 { "; there are no seconds" } else { "" };
        return Flaw::new(
            format!("{text:?} has {} fields", fields.len()),
            format!("write five, such as \"*/5 * * * *\": {names}{seconds}"),
        );
    }
    let is_wrong = |at: usize| {
        let mut alone = ["*"; FIELDS.len()];
        alone[at] = fields[at];
        alone.join(" ").parse::<saffron::Cron>().is_err()
    };
    match (0..FIELDS.len()).find(|at| is_wrong(*at)) {
        Some(at) => {
            let (name, fix) = FIELDS[at];
            Flaw::new(format!("{text:?} has {:?} as its {name}", fields[at]), fix)
        }
        None => Flaw::new(format!("{text:?} has blanks at its ends"), "remove them"),
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> SystemTime {
        humantime::parse_rfc3339_weak(text).unwrap()
    }

    /// The next times after a Wednesday.
    fn next(cron: &str) -> String {
        let cron: Cron = cron.parse().unwrap();
        let time = cron.next_after(at("2026-11-25 12:34:56")).unwrap();
        humantime::format_rfc3339_seconds(time).to_string()
    }

    /// The examples of Cloudflare's documentation, and the rest of its grammar.
    #[test]
    fn times_are_those_of_cloudflare() {
        for (cron, expected) in [
            ("* * * * *", "2026-11-25T12:35:00Z"),
            ("*/30 * * * *", "2026-11-25T13:00:00Z"),
            ("45 * * * *", "2026-11-25T12:45:00Z"),
            ("0 17 * * sun", "2026-11-29T17:00:00Z"),
            ("0 17 * * 1", "2026-11-29T17:00:00Z"),
            ("10 7 * * mon-fri", "2026-11-26T07:10:00Z"),
            ("10 7 * * 2-6", "2026-11-26T07:10:00Z"),
            ("0 15 1 * *", "2026-12-01T15:00:00Z"),
            ("0 18 * * 6L", "2026-11-27T18:00:00Z"),
            ("0 18 * * FRIL", "2026-11-27T18:00:00Z"),
            ("59 23 LW * *", "2026-11-30T23:59:00Z"),
            ("0 0 L * *", "2026-11-30T00:00:00Z"),
            ("0 0 L-3 * *", "2026-11-27T00:00:00Z"),
            ("0 0 15W * *", "2026-12-15T00:00:00Z"),
            ("0 0 * * MON#1", "2026-12-07T00:00:00Z"),
            ("0 0 * * 7", "2026-11-28T00:00:00Z"),
            // A day that matches either field is due.
            ("0 0 13 * FRI", "2026-11-27T00:00:00Z"),
            ("0 22-23,0-2 * * *", "2026-11-25T22:00:00Z"),
            // A step begins at its number.
            ("5/20 * * * *", "2026-11-25T12:45:00Z"),
            ("0 0 29 FEB *", "2028-02-29T00:00:00Z"),
        ] {
            assert_eq!(next(cron), expected, "{cron}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_the_fix() {
        let error = |text: &str| text.parse::<Cron>().unwrap_err().to_string();
        assert_eq!(
            error("0 0 * * 0"),
            "\"0 0 * * 0\" has \"0\" as its day of the week; fix: write SUN to SAT, or 1 to 7, where 1 is Sunday, such as \
             MON-FRI, 6L for the last Friday of the month, or MON#1 for its first Monday"
        );
        for (text, expected) in [
            ("60 * * * *", "\"60 * * * *\" has \"60\" as its minute; fix: write 0 to 59"),
            ("* 24 * * *", "\"* 24 * * *\" has \"24\" as its hour; fix: write 0 to 23"),
            ("* * 0 * *", "\"* * 0 * *\" has \"0\" as its day of the month; fix: write 1 to 31"),
            ("* * * SMARCH *", "\"* * * SMARCH *\" has \"SMARCH\" as its month; fix: write 1 to 12"),
            (
                "0 * * * * *",
                "\"0 * * * * *\" has 6 fields; fix: write five, such as \"*/5 * * * *\": minute, hour, ",
            ),
            ("", "\"\" has 0 fields; fix: write five"),
            (" * * * * *", "\" * * * * *\" has blanks at its ends; fix: remove them"),
            ("@daily", "\"@daily\" is no cron expression here; fix: write \"0 0 * * *\""),
            ("0 0 31 FEB *", "\"0 0 31 FEB *\" is never due: "),
            ("0 22-2 * * *", "\"0 22-2 * * *\" has a range that goes backwards; fix: write its two parts"),
            ("0 0 * * SAT-SUN", "\"0 0 * * SAT-SUN\" has a range that goes backwards; fix: "),
            ("*/0 * * * *", "\"*/0 * * * *\" has \"*/0\" as its minute"),
        ] {
            assert!(error(text).starts_with(expected), "{}", error(text));
        }
        assert!(error("0 * * * * *").ends_with("; there are no seconds"));
        for (_, same) in NICKNAMES {
            same.parse::<Cron>().unwrap();
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "[*0-9,/#LW A-Z-]{0,24}", seconds in 0u64..4_000_000_000) {
            if let Ok(cron) = text.parse::<Cron>() {
                let _ = cron.next_after(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
            }
        }

        #[test]
        fn every_matching_minute_is_due_and_no_other(minute in field(59), hour in field(23), start in 1_700_000_000u64..1_900_000_000) {
            let cron: Cron = format!("{} {} * * *", minute.0, hour.0).parse().unwrap();
            let mut time = SystemTime::UNIX_EPOCH + Duration::from_secs(start);
            let mut expected = start / 60;
            for _ in 0..20 {
                let matches = |minutes: u64| minute.1.contains(&(minutes % 60)) && hour.1.contains(&(minutes / 60 % 24));
                expected = (expected + 1..).find(|minutes| matches(*minutes)).unwrap();
                time = cron.next_after(time).unwrap();
                prop_assert_eq!(time, SystemTime::UNIX_EPOCH + Duration::from_secs(60 * expected));
            }
        }
    }

    /// A field whose values are 0 to `last`, and those that it names.
    fn field(last: u64) -> impl Strategy<Value = (String, Vec<u64>)> {
        let range = (0..=last, 0..=last).prop_map(|(one, other)| (one.min(other), one.max(other)));
        let part = (range, 1..=last).prop_flat_map(move |((start, end), step)| {
            let every =
                |start: u64, end: u64, step: u64| (start..=end).step_by(step as usize).collect::<Vec<_>>();
            prop_oneof![
                Just((format!("{start}"), vec![start])),
                Just((format!("{start}-{end}"), every(start, end, 1))),
                Just((format!("{start}-{end}/{step}"), every(start, end, step))),
                Just((format!("{start}/{step}"), every(start, last, step))),
                Just((format!("*/{step}"), every(0, last, step))),
            ]
        });
        let list = prop::collection::vec(part, 1..4).prop_map(|parts| {
            let (texts, values): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
            (texts.join(","), values.concat())
        });
        prop_oneof![Just(("*".to_owned(), (0..=last).collect())), list]
    }
}
