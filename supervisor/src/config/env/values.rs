//! Converts an app's `env` and `props` from TOML values to the JSON values that its handler gets.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Number, Value};
use toml::de::DeValue;

use crate::config::bounds;
use crate::config::document::section::Section;
use crate::config::document::value;
use crate::config::errors::{Flaw, Problems};

/// Variables of a configuration file. Their `Debug` output shows only the names.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Values(pub(crate) BTreeMap<String, Value>);

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Reads the variables of a section. Values that cannot be passed to the app are recorded as problems.
pub(crate) fn read(section: &Section<'_>, problems: &mut Problems) -> Values {
    let convert = |name| Some((String::from(name), section.read(name, json, problems)?));
    Values(section.names().into_iter().filter_map(convert).collect())
}

/// Converts the value that a handler gets as `ctx.props`.
pub(crate) fn props(value: &DeValue<'_>) -> Result<Value, Flaw> {
    let props = json(value)?;
    let size = props.to_string().len();
    if size > bounds::PROPS {
        let fix = format!("keep it below {} bytes", bounds::PROPS);
        return Err(Flaw::new(format!("is too large: {size} bytes as JSON"), fix));
    }
    Ok(props)
}

/// Converts a TOML value to JSON. Dates become text.
pub(crate) fn json(value: &DeValue<'_>) -> Result<Value, Flaw> {
    nested(value, 0)
}

fn nested(value: &DeValue<'_>, depth: usize) -> Result<Value, Flaw> {
    if depth > bounds::ENV_DEPTH {
        return Err(Flaw::new(
            format!("is nested more than {} levels deep", bounds::ENV_DEPTH),
            "flatten it, or have the app parse it from text",
        ));
    }
    Ok(match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => match value::integer(number) {
            Some(number) if number.unsigned_abs() <= bounds::ENV_INTEGER => number.into(),
            _ => {
                return Err(Flaw::new(
                    format!("JavaScript has no exact number {number}"),
                    format!("write it as text: \"{number}\""),
                ));
            }
        },
        DeValue::Float(number) => match number.as_str().parse().ok().and_then(Number::from_f64) {
            Some(number) => Value::Number(number),
            None => {
                return Err(Flaw::new(
                    format!("JSON has no number {}", number.as_str()),
                    format!("write it as text: \"{}\"", number.as_str()),
                ));
            }
        },
        DeValue::Boolean(yes) => Value::Bool(*yes),
        DeValue::Datetime(date) => Value::String(date.to_string()),
        DeValue::Array(list) => {
            let items: Result<Vec<_>, _> =
                list.iter().map(|item| nested(item.get_ref(), depth + 1)).collect();
            Value::Array(items?)
        }
        DeValue::Table(table) => {
            let mut map = Map::new();
            for (key, value) in table.iter() {
                map.insert(key.get_ref().to_string(), nested(value.get_ref(), depth + 1)?);
            }
            Value::Object(map)
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use toml::de::DeTable;

    use super::*;
    use crate::config::document::section::Document;

    fn env(text: &str) -> (Value, Vec<String>) {
        let table = DeTable::parse(text).unwrap();
        let mut problems = Problems::default();
        let top = Section::top(Document::config("nano.toml", text), table.get_ref());
        let Values(env) = read(&top, &mut problems);
        (json!(env), problems.texts())
    }

    #[test]
    fn every_toml_value_becomes_json() {
        let text = "T = 'x'\nI = -9007199254740991\nF = 1.5\nB = true\nD = 1979-05-27\nL = [1, 'a']\nO = { a = { b = 1 } }";
        let expected = json!({
            "T": "x", "I": -9_007_199_254_740_991_i64, "F": 1.5, "B": true, "D": "1979-05-27", "L": [1, "a"],
            "O": { "a": { "b": 1 } }
        });
        assert_eq!(env(text), (expected, vec![]));
        assert_eq!(env(""), (json!({}), vec![]));
    }

    #[test]
    fn what_json_cannot_hold_is_reported_and_the_rest_kept() {
        let text = "\nA = 9007199254740992\nB = inf\nC = 1\nD = [nan]";
        let found = [
            "nano.toml:2: A: JavaScript has no exact number 9007199254740992; fix: write it as text: \
             \"9007199254740992\"",
            "nano.toml:3: B: JSON has no number inf; fix: write it as text: \"inf\"",
            "nano.toml:5: D: JSON has no number nan; fix: write it as text: \"nan\"",
        ];
        assert_eq!(env(text), (json!({ "C": 1 }), found.map(String::from).to_vec()));
    }

    #[test]
    fn depth_is_bounded() {
        let (_, found) = env(&format!("A = {}{}", "[".repeat(70), "]".repeat(70)));
        assert_eq!(
            found,
            [
                "nano.toml:1: A: is nested more than 64 levels deep; fix: flatten it, or have the app parse it from \
              text"
            ]
        );
    }

    #[test]
    fn props_are_any_value_and_bounded() {
        let props = |text: &str| props(DeValue::parse(text).unwrap().get_ref());
        assert_eq!(props("{ tier = 'gold', n = [1] }"), Ok(json!({ "tier": "gold", "n": [1] })));
        assert_eq!(props("'gold'"), Ok(json!("gold")));
        let flaw = props(&format!("'{}'", "x".repeat(bounds::PROPS))).unwrap_err();
        assert_eq!(flaw.to_string(), "is too large: 65538 bytes as JSON; fix: keep it below 65536 bytes");
    }
}
