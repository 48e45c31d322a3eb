//! Files that are no code, as bundlers for Workers import them: JSON, text, bytes and WebAssembly.

use std::collections::HashMap;
use std::path::Path;

use deno_core::ModuleSpecifier;
use nano_runtime::RequiredKind;
use serde::de::IgnoredAny;

use super::facade::{END_OF_FACADE, literal};
use super::named_imports::is_identifier;
use super::root::Root;

/// What a file that is no code becomes, by its extension.
pub(super) fn kind(path: &Path) -> Option<RequiredKind> {
    Some(match path.extension()?.to_str()? {
        "json" => RequiredKind::Json,
        "txt" | "html" | "sql" => RequiredKind::Text,
        "wasm" => RequiredKind::Wasm,
        "bin" => RequiredKind::Bytes,
        _ => return None,
    })
}

/// The ES module that stands for a file that is no code, when it is imported without attributes.
///
/// # Errors
/// A text for people.
pub(super) fn facade(root: &Root, path: &Path, kind: RequiredKind) -> Result<String, String> {
    let itself = || root.url(path).map(|url: ModuleSpecifier| literal(url.as_str()));
    let body = match kind {
        RequiredKind::Json => json_facade(&json(root, path)?),
        RequiredKind::Text => format!("export default {};", literal(&root.text(path)?)),
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

/// The text of a JSON file, checked: V8 would not say which file it is that has a mistake.
pub(super) fn json(root: &Root, path: &Path) -> Result<String, String> {
    let text = root.text(path)?;
    match serde_json::from_str::<IgnoredAny>(&text) {
        Ok(_) => Ok(text),
        Err(error) => {
            let mut message = format!("{:?} is not valid JSON: {error}", root.shown(path));
            root.point_at(&mut message, path, error.line() as i64, error.column() as i64);
            Err(message)
        }
    }
}

/// The bytes of a WebAssembly file, if it looks like one.
pub(super) fn wasm(root: &Root, path: &Path) -> Result<Vec<u8>, String> {
    let bytes = root.bytes(path)?;
    if bytes.starts_with(b"\0asm") {
        return Ok(bytes);
    }
    Err(format!("{:?} is not WebAssembly: it does not begin as a binary module does", root.shown(path)))
}

/// Bundlers let fields of a JSON file be imported by their names.
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
