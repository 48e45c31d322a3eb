//! The text format. A message of several lines is indented, so that only its first line looks like a log line.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::Value;
use tracing::Level;

use super::line::{Line, LineField};
use crate::untrusted::visible::{self, is_visible, style};

/// Prefix of each further line of a message, so that output of an app cannot imitate a log line.
const INDENT: &str = "\n    ";

/// Resets the style.
pub(super) const RESET: &str = "\x1b[0m";
/// Dim text.
pub(super) const DIM: &str = "\x1b[2m";
const ITALIC: &str = "\x1b[3m";

/// The line as text, without a line break. With `ansi` it is coloured, and colour codes of apps are kept. All other control
/// characters are made visible.
pub(crate) fn render(line: &Line, ansi: bool) -> String {
    let mut out = String::with_capacity(80 + line.message.len());
    let (dim, colour, reset) = if ansi { (DIM, colour(line.level), RESET) } else { ("", "", "") };
    let (time, level) = (humantime::format_rfc3339_micros(line.time), line.level.as_str());
    let _ = write!(
        out,
        "{dim}{time}{reset} {colour}{level:>5}{reset} {dim}{}:{reset}",
        visible::line(&line.target)
    );
    let (before, behind) = line.parts();
    before.into_iter().for_each(|part| append_field(&mut out, part, ansi));
    if !line.message.is_empty() {
        out.push(' ');
        append(&mut out, &line.message, ansi);
    }
    behind.into_iter().for_each(|part| append_field(&mut out, part, ansi));
    out
}

fn append_field(out: &mut String, (name, value): &LineField, ansi: bool) {
    if value.is_null() {
        return;
    }
    let (dim, italic, reset) = if ansi { (DIM, ITALIC, RESET) } else { ("", "", "") };
    let _ = write!(out, " {italic}{name}{reset}{dim}={reset}");
    match value {
        Value::String(text) if is_bare(text) => append(out, text, ansi),
        value => out.push_str(&visible::json(value.to_string())),
    }
}

/// The colour code of a level.
pub(super) fn colour(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        Level::DEBUG => "\x1b[34m",
        Level::TRACE => "\x1b[35m",
    }
}

/// Whether a value needs no quotes: it is one word, or it has several lines, which would be unreadable in quotes.
fn is_bare(text: &str) -> bool {
    let is_word = |char: char| !char.is_whitespace() && is_visible(char) && !matches!(char, '"' | '=');
    text.contains('\n') || (!text.is_empty() && text.chars().all(is_word))
}

/// Appends untrusted text.
pub(super) fn append(out: &mut String, text: &str, ansi: bool) {
    let mut rest = text;
    let mut is_coloured = false;
    while let Some(at) = rest.find(|char: char| !is_visible(char) && char != '\t') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let length = match style(from).filter(|_| ansi) {
            Some(code) => {
                out.push_str(code);
                is_coloured = true;
                code.len()
            }
            None => {
                let char = from.chars().next().unwrap_or_default();
                match char {
                    '\n' => out.push_str(INDENT),
                    '\r' if from[1..].starts_with('\n') => {}
                    char => visible::escape(out, char),
                }
                char.len_utf8()
            }
        };
        rest = &from[length..];
    }
    out.push_str(rest);
    if is_coloured {
        out.push_str(RESET);
    }
}

/// The text without colours.
pub(super) fn without_colours(text: &str) -> Cow<'_, str> {
    if !text.contains('\x1b') {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\x1b') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = style(rest).map_or_else(
            || {
                out.push('\x1b');
                1
            },
            str::len,
        );
        rest = &rest[length..];
    }
    (out + rest).into()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn line(message: &str) -> Line {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1500);
        Line { time, ..Line::new(Level::INFO, "app").saying(message) }
    }

    const BEGINNING: &str = "1970-01-01T00:00:01.500000Z  INFO app:";

    fn text(message: &str) -> String {
        render(&line(message), false).strip_prefix(BEGINNING).unwrap().to_owned()
    }

    #[test]
    fn fields_follow_the_text() {
        let line = line("hi").with("app", "blog").with("why", "two words").with("none", Value::Null);
        let line = line.with("ms", 1.5).with("empty", "").with("trace", "one\n  two");
        let expected =
            format!("{BEGINNING} app=blog hi why=\"two words\" ms=1.5 empty=\"\" trace=one\n      two");
        assert_eq!(render(&line, false), expected);
    }

    #[test]
    fn further_lines_are_indented_and_nothing_moves_the_cursor() {
        assert_eq!(text("{\r\n  a: 1\n}"), " {\n      a: 1\n    }");
        assert_eq!(text("a\rb\x1b[2Jc\x08\u{9b}31md\te"), " a\\rb\\x1b[2Jc\\x08\\x9b31md\te");
        assert_eq!(text("\x1b[31mred\x1b[0m"), " \\x1b[31mred\\x1b[0m");
    }

    #[test]
    fn a_terminal_gets_colours_and_no_other_code() {
        let shown = render(&line("\x1b[38;5;1mred\x1b[2J\x1b[1A\x1b[").with("app", "blog"), true);
        let expected = "\x1b[2m1970-01-01T00:00:01.500000Z\x1b[0m \x1b[32m INFO\x1b[0m \x1b[2mapp:\x1b[0m \
                        \x1b[3mapp\x1b[0m\x1b[2m=\x1b[0mblog \x1b[38;5;1mred\\x1b[2J\\x1b[1A\\x1b[\x1b[0m";
        assert_eq!(shown, expected);
    }

    #[test]
    fn colours_can_be_taken_out() {
        assert_eq!(without_colours("\x1b[31mred\x1b[39m \x1b[2J\x1b"), "red \x1b[2J\x1b");
    }
}
