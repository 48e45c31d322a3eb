//! Why an app does not load: message, file, line and column, and the source line with a caret.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use deno_core::ModuleSpecifier;
use deno_core::error::{CoreError, CoreErrorKind, JsError, JsStackFrame};

/// Longest source line shown, in characters.
const MAX_SOURCE_LINE: usize = 160;

/// Turns what V8 or the loader said into a text for people.
pub(crate) fn describe(error: &CoreError, root: &Path) -> String {
    match error.as_kind() {
        CoreErrorKind::Js(js) => describe_js(js, root),
        _ => shorten(&error.to_string(), root),
    }
}

fn describe_js(error: &JsError, root: &Path) -> String {
    let message = error.exception_message.trim_start_matches("Uncaught ").trim_start_matches("(in promise) ");
    let mut text = shorten(message, root);
    let frame = error.frames.iter().find_map(|frame| Some((frame, app_file(frame)?)));
    if let Some((frame, file)) = frame {
        let (line, column) = (frame.line_number.unwrap_or(1), frame.column_number.unwrap_or(1));
        point_at(&mut text, &file, line, column, root);
    }
    text
}

fn app_file(frame: &JsStackFrame) -> Option<ModuleSpecifier> {
    ModuleSpecifier::parse(frame.file_name.as_deref()?).ok().filter(|file| file.scheme() == "file")
}

/// Appends a place in a module to `text`: file, line and column (from 1), and the source line with a caret.
pub(crate) fn point_at(text: &mut String, file: &ModuleSpecifier, line: i64, column: i64, root: &Path) {
    let _ = write!(text, "\n    at {}:{line}:{column}", shorten(file.as_str(), root));
    let source = file.to_file_path().ok().and_then(|path| fs::read_to_string(path).ok());
    let line_index = usize::try_from(line).unwrap_or(0).checked_sub(1);
    let source_line = source.as_deref().and_then(|source| source.lines().nth(line_index?));
    if let Some(source_line) = source_line.filter(|line| line.chars().count() <= MAX_SOURCE_LINE) {
        excerpt(text, source_line, line, column);
    }
}

/// Line and column, from 1, of the first quoted `specifier` in a module: where an import that cannot be resolved stands.
pub(crate) fn find_import(file: &ModuleSpecifier, specifier: &str) -> Option<(i64, i64)> {
    let source = fs::read_to_string(file.to_file_path().ok()?).ok()?;
    let quoted = ['"', '\''].map(|quote| format!("{quote}{specifier}{quote}"));
    let mut lines = source.lines().zip(1..);
    lines.find_map(|(text, line)| {
        let at = quoted.iter().filter_map(|quoted| text.find(quoted.as_str())).min()?;
        Some((line, i64::try_from(text[..at].chars().count() + 1).ok()?))
    })
}

fn excerpt(text: &mut String, source: &str, line: i64, column: i64) {
    let number = line.to_string();
    let column = usize::try_from(column).unwrap_or(1).saturating_sub(1);
    // Tabs stay tabs, so that the caret stands right whatever their width.
    let indent: String =
        source.chars().take(column).map(|character| if character == '\t' { '\t' } else { ' ' }).collect();
    let _ = write!(text, "\n    {number} | {source}\n    {} | {indent}^", " ".repeat(number.len()));
}

/// Paths inside the app's folder are shown relative to it.
fn shorten(text: &str, root: &Path) -> String {
    match ModuleSpecifier::from_directory_path(root) {
        Ok(url) => text.replace(url.as_str(), ""),
        Err(()) => text.to_owned(),
    }
}
