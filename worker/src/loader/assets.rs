//! Imports of JSON, text, bytes and WebAssembly, as bundlers for Workers support them.

use std::collections::HashMap;
use std::path::Path;

use deno_core::ModuleSpecifier;
use nano_runtime::RequiredKind;
use serde::de::IgnoredAny;

use super::error::ModuleError;
use super::facade::{END_OF_FACADE, literal};
use super::named_imports::is_identifier;
use super::root::Root;

/// The kind of an asset, by its extension; `None` for code.
pub(super) fn kind(path: &Path) -> Option<RequiredKind> {
    Some(match path.extension()?.to_str()? {
        "json" => RequiredKind::Json,
        "txt" | "html" | "sql" => RequiredKind::Text,
        "wasm" => RequiredKind::Wasm,
        "bin" => RequiredKind::Bytes,
        _ => return None,
    })
}

/// The source of the ES module that represents an asset which is imported without attributes.
pub(super) fn facade(root: &Root, path: &Path, kind: RequiredKind) -> Result<String, ModuleError> {
    let itself = || root.url(path).map(|url: ModuleSpecifier| literal(url.as_str()));
    let body = match kind {
        RequiredKind::Json => json_facade(&json(root, path)?),
        RequiredKind::Text => return Ok(text_facade(&root.text(path)?)),
        RequiredKind::Wasm => {
            wasm(root, path)?;
            let itself = itself()?;
            format!(
                "import bytes from {itself} with {{ type: \"bytes\" }}; export default new WebAssembly.Module(bytes);"
            )
        }
        _ => format!(
            "import bytes from {} with {{ type: \"bytes\" }}; export default bytes.buffer;",
            itself()?
        ),
    };
    Ok(format!("{body}{END_OF_FACADE}"))
}

/// The source of the ES module that exports a text.
pub(super) fn text_facade(text: &str) -> String {
    format!("export default {};{END_OF_FACADE}", literal(text))
}

/// The text of a JSON file, which is checked here because V8 does not name the file of an error.
pub(super) fn json(root: &Root, path: &Path) -> Result<String, ModuleError> {
    let text = root.text(path)?;
    match serde_json::from_str::<IgnoredAny>(&text) {
        Ok(_) => Ok(text),
        Err(source) => {
            let mut position = String::new();
            root.point_at(&mut position, path, source.line() as i64, source.column() as i64);
            Err(ModuleError::InvalidJson { file: root.shown(path), source, position })
        }
    }
}

/// The bytes of a WebAssembly file, if they begin with the magic number.
pub(super) fn wasm(root: &Root, path: &Path) -> Result<Vec<u8>, ModuleError> {
    let bytes = root.bytes(path)?;
    if bytes.starts_with(b"\0asm") {
        return Ok(bytes);
    }
    Err(ModuleError::NotWasm(root.shown(path)))
}

/// An ES module that exports each field of a JSON file by its name, as bundlers do.
fn json_facade(text: &str) -> String {
    let fields = serde_json::from_str::<HashMap<String, IgnoredAny>>(text).unwrap_or_default();
    let mut names: Vec<_> = fields.into_keys().filter(|name| is_identifier(name)).collect();
    names.sort();
    let mut body = format!("const $ = JSON.parse({}); export default $;", literal(text));
    for (number, name) in names.iter().enumerate() {
        body.push_str(&format!(" const $_{number} = $.{name}; export {{ $_{number} as {name} }};"));
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_json_are_exported_if_their_names_can_be_imported() {
        assert_eq!(
            json_facade(r#"{ "a": 1, "b-c": 2, "default": 3, "$": 4, "": 5, "a": 6 }"#),
            "const $ = JSON.parse(\"{ \\\"a\\\": 1, \\\"b-c\\\": 2, \\\"default\\\": 3, \\\"$\\\": 4, \\\"\\\": 5, \
             \\\"a\\\": 6 }\"); export default $; const $_0 = $.$; export { $_0 as $ }; const $_1 = $.a; export { $_1 as a };"
        );
        assert_eq!(json_facade("[1]"), "const $ = JSON.parse(\"[1]\"); export default $;");
    }
}
