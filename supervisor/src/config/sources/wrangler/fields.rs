//! Parses the fields of a wrangler file, in TOML or in JSON with comments, each with its place.

use jsonc_parser::ast;
use jsonc_parser::common::Ranged as _;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde_json::Value;
use toml::de::{DeTable, DeValue};

use crate::config::document::section::{Document, Lines, child_path};
use crate::config::env::values;
use crate::config::errors::{Flaw, Place, Problems};
use crate::model::kind::cut;

/// A field and its place.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) content: Content,
}

/// The contents of a field.
pub(super) enum Content {
    /// A table at the top level, or one of an environment. Its fields have their own places.
    Table(Vec<Field>),
    /// Any other value, or a flaw if JSON cannot represent it.
    Value(Result<Value, Flaw>),
}

impl Content {
    /// Reads a field that must be text.
    pub(super) fn text(self) -> Result<String, Flaw> {
        match self {
            Self::Value(Ok(Value::String(text))) => Ok(text),
            _ => Err(Flaw::new("is not text", "write it in quotes")),
        }
    }

    /// Reads a field that must be a list of texts.
    pub(super) fn texts(self) -> Result<Vec<String>, Flaw> {
        let texts = match self {
            Self::Value(Ok(Value::Array(list))) => {
                list.into_iter().map(|item| item.as_str().map(str::to_owned)).collect()
            }
            _ => None,
        };
        texts.ok_or_else(|| {
            Flaw::new("is not a list of texts", "write texts in brackets, such as [\"nodejs_compat\"]")
        })
    }

    /// Returns the field as JSON.
    pub(super) fn json(self) -> Result<Value, Flaw> {
        match self {
            Self::Value(value) => value,
            Self::Table(fields) => {
                fields.into_iter().map(|field| Ok((field.name, field.content.json()?))).collect()
            }
        }
    }

    /// Returns whether nothing is set: `false`, no text, or a list or table in which there is nothing.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Table(fields) => fields.iter().all(|field| field.content.is_empty()),
            Self::Value(Ok(value)) => is_nothing(value),
            Self::Value(Err(_)) => false,
        }
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.values().all(is_nothing),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

/// Longest part of a field's name in its place, in bytes. The name of a table is in the places of all its fields.
const NAME: usize = 128;

/// The table of environments, in which tables are opened two levels deeper: `env.NAME`, and `env.NAME.vars`.
const ENVIRONMENTS: &str = "env";

/// Returns how many levels of tables below the one at `path` are opened, if `levels` were left there.
fn levels_below(path: &str, name: &str, levels: usize) -> usize {
    if path.is_empty() && name == ENVIRONMENTS { levels + 1 } else { levels - 1 }
}

/// Returns the fields of a TOML file in order, or `None` after recording why it is invalid.
pub(super) fn of_toml(document: Document<'_>, text: &str, problems: &mut Problems) -> Option<Vec<Field>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        document.record_syntax_errors(&errors, problems);
        return None;
    }
    Some(toml_fields(&Lines::new(document), "", table.get_ref(), 1))
}

fn toml_fields(lines: &Lines<'_>, path: &str, table: &DeTable<'_>, levels: usize) -> Vec<Field> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let field = |(key, value): (&toml::Spanned<toml::de::DeString<'_>>, &toml::Spanned<DeValue<'_>>)| {
        let name = key.get_ref().to_string();
        let full = child_path(path, &cut(&name, NAME));
        let content = match value.get_ref() {
            DeValue::Table(table) if levels > 0 => {
                Content::Table(toml_fields(lines, &full, table, levels_below(path, &name, levels)))
            }
            value => Content::Value(values::json(value)),
        };
        Field { name, place: lines.place(key.span().start, &full), content }
    };
    entries.into_iter().map(field).collect()
}

/// Returns the fields of a file of JSON with comments in order, or `None` after recording why it is invalid.
pub(super) fn of_json(document: Document<'_>, text: &str, problems: &mut Problems) -> Option<Vec<Field>> {
    let options = ParseOptions {
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
        ..ParseOptions::default()
    };
    match parse_to_ast(text, &CollectOptions::default(), &options) {
        Ok(parsed) => match parsed.value {
            Some(ast::Value::Object(object)) => Some(json_fields(&Lines::new(document), "", object, 1)),
            _ => {
                let flaw =
                    Flaw::new("is not an object", "write the settings in braces: { \"main\": \"...\" }");
                problems.add(document.place(0, ""), flaw);
                None
            }
        },
        Err(error) => {
            let what = format!("syntax: {}", error.kind());
            problems.add(
                document.place(error.range().start, ""),
                Flaw::new(what, "correct the JSON of this line"),
            );
            None
        }
    }
}

fn json_fields(lines: &Lines<'_>, path: &str, object: ast::Object<'_>, levels: usize) -> Vec<Field> {
    let field = |property: ast::ObjectProp<'_>| {
        let offset = property.start();
        let name = property.name.into_string();
        let full = child_path(path, &cut(&name, NAME));
        let content = match property.value {
            ast::Value::Object(object) if levels > 0 => {
                Content::Table(json_fields(lines, &full, object, levels_below(path, &name, levels)))
            }
            value => Content::Value(Ok(value.into())),
        };
        Field { name, place: lines.place(offset, &full), content }
    };
    object.properties.into_iter().map(field).collect()
}
