//! Parses durations and sizes as people write them, and checks numbers against their bounds.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use bytesize::ByteSize;

use crate::config::errors::Flaw;

/// Longest quantity, in bytes. No sensible one comes near it, and it keeps input that could overflow the parsers from them.
const MAX_TEXT: usize = 20;

/// Reads a duration with its unit: `500ms`, `5s`, `2m`, `1h`, `1h 30m`.
pub(crate) fn duration(text: &str, bounds: &RangeInclusive<Duration>) -> Result<Duration, Flaw> {
    let text = text.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && text.len() <= MAX_TEXT {
        return Err(without_unit(text));
    }
    let parsed = if text.len() <= MAX_TEXT { humantime::parse_duration(text).ok() } else { None };
    let Some(duration) = parsed else {
        let slip = slip(text).filter(|slip| humantime::parse_duration(slip).is_ok());
        let usual = "write a number and a unit: \"500ms\", \"5s\", \"2m\" or \"1h\"";
        return Err(Flaw::new(
            format!("{text:?} is not a duration"),
            slip.map_or(usual.into(), |slip| format!("write {slip:?}")),
        ));
    };
    within(duration, bounds, show_duration)
}

/// Returns what was probably meant by a quantity with a decimal comma or in capitals. Returns `None` if a comma is followed by
/// three digits, because it may separate thousands.
fn slip(text: &str) -> Option<String> {
    let digits = |rest: &str| rest.bytes().take_while(u8::is_ascii_digit).count();
    let is_clear = text.split(',').skip(1).all(|rest| digits(rest) != 3);
    (text.len() <= MAX_TEXT && is_clear).then(|| text.replace(',', ".").to_lowercase())
}

/// Returns the flaw of a number that stands where a duration is expected.
pub(crate) fn without_unit(number: &str) -> Flaw {
    Flaw::new(format!("{number} has no unit"), format!("write \"{number}s\" for seconds or \"{number}ms\""))
}

/// Reads a size in bytes: `64KiB`, `1MiB`, `1GiB`, `10MB`, `1048576`.
pub(crate) fn size(text: &str, bounds: &RangeInclusive<u64>) -> Result<u64, Flaw> {
    let text = text.trim();
    let parsed = if text.len() <= MAX_TEXT { text.parse::<ByteSize>().ok() } else { None };
    let Some(size) = parsed else {
        let slip = slip(text).filter(|slip| slip.parse::<ByteSize>().is_ok());
        let usual = "write a number of bytes, or a number and a unit: \"64KiB\", \"1MiB\" or \"1GiB\"";
        return Err(Flaw::new(
            format!("{text:?} is not a size"),
            slip.map_or(usual.into(), |slip| format!("write {slip:?}")),
        ));
    };
    within(size.as_u64(), bounds, show_size)
}

/// Checks a value against its bounds.
pub(crate) fn within<T: PartialOrd + Copy, S: Display>(
    value: T,
    bounds: &RangeInclusive<T>,
    show: impl Fn(T) -> S,
) -> Result<T, Flaw> {
    if bounds.contains(&value) {
        return Ok(value);
    }
    let size = if value < *bounds.start() { "small" } else { "great" };
    Err(Flaw::new(
        format!("{} is too {size}", show(value)),
        format!("choose a value from {} to {}", show(*bounds.start()), show(*bounds.end())),
    ))
}

/// Formats a duration for messages. [`duration`] reads it back.
pub(crate) fn show_duration(duration: Duration) -> impl Display {
    humantime::format_duration(duration)
}

/// Formats a size for messages, in the greatest unit that divides it. [`size`] reads it back.
pub(crate) fn show_size(size: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(bytes, _)| size > 0 && size.is_multiple_of(*bytes)) {
        Some((bytes, unit)) => format!("{}{unit}", size / bytes),
        None => format!("{size}B"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ANY_DURATION: RangeInclusive<Duration> = Duration::ZERO..=Duration::MAX;
    const ANY_SIZE: RangeInclusive<u64> = 0..=u64::MAX;

    #[test]
    fn durations_have_units() {
        for (text, millis) in [
            ("500ms", 500),
            ("5s", 5_000),
            (" 2m ", 120_000),
            ("1h", 3_600_000),
            ("1h 30m", 5_400_000),
            ("1.5s", 1_500),
            ("0s", 0),
        ] {
            assert_eq!(duration(text, &ANY_DURATION), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn other_durations_are_refused() {
        assert_eq!(
            duration("30", &ANY_DURATION).unwrap_err().to_string(),
            "30 has no unit; fix: write \"30s\" for seconds or \"30ms\""
        );
        // The last one would make the parser panic.
        for text in
            ["", "s", "-5s", "5 parsecs", "1e3s", "99999999999999999999s", "18446744073709551615s1000ms"]
        {
            assert_eq!(
                duration(text, &ANY_DURATION).unwrap_err().to_string(),
                format!(
                    "{text:?} is not a duration; fix: write a number and a unit: \"500ms\", \"5s\", \"2m\" or \"1h\""
                )
            );
        }
    }

    #[test]
    fn slips_of_the_pen_are_understood() {
        let fix = |flaw: Flaw| flaw.to_string().split_once("; fix: ").unwrap().1.to_owned();
        for (text, meant) in [("10S", "10s"), ("1,5s", "1.5s"), ("500 MS", "500 ms")] {
            assert_eq!(fix(duration(text, &ANY_DURATION).unwrap_err()), format!("write {meant:?}"));
        }
        // Ambiguous: the comma may be a decimal comma or separate thousands.
        for text in ["1,500MiB", "1,500,000"] {
            assert!(fix(size(text, &ANY_SIZE).unwrap_err()).starts_with("write a number"), "{text}");
        }
        assert_eq!(fix(size("256,5MiB", &ANY_SIZE).unwrap_err()), "write \"256.5mib\"");
    }

    #[test]
    fn sizes_are_bytes_or_have_units() {
        for (text, bytes) in [
            ("0", 0),
            ("1048576", 1 << 20),
            ("64KiB", 1 << 16),
            ("1 MiB", 1 << 20),
            ("1GiB", 1 << 30),
            ("10MB", 10_000_000),
        ] {
            assert_eq!(size(text, &ANY_SIZE), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn other_sizes_are_refused() {
        for text in ["", "KiB", "-1", "1 potato", "1.2.3MiB", "1MiB 1KiB", "000000000000000000000001"] {
            assert_eq!(
                size(text, &ANY_SIZE).unwrap_err().to_string(),
                format!(
                    "{text:?} is not a size; fix: write a number of bytes, or a number and a unit: \"64KiB\", \
                     \"1MiB\" or \"1GiB\""
                )
            );
        }
    }

    #[test]
    fn bounds_are_held_and_named() {
        let bounds = Duration::from_millis(10)..=Duration::from_secs(3600);
        assert!(duration("10ms", &bounds).is_ok() && duration("1h", &bounds).is_ok());
        assert_eq!(
            duration("9ms", &bounds).unwrap_err().to_string(),
            "9ms is too small; fix: choose a value from 10ms to 1h"
        );
        assert_eq!(
            size("1GiB", &(1..=1 << 20)).unwrap_err().to_string(),
            "1GiB is too great; fix: choose a value from 1B to 1MiB"
        );
        assert!(within(f64::NAN, &(0.0..=1.0), |value| value).is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = duration(&text, &ANY_DURATION);
            let _ = size(&text, &ANY_SIZE);
        }

        #[test]
        fn no_number_panics(text in "[0-9]{0,21}[.]?[0-9]{0,21} ?(ms|s|m|h|y|B|KiB|EiB)?[0-9]{0,3}(ms|ns)?") {
            let _ = duration(&text, &ANY_DURATION);
            let _ = size(&text, &ANY_SIZE);
        }

        #[test]
        fn sizes_are_read_back_as_shown(bytes in any::<u64>(), shift in 0..64u32) {
            let bytes = bytes >> shift;
            prop_assume!(show_size(bytes).len() <= MAX_TEXT);
            prop_assert_eq!(size(&show_size(bytes), &ANY_SIZE), Ok(bytes));
        }
    }
}
