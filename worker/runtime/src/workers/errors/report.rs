//! Error reports for people: message, position, source line with a caret, stack, causes and a hint.

use std::fmt::Write as _;

use deno_core::error::{JsError, JsStackFrame, NoAnsiColors, format_frame, format_location};
use deno_core::url::Url;

use super::hints;

/// Maximum length of a report in bytes, because the app determines how long its errors are.
const MAX_REPORT: usize = 16 * 1024;

/// Maximum number of stack frames shown per error.
const MAX_FRAMES: usize = 24;

/// Maximum number of errors shown of an `AggregateError`, and maximum depth of causes.
const MAX_INNER: usize = 8;

/// Prefixes of the file names of our own JavaScript, whose frames are not shown to apps.
const INTERNAL: [&str; 5] = ["ext:", "[ext:", "node:", "cloudflare:", "nano:"];

/// The app's folder, as it appears at the start of its module names.
#[derive(Debug, Clone)]
pub struct AppFolder {
    prefixes: Vec<String>,
}

impl AppFolder {
    /// Takes the folder's URL, which ends with a slash.
    pub fn new(url: &Url) -> Self {
        let mut prefixes = vec![url.as_str().to_owned()];
        // deno_core shows file names percent-decoded.
        if let Ok(path) = url.to_file_path() {
            prefixes.push(format!("file://{}/", path.display().to_string().trim_end_matches('/')));
        }
        prefixes.dedup();
        Self { prefixes }
    }

    /// Makes paths inside the folder relative to it.
    pub fn shorten(&self, text: &str) -> String {
        self.prefixes.iter().fold(text.to_owned(), |text, prefix| text.replace(prefix.as_str(), ""))
    }
}

/// Returns whether this file is our own JavaScript.
pub fn is_internal(file: &str) -> bool {
    INTERNAL.iter().any(|prefix| file.starts_with(prefix))
}

/// Formats the whole report, without a line feed at its end. `properties` are the error's other properties, as text.
pub fn report(error: &JsError, properties: &str, folder: &AppFolder) -> String {
    let mut text = String::new();
    write_error(&mut text, error, properties, folder, 0);
    if text.len() > MAX_REPORT {
        text.truncate(text.floor_char_boundary(MAX_REPORT));
        text.push('…');
    }
    text
}

fn write_error(text: &mut String, error: &JsError, properties: &str, folder: &AppFolder, depth: usize) {
    let message = error.exception_message.trim_start_matches("Uncaught ").trim_start_matches("(in promise) ");
    if error.stack_is_custom {
        // The app has set its own stack, which includes the message.
        text.push_str(&folder.shorten(error.stack.as_deref().unwrap_or(message)));
    } else {
        text.push_str(&folder.shorten(message));
        write_frames(text, error, folder);
    }
    if !properties.is_empty() {
        let _ = write!(text, "\n    with {properties}");
    }
    let file = error.frames.iter().find_map(|frame| frame.file_name.as_deref()).unwrap_or_default();
    if let Some(hint) = hints::hint(message, file) {
        let _ = write!(text, "\n    hint: {hint}");
    }
    if depth == MAX_INNER || text.len() > MAX_REPORT {
        return;
    }
    let aggregated = error.aggregated.as_deref().unwrap_or_default();
    for (number, one) in aggregated.iter().take(MAX_INNER).enumerate() {
        let _ = write!(text, "\n  error {} of {}: ", number + 1, aggregated.len());
        write_error(text, one, "", folder, depth + 1);
    }
    if let Some(cause) = &error.cause {
        text.push_str("\n  caused by ");
        write_error(text, cause, "", folder, depth + 1);
    }
}

fn write_frames(text: &mut String, error: &JsError, folder: &AppFolder) {
    let mut source_line = error.source_line.as_deref();
    let shown = error.frames.iter().filter(|frame| !frame.file_name.as_deref().is_some_and(is_internal));
    for frame in shown.take(MAX_FRAMES) {
        // The frame of a syntax error has only a position and none of the other properties.
        let site = match frame.is_top_level {
            None => format_location::<NoAnsiColors>(frame, None),
            Some(_) => format_frame::<NoAnsiColors>(frame, None),
        };
        let _ = write!(text, "\n    at {}", folder.shorten(&site));
        // The source line belongs to the first frame that has a file.
        if let Some((line, column)) = place(frame)
            && let Some(source) = source_line.take()
        {
            excerpt(text, source, line, column);
        }
    }
}

fn place(frame: &JsStackFrame) -> Option<(i64, i64)> {
    frame.file_name.as_ref()?;
    Some((frame.line_number?, frame.column_number?))
}

/// Appends a source line with a caret below `column`. Line and column count from 1.
pub fn excerpt(text: &mut String, source: &str, line: i64, column: i64) {
    let number = line.to_string();
    let column = usize::try_from(column).unwrap_or(1).saturating_sub(1);
    // Tabs are kept, so that the caret is in the right column whatever their width.
    let indent: String =
        source.chars().take(column).map(|character| if character == '\t' { '\t' } else { ' ' }).collect();
    let _ = write!(text, "\n    {number} | {source}\n    {} | {indent}^", " ".repeat(number.len()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> AppFolder {
        AppFolder::new(&Url::parse("file:///srv/my%20app/").unwrap())
    }

    fn frame(function: Option<&str>, file: &str, line: i64, column: i64) -> JsStackFrame {
        let mut frame = JsStackFrame::from_location(Some(file.into()), Some(line), Some(column));
        frame.function_name = function.map(Into::into);
        frame.is_top_level = Some(true);
        frame
    }

    fn error(message: &str, frames: Vec<JsStackFrame>) -> JsError {
        JsError {
            name: None,
            message: None,
            stack: None,
            cause: None,
            exception_message: format!("Uncaught {message}"),
            frames,
            source_line: None,
            source_line_frame_index: None,
            aggregated: None,
            additional_properties: Vec::new(),
            stack_is_custom: false,
        }
    }

    #[test]
    fn a_report_has_place_source_line_and_stack_without_internal_frames() {
        let mut error = error(
            "Error: no",
            vec![
                frame(Some("open"), "ext:deno_web/x.js", 9, 9),
                frame(Some("inner"), "file:///srv/my%20app/lib/a.ts", 12, 3),
                frame(None, "file:///srv/my%20app/index.js", 1, 1),
            ],
        );
        error.source_line = Some("  throw x;".into());
        assert_eq!(
            report(&error, "{ code: 1 }", &folder()),
            "Error: no\n    at inner (lib/a.ts:12:3)\n    12 |   throw x;\n       |   ^\n    at index.js:1:1\n    \
             with { code: 1 }"
        );
    }

    #[test]
    fn causes_and_aggregated_errors_come_with_places_of_their_own() {
        let mut outer = error("AggregateError: two", Vec::new());
        outer.aggregated = Some(vec![error("Error: a", Vec::new()), error("Error: b", Vec::new())]);
        let inner = error(
            "ReferenceError: require is not defined",
            vec![frame(None, "file:///srv/my%20app/b.js", 2, 1)],
        );
        outer.cause = Some(Box::new(inner));
        assert_eq!(
            report(&outer, "", &folder()),
            "AggregateError: two\n  error 1 of 2: Error: a\n  error 2 of 2: Error: b\n  caused by ReferenceError: require \
             is not defined\n    at b.js:2:1\n    hint: this file is an ES module: use `import` and `export`, or name it .cjs"
        );
    }

    #[test]
    fn causes_end() {
        let mut chain = error("Error: 0", Vec::new());
        for number in 1..20 {
            let cause = std::mem::replace(&mut chain, error(&format!("Error: {number}"), Vec::new()));
            chain.cause = Some(Box::new(cause));
        }
        let text = report(&chain, "", &folder());
        assert!(
            text.starts_with("Error: 19\n  caused by Error: 18\n") && text.ends_with("caused by Error: 11"),
            "{text}"
        );
    }

    #[test]
    fn a_report_is_cut() {
        let text = report(&error(&"ü".repeat(MAX_REPORT), Vec::new()), "", &folder());
        assert!(text.len() <= MAX_REPORT + '…'.len_utf8() && text.ends_with("ü…"));
    }
}
