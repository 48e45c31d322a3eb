//! Builds the JSON Schema of settings.

use serde_json::{Map, Value as Json, json};

use super::{About, ByDefault};

/// Returns the schema of a table with these settings and no others.
pub(crate) fn object(settings: impl Iterator<Item = &'static About>) -> Json {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for about in settings {
        if about.example.is_some() {
            required.push(about.name);
        }
        properties.insert(about.name.to_owned(), property(about));
    }
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn property(about: &About) -> Json {
    let mut property = about.schema.clone();
    property["description"] = json!(without_links(&about.doc));
    if let ByDefault::Value(value) = &about.by_default {
        property["default"] = value.clone();
    }
    property
}

/// Replaces links by their labels, because their targets mean nothing in an editor.
fn without_links(markdown: &str) -> String {
    let (mut text, mut rest) = (String::new(), markdown);
    while let Some((before, after)) = rest.split_once("](") {
        match (before.rsplit_once('['), after.split_once(')')) {
            (Some((start, label)), Some((_, end))) => {
                text.extend([start, label]);
                rest = end;
            }
            _ => break,
        }
    }
    text + rest
}

/// Returns the schema of any text.
pub(crate) fn text() -> Json {
    json!({ "type": "string" })
}

/// Returns the schema of any text or `false`.
pub(crate) fn text_or_false() -> Json {
    json!({ "anyOf": [text(), { "const": false }] })
}
