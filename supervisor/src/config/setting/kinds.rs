//! The kinds of settings: what each reads, how it shows a value, and its JSON Schema for editors.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use serde_json::{Value as Json, json};
use toml::de::DeValue;

use super::json::{object, text};
use super::{Setting, SettingGroup};
use crate::config::document::quantity::{show_duration, show_size};
use crate::config::document::section::Section;
use crate::config::document::value;
use crate::config::errors::{Flaw, Place, Problems};

/// Pattern of a duration as `humantime` reads it. A pattern cannot express the bounds.
pub(crate) const DURATION: &str = "^\\s*([0-9][0-9\\s]*(\\.[0-9\\s]+)?(nanos|nsec|ns|usec|us|µs|millis|msec|ms|seconds|second|secs|sec|s|minutes|\
                        minute|mins|min|m|hours|hour|hrs|hr|h|days|day|d|weeks|week|wks|wk|w|months|month|M|years|year|yrs|yr|y)\
                        \\s*)+$";

/// Pattern of a size as `bytesize` reads it.
pub(crate) const SIZE: &str = "^\\s*[0-9]*(\\.[0-9]*)?\\s*([bB]|[kKmMgGtTpPeE][iI]?[bB]?)?\\s*$";

/// A setting whose value `convert` makes from that of the file.
pub(crate) fn value<T: 'static>(
    noun: &'static str,
    schema: Json,
    convert: impl Fn(&DeValue<'_>) -> Result<T, Flaw> + Send + Sync + 'static,
    show: impl Fn(&T) -> Json + Send + Sync + 'static,
) -> Setting<T> {
    Setting::new(noun, schema, move |section, name, _, problems| section.read(name, &convert, problems), show)
}

/// A whole number.
pub(crate) fn whole<T>(bounds: RangeInclusive<T>) -> Setting<T>
where
    T: PartialOrd + Copy + Display + TryFrom<i64> + serde::Serialize + Send + Sync + 'static,
{
    let schema = json!({ "type": "integer", "minimum": bounds.start(), "maximum": bounds.end() });
    value("whole number", schema, value::whole(bounds), |number| json!(number))
}

/// A number with or without a fraction.
pub(crate) fn decimal(bounds: RangeInclusive<f64>) -> Setting<f64> {
    let schema = json!({ "type": "number", "minimum": bounds.start(), "maximum": bounds.end() });
    value("number", schema, value::decimal(bounds), |number| json!(number))
}

/// A duration, with its unit.
pub(crate) fn duration(bounds: RangeInclusive<Duration>) -> Setting<Duration> {
    let schema = json!({ "type": "string", "pattern": DURATION });
    value("duration", schema, value::duration(bounds), |duration| json!(show_duration(*duration).to_string()))
}

/// A size in bytes.
pub(crate) fn size<T>(bounds: RangeInclusive<u64>) -> Setting<T>
where
    T: Copy + TryFrom<u64> + TryInto<u64> + 'static,
{
    let schema = json!({ "anyOf": [
        { "type": "string", "pattern": SIZE },
        { "type": "integer", "minimum": bounds.start(), "maximum": bounds.end() },
    ] });
    value("size", schema, value::size(bounds), |size: &T| {
        json!((*size).try_into().map_or_else(|_| String::new(), show_size))
    })
}

/// True or false.
pub(crate) fn switch() -> Setting<bool> {
    value("switch", json!({ "type": "boolean" }), value::switch, |yes| json!(yes))
}

/// One of the words of an enumeration.
pub(crate) fn choice<T: ValueEnum + 'static>() -> Setting<T> {
    let choices: Vec<_> = T::value_variants().iter().filter_map(ValueEnum::to_possible_value).collect();
    let names: Vec<_> = choices.iter().map(|choice| choice.get_name().to_owned()).collect();
    let show = |value: &T| json!(value.to_possible_value().map(|value| value.get_name().to_owned()));
    value("word", json!({ "enum": names }), value::choice, show).choices(choices)
}

/// Text that is parsed into a type of its own.
pub(crate) fn parsed<T: FromStr<Err = Flaw> + 'static>(
    show: impl Fn(&T) -> String + Send + Sync + 'static,
) -> Setting<T> {
    value("text", text(), value::parsed, move |value| json!(show(value)))
}

/// Any text.
pub(crate) fn words() -> Setting<String> {
    value("text", text(), |found| value::text(found).map(str::to_owned), |text| json!(text))
}

/// A path, relative to the folder of the file.
pub(crate) fn path() -> Setting<PathBuf> {
    checked_path(Ok)
}

/// A path that `check` accepts.
pub(crate) fn checked_path(
    check: impl Fn(PathBuf) -> Result<PathBuf, Flaw> + Send + Sync + 'static,
) -> Setting<PathBuf> {
    in_folder(
        "path",
        text(),
        move |found, folder| check(folder.join(value::text(found)?)),
        |path| json!(path),
    )
}

/// Like [`value()`], for values that contain a path. `convert` gets the folder that the path is relative to.
pub(crate) fn in_folder<T: 'static>(
    noun: &'static str,
    schema: Json,
    convert: impl Fn(&DeValue<'_>, &Path) -> Result<T, Flaw> + Send + Sync + 'static,
    show: impl Fn(&T) -> Json + Send + Sync + 'static,
) -> Setting<T> {
    let read = move |section: &Section<'_>, name: &str, _: Option<&T>, problems: &mut Problems| {
        section.read(name, |found| convert(found, section.folder()), problems)
    };
    Setting::new(noun, schema, read, show)
}

/// A list whose elements each have their own place.
pub(crate) fn list<T: 'static>(
    item: Json,
    convert: impl Fn(&DeValue<'_>) -> Result<T, Flaw> + Send + Sync + 'static,
) -> Setting<Vec<(T, Place)>> {
    let schema = json!({ "type": "array", "items": item });
    let read = move |section: &Section<'_>,
                     name: &str,
                     _: Option<&Vec<(T, Place)>>,
                     problems: &mut Problems| { section.list(name, &convert, problems) };
    Setting::new("list", schema, read, |_| json!([]))
}

/// A nested table. `former` gives advice about fields that earlier versions had.
pub(crate) fn table<S: SettingGroup>(
    former: fn(&str) -> Option<String>,
    check: fn(&S, &Section<'_>, &mut Problems),
) -> Setting<S> {
    let schema = object(S::about());
    let read = move |section: &Section<'_>, name: &str, current: Option<&S>, problems: &mut Problems| {
        let section = section.section(name, problems)?;
        section.only(&S::names().collect::<Vec<_>>(), former, problems);
        let mut group = current.cloned().unwrap_or_default();
        group.read(&section, problems);
        check(&group, &section, problems);
        Some(group)
    };
    Setting::new("table", schema, read, |_| json!({}))
}
