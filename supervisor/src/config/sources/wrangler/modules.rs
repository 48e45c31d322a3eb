//! What a wrangler file says about modules: `rules`, `alias` and `define`.

use nano_protocol::message::{ModuleKind, ModuleOptions, ModuleRule};
use serde_json::Value;

use super::fields::{Content, Field};
use crate::config::errors::{Flaw, Problems};

/// Takes a field into `options`. Returns the names of what has no effect.
pub(super) fn take(field: Field, options: &mut ModuleOptions, problems: &mut Problems) -> Vec<String> {
    let Field { name, place, content } = field;
    let mut ignored = Vec::new();
    match (&*name, content) {
        ("rules", content) => {
            let rules = content.json().and_then(|rules| read_rules(&rules, &mut ignored));
            options.rules.extend(problems.keep(|| place, rules).unwrap_or_default());
        }
        ("alias", Content::Table(fields)) => options.alias.extend(texts(fields, problems)),
        (_, Content::Table(fields)) => {
            for (name, value) in texts(fields, problems) {
                if can_define(&name, &value) {
                    options.define.push((name, value));
                } else {
                    // A bundler replaces any expression of this form.
                    ignored.push(format!("define of {name}"));
                }
            }
        }
        (_, Content::Value(_)) => {
            problems.add(place, Flaw::new("is not a table", "write NAME = \"value\" for each name"));
        }
    }
    ignored
}

fn texts(fields: Vec<Field>, problems: &mut Problems) -> Vec<(String, String)> {
    let text = |Field { name, place, content }| Some((name, problems.keep(|| place, content.text())?));
    fields.into_iter().filter_map(text).collect()
}

fn read_rules(rules: &Value, ignored: &mut Vec<String>) -> Result<Vec<ModuleRule>, Flaw> {
    let flaw =
        || Flaw::new("is no list of rules", "write each as { type = \"Text\", globs = [\"**/*.md\"] }");
    let mut found = Vec::new();
    for rule in rules.as_array().ok_or_else(flaw)? {
        let kind = match rule["type"].as_str().ok_or_else(flaw)? {
            "ESModule" | "CommonJS" => ModuleKind::Code,
            "Text" => ModuleKind::Text,
            "Data" => ModuleKind::Data,
            "CompiledWasm" => ModuleKind::Wasm,
            other => {
                ignored.push(format!("rules of type {other}"));
                continue;
            }
        };
        for glob in rule["globs"].as_array().ok_or_else(flaw)? {
            found.push(ModuleRule { glob: glob.as_str().ok_or_else(flaw)?.to_owned(), kind });
        }
    }
    Ok(found)
}

/// Global names that cannot mean anything else.
const FIXED: [&str; 4] = ["Infinity", "NaN", "globalThis", "undefined"];

/// Returns whether a definition is what a worker can have: a global variable, or a text in `process.env`.
fn can_define(name: &str, value: &str) -> bool {
    let json = serde_json::from_str::<Value>(value);
    match name.strip_prefix("process.env.") {
        Some(name) => is_identifier(name) && matches!(json, Ok(Value::String(_))),
        None => is_identifier(name) && !FIXED.contains(&name) && (json.is_ok() || is_identifier(value)),
    }
}

fn is_identifier(name: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || matches!(character, '_' | '$');
    !name.is_empty() && !name.starts_with(|first: char| first.is_ascii_digit()) && name.chars().all(is_part)
}
