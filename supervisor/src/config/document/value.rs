//! Converts values of the configuration file to the types they stand for.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use crate::config::document::quantity;
use crate::config::errors::Flaw;

pub(crate) fn text<'a>(value: &'a DeValue<'a>) -> Result<&'a str, Flaw> {
    value.as_str().ok_or_else(|| match value {
        DeValue::Integer(number) => wrong("text", value, &format!("put it in quotes: \"{number}\"")),
        _ => wrong("text", value, "write it in quotes"),
    })
}

/// Reads text and parses it.
pub(crate) fn parsed<T: FromStr<Err = Flaw>>(value: &DeValue<'_>) -> Result<T, Flaw> {
    text(value)?.parse()
}

pub(crate) fn switch(value: &DeValue<'_>) -> Result<bool, Flaw> {
    value.as_bool().ok_or_else(|| wrong("true or false", value, "write true or false, without quotes"))
}

/// Reads one of the words of an enumeration.
pub(crate) fn choice<T: ValueEnum>(value: &DeValue<'_>) -> Result<T, Flaw> {
    let text = text(value)?;
    T::from_str(text, false).map_err(|_| {
        let names: Vec<_> = T::value_variants()
            .iter()
            .filter_map(|variant| variant.to_possible_value())
            .map(|possible| format!("\"{}\"", possible.get_name()))
            .collect();
        Flaw::new(format!("{text:?} is none of its values"), format!("write {}", names.join(" or ")))
    })
}

/// Reads a whole number within `bounds`.
pub(crate) fn whole<T>(bounds: RangeInclusive<T>) -> impl Fn(&DeValue<'_>) -> Result<T, Flaw>
where
    T: PartialOrd + Copy + Display + TryFrom<i64>,
{
    move |value| {
        let DeValue::Integer(number) = value else {
            return Err(wrong("a whole number", value, "write digits, without quotes"));
        };
        match integer(number).and_then(|number| T::try_from(number).ok()) {
            Some(number) => quantity::within(number, &bounds, |number| number),
            None => Err(Flaw::new(
                format!("{number} is out of range"),
                format!("choose a value from {} to {}", bounds.start(), bounds.end()),
            )),
        }
    }
}

/// Reads a number within `bounds`, with or without a fraction.
pub(crate) fn decimal(bounds: RangeInclusive<f64>) -> impl Fn(&DeValue<'_>) -> Result<f64, Flaw> {
    move |value| {
        let number = match value {
            DeValue::Float(number) => number.as_str().parse().ok(),
            DeValue::Integer(number) => integer(number).map(|number| number as f64),
            _ => None,
        };
        let number = number.ok_or_else(|| wrong("a number", value, "write digits, without quotes"))?;
        quantity::within(number, &bounds, |number| number)
    }
}

/// Reads a duration with its unit.
pub(crate) fn duration(bounds: RangeInclusive<Duration>) -> impl Fn(&DeValue<'_>) -> Result<Duration, Flaw> {
    move |value| match value {
        DeValue::String(text) => quantity::duration(text, &bounds),
        DeValue::Integer(number) => Err(quantity::without_unit(&number.to_string())),
        _ => Err(wrong(
            "a duration",
            value,
            "write a number and a unit in quotes, such as \"500ms\" or \"5s\"",
        )),
    }
}

/// Reads a size in bytes.
pub(crate) fn size<T: TryFrom<u64>>(bounds: RangeInclusive<u64>) -> impl Fn(&DeValue<'_>) -> Result<T, Flaw> {
    move |value| {
        let size = match value {
            DeValue::String(text) => quantity::size(text, &bounds)?,
            DeValue::Integer(number) => match integer(number).and_then(|number| u64::try_from(number).ok()) {
                Some(number) => quantity::within(number, &bounds, quantity::show_size)?,
                None => quantity::size(&number.to_string(), &bounds)?,
            },
            _ => return Err(wrong("a size", value, "write a number of bytes, or text such as \"64KiB\"")),
        };
        // Cannot fail on machines where `usize` has 64 bits.
        T::try_from(size).map_err(|_| Flaw::new("too great for this machine", "choose a smaller size"))
    }
}

pub(crate) fn list<'a>(value: &'a DeValue<'a>) -> Result<&'a [Spanned<DeValue<'a>>], Flaw> {
    match value {
        DeValue::Array(list) => Ok(list),
        DeValue::String(text) => Err(wrong("a list", value, &format!("write it in brackets: [{text:?}]"))),
        _ => Err(wrong("a list", value, "write it in brackets: [...]")),
    }
}

pub(crate) fn table<'a>(value: &'a DeValue<'a>) -> Result<&'a DeTable<'a>, Flaw> {
    value.as_table().ok_or_else(|| {
        let fix = match value {
            DeValue::Array(list) if list.iter().any(|item| item.get_ref().is_table()) => {
                "write its name in one pair of brackets, [section], not in two"
            }
            _ => "write it in braces, { name = value }, or as a [section]",
        };
        wrong("a table", value, fix)
    })
}

/// Returns the value of a whole number, if it fits.
pub(crate) fn integer(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

fn wrong(expected: &str, found: &DeValue<'_>, fix: &str) -> Flaw {
    let found = match found {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    Flaw::new(format!("expected {expected}, found {found}"), fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
    enum Word {
        One,
        Two,
    }

    /// Converts `text` with `convert`, and returns errors as text.
    fn check<T>(text: &str, convert: impl FnOnce(&DeValue<'_>) -> Result<T, Flaw>) -> Result<T, String> {
        convert(DeValue::parse(text).unwrap().get_ref()).map_err(|flaw| flaw.to_string())
    }

    #[test]
    fn each_type_reads_its_values() {
        assert_eq!(check("'a'", |value| text(value).map(str::to_owned)), Ok("a".into()));
        assert_eq!(check("true", switch), Ok(true));
        assert_eq!(check("'two'", choice::<Word>), Ok(Word::Two));
        assert_eq!(check("1_000", whole(1..=1000usize)), Ok(1000));
        assert_eq!(check("0x1F", whole(1..=1000u32)), Ok(31));
        assert_eq!(check("1", decimal(0.0..=1.0)), Ok(1.0));
        assert_eq!(check("0.5", decimal(0.0..=1.0)), Ok(0.5));
        assert_eq!(check("'5s'", duration(Duration::ZERO..=Duration::MAX)), Ok(Duration::from_secs(5)));
        assert_eq!(check("'8KiB'", size::<usize>(0..=u64::MAX)), Ok(8192));
        assert_eq!(check("8192", size::<u64>(0..=u64::MAX)), Ok(8192));
    }

    #[test]
    fn wrong_types_are_named_with_a_fix() {
        let cases = [
            (
                check("1", |value| text(value).map(drop)),
                "expected text, found a whole number; fix: put it in quotes: \"1\"",
            ),
            (
                check("[1]", |value| text(value).map(drop)),
                "expected text, found a list; fix: write it in quotes",
            ),
            (
                check("'yes'", |value| switch(value).map(drop)),
                "expected true or false, found text; fix: write true or false, without quotes",
            ),
            (
                check("'8080'", |value| whole(0..=1u16)(value).map(drop)),
                "expected a whole number, found text; fix: write digits, without quotes",
            ),
            (
                check("1979-05-27", |value| decimal(0.0..=1.0)(value).map(drop)),
                "expected a number, found a date; fix: write digits, without quotes",
            ),
            (
                check("1.5", |value| duration(Duration::ZERO..=Duration::MAX)(value).map(drop)),
                "expected a duration, found a number; fix: write a number and a unit in quotes, such as \"500ms\" or \
                 \"5s\"",
            ),
            (
                check("true", |value| size::<u64>(0..=1)(value).map(drop)),
                "expected a size, found true or false; fix: write a number of bytes, or text such as \"64KiB\"",
            ),
            (
                check("{ a = 1 }", |value| list(value).map(drop)),
                "expected a list, found a table; fix: write it in brackets: [...]",
            ),
            (
                check("1", |value| table(value).map(drop)),
                "expected a table, found a whole number; fix: write it in braces, { name = value }, or as a [section]",
            ),
        ];
        for (found, expected) in cases {
            assert_eq!(found, Err(expected.into()));
        }
    }

    #[test]
    fn wrong_values_are_named_with_a_fix() {
        assert_eq!(
            check("'three'", choice::<Word>),
            Err("\"three\" is none of its values; fix: write \"one\" or \"two\"".into())
        );
        assert_eq!(
            check("30", duration(Duration::ZERO..=Duration::MAX)),
            Err("30 has no unit; fix: write \"30s\" for seconds or \"30ms\"".into())
        );
        assert_eq!(
            check("0", whole(1..=9usize)),
            Err("0 is too small; fix: choose a value from 1 to 9".into())
        );
        for text in ["-1", "70000", "99999999999999999999999"] {
            assert_eq!(
                check(text, whole(1..=9u16)),
                Err(format!("{text} is out of range; fix: choose a value from 1 to 9"))
            );
        }
        assert_eq!(
            check("2", size::<u64>(0..=1)),
            Err("2B is too great; fix: choose a value from 0B to 1B".into())
        );
        assert!(check("-1", size::<u64>(0..=1)).is_err());
        assert!(check("nan", decimal(0.0..=1.0)).is_err());
    }
}
