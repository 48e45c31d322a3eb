//! Why an app does not load: what V8 or the loader said, as a text for people.

use deno_core::error::{CoreError, CoreErrorKind};
use deno_error::JsErrorClass as _;
use nano_runtime::{AppFolder, report};

/// Message, file, line and column, and the source line with a caret.
pub(crate) fn describe(error: &CoreError, folder: &AppFolder) -> String {
    match error.as_kind() {
        CoreErrorKind::Js(js) => report(js, "", folder),
        other => {
            let text = folder.shorten(&other.to_string());
            if other.get_class() == "SyntaxError" { format!("SyntaxError: {text}") } else { text }
        }
    }
}
