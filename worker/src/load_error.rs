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
    let frame = error.frames.iter().find(|frame| file_of(frame).is_some());
    if let Some(frame) = frame {
        let (line, column) = (frame.line_number.unwrap_or(1), frame.column_number.unwrap_or(1));
        let file = shorten(file_of(frame).unwrap_or_default(), root);
        let _ = write!(text, "\n    at {file}:{line}:{column}");
        if let Some(source) = source_line(frame, line) {
            excerpt(&mut text, &source, line, column);
        }
    }
    text
}

fn file_of(frame: &JsStackFrame) -> Option<&str> {
    frame.file_name.as_deref().filter(|name| name.starts_with("file:"))
}

fn source_line(frame: &JsStackFrame, line: i64) -> Option<String> {
    let path = ModuleSpecifier::parse(file_of(frame)?).ok()?.to_file_path().ok()?;
    let source = fs::read_to_string(path).ok()?;
    let line = source.lines().nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
    (line.chars().count() <= MAX_SOURCE_LINE).then(|| line.to_owned())
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
