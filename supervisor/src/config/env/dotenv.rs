//! Parses files of variables, `.env` and `.dev.vars`: one `NAME=value` per line.
//!
//! Values are parsed as npm's `dotenv` parses them, which wrangler uses: spaces, quotes and backslashes inside an unquoted value
//! stand for themselves. This is a parser of our own, because values must neither be filled in from the supervisor's environment
//! nor appear in error messages, and the available crates do both.

use crate::config::bounds;
use crate::config::errors::Flaw;

/// An error in a file. Names the line and, if it is known for certain, the variable, but never a value.
#[derive(Debug, PartialEq)]
pub(crate) struct Fault {
    /// The line, counted from 1.
    pub(crate) line: usize,
    /// The name of the variable. Empty if it is not certain.
    pub(crate) name: String,
    pub(crate) flaw: Flaw,
}

/// Parses the variables of a file and returns them in order. If a name occurs twice, the last value applies.
pub(crate) fn parse(text: &str) -> Result<Vec<(String, String)>, Fault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let mut reader = Reader { text: &text, at: 0, size: 0, found: Vec::new() };
    while reader.at < text.len() {
        reader.entry()?;
    }
    Ok(reader.found)
}

struct Reader<'a> {
    text: &'a str,
    /// The offset of the next line.
    at: usize,
    /// The size of all values so far, in bytes.
    size: usize,
    found: Vec<(String, String)>,
}

impl<'a> Reader<'a> {
    /// Reads one variable, comment or empty line.
    fn entry(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or_default();
        let line = rest.split('\n').next().unwrap_or_default();
        self.at = start + line.len() + 1;
        let is_comment = |text: &str| text.is_empty() || text.starts_with('#');
        if is_comment(line.trim()) {
            return Ok(());
        }
        let Some((name, value)) = line.split_once('=') else {
            return Err(self.fault(start, "", "is no line of the form NAME=value", "write it as NAME=value"));
        };
        let name = name.trim();
        let name = name.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])).unwrap_or(name);
        let name = name.trim_start();
        if name.is_empty() || !name.bytes().all(is_name_byte) {
            // The text in place of the name is not shown: it may be part of a value that should have been quoted.
            let fix = "use A-Z, a-z, 0-9, '_', '-' and '.', and put a value of several lines in quotes";
            return Err(self.fault(start, "", "has no usable name before its =", fix));
        }
        let value = value.trim_start();
        let Some(quote @ ('"' | '\'' | '`')) = value.chars().next() else {
            let value = unquoted(value);
            let value = self.filled_in(start, name, value, false)?;
            return self.add(start, name, value);
        };
        // From the quote to the end of the file: a quoted value may have several lines.
        let quoted = self.text.get(start + line.len() - value.len() + 1..).unwrap_or_default();
        let Some(end) = closing(quoted, quote) else {
            return Err(self.fault(start, name, "has a quote that is not closed", "close it"));
        };
        let (inside, behind) = (&quoted[..end], &quoted[end + 1..]);
        let behind = behind.split('\n').next().unwrap_or_default();
        if !is_comment(behind.trim()) {
            let fix = "put the whole value in quotes of another kind";
            return Err(self.fault(start, name, "has text behind its closing quote", fix));
        }
        self.at = self.text.len() - quoted.len() + end + 1 + behind.len() + 1;
        let value = match quote {
            '\'' => inside.to_owned(),
            _ => self.filled_in(start, name, inside, quote == '"')?,
        };
        self.add(start, name, value)
    }

    fn add(&mut self, start: usize, name: &str, value: String) -> Result<(), Fault> {
        self.size += value.len();
        self.check_size(start, name, 0)?;
        self.found.push((name.to_owned(), value));
        Ok(())
    }

    /// Returns `raw` with references to variables of earlier lines replaced, and with escapes resolved if `has_escapes`.
    fn filled_in(&self, start: usize, name: &str, raw: &str, has_escapes: bool) -> Result<String, Fault> {
        let mut value = String::with_capacity(raw.len());
        let mut rest = raw;
        while let Some(at) = rest.find(['$', '\\']) {
            let (before, special) = rest.split_at(at);
            value.push_str(before);
            let replaced = if special.starts_with('$') {
                self.reference(special)
            } else {
                has_escapes.then(|| escape(special)).flatten()
            };
            let (text, length) = replaced.unwrap_or((&special[..1], 1));
            value.push_str(text);
            // Nested references could otherwise make a value grow without bound.
            self.check_size(start, name, value.len())?;
            rest = &special[length..];
        }
        value.push_str(rest);
        Ok(value)
    }

    /// Returns the value that `$NAME` or `${NAME}` at the beginning of `text` stands for, and the length of the reference.
    /// Returns `None` if no earlier line defines that name.
    fn reference(&self, text: &str) -> Option<(&str, usize)> {
        let (name, length) = match text.strip_prefix("${") {
            Some(rest) => {
                let end = rest.find('}')?;
                (&rest[..end], end + 3)
            }
            None => {
                let rest = &text[1..];
                let is_end = |char: char| !char.is_ascii_alphanumeric() && char != '_';
                let end = rest.find(is_end).unwrap_or(rest.len());
                (&rest[..end], end + 1)
            }
        };
        let (_, value) = self.found.iter().rev().find(|(known, _)| known == name)?;
        Some((value, length))
    }

    fn check_size(&self, start: usize, name: &str, more: usize) -> Result<(), Fault> {
        if self.size + more <= bounds::ENV {
            return Ok(());
        }
        let fix = format!("keep all values together below {} bytes", bounds::ENV);
        Err(self.fault(start, name, "makes the values too large", &fix))
    }

    fn fault(&self, start: usize, name: &str, what: &str, fix: &str) -> Fault {
        let before = self.text.get(..start).unwrap_or_default();
        let line = 1 + before.bytes().filter(|byte| *byte == b'\n').count();
        Fault { line, name: name.to_owned(), flaw: Flaw::new(what, fix) }
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// Returns an unquoted value: the text up to a comment, which begins after white space.
fn unquoted(value: &str) -> &str {
    let is_comment =
        |(at, _): &(usize, &str)| value[..*at].chars().next_back().is_none_or(char::is_whitespace);
    let end = value.match_indices('#').find(is_comment).map_or(value.len(), |(at, _)| at);
    value[..end].trim_end()
}

/// Returns the offset in `text` of the `quote` that ends a quoted value.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    text.char_indices().find_map(|(at, char)| {
        let closes = char == quote && !is_escaped;
        is_escaped = quote == '"' && char == '\\' && !is_escaped;
        closes.then_some(at)
    })
}

/// Returns what the escape at the beginning of `text` stands for, and its length.
fn escape(text: &str) -> Option<(&'static str, usize)> {
    let replaced = match text.as_bytes().get(1)? {
        b'n' => "\n",
        b'r' => "\r",
        b't' => "\t",
        b'"' => "\"",
        b'\\' => "\\",
        b'$' => "$",
        _ => return None,
    };
    Some((replaced, 2))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(text: &str) -> Vec<(String, String)> {
        parse(text).unwrap()
    }

    #[test]
    fn values_are_what_stands_there() {
        for (line, value) in [
            ("A=1", "1"),
            ("  export A = 1  ", "1"),
            ("A=", ""),
            ("A= # nothing", ""),
            ("A=two words", "two words"),
            ("A=it's fine", "it's fine"),
            ("A=x # comment", "x"),
            ("A=x#y", "x#y"),
            (r"A=C:\new", r"C:\new"),
            (r#"A={"a": [1, "b"]}"#, r#"{"a": [1, "b"]}"#),
            ("A=pa$$word=", "pa$$word="),
            ("A='single # $A \\n'", "single # $A \\n"),
            ("A=\"a\\n\\t\\\"b\\\" \\\\ \\$A \\x\" # comment", "a\n\t\"b\" \\ $A \\x"),
            ("A=`it's \"both\"`", "it's \"both\""),
            ("A=\"one\ntwo\"", "one\ntwo"),
            ("\u{feff}A=1\r\n", "1"),
        ] {
            assert_eq!(values(line), [("A".to_owned(), value.to_owned())], "{line}");
        }
        assert_eq!(values("# comment\n\n   # another\n"), []);
    }

    #[test]
    fn lines_above_are_filled_in_and_nothing_else_is() {
        let found = values("A=1\nB=${A}$A-${HOME}$HOME$PATH\nC='$A'\nD=$E\nE=2\nF=\"<$A>\"\nA=3\nG=$A");
        let found: Vec<_> = found.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(found, ["A=1", "B=11-${HOME}$HOME$PATH", "C=$A", "D=$E", "E=2", "F=<1>", "A=3", "G=3"]);
    }

    #[test]
    fn a_fault_names_line_and_variable_and_no_value() {
        for (text, line, name, what) in [
            ("A=1\nhunter2", 2, "", "is no line of the form NAME=value"),
            ("A='x\ny'\nhunter2 is=1", 3, "", "has no usable name before its ="),
            ("=hunter2", 1, "", "has no usable name before its ="),
            ("A=\"hunter2\nB=1", 1, "A", "has a quote that is not closed"),
            ("\nA='hunter2' hunter2", 2, "A", "has text behind its closing quote"),
        ] {
            let fault = parse(text).unwrap_err();
            assert_eq!((fault.line, &*fault.name, fault.flaw.what()), (line, name, what));
            assert!(!format!("{fault:?}").contains("hunter2"), "{fault:?}");
        }
    }

    #[test]
    fn references_cannot_grow_without_bound() {
        let mut text = "A=xxxxxxxxxxxxxxxx\n".to_owned();
        (0..100).for_each(|_| text.push_str("A=$A$A\n"));
        let fault = parse(&text).unwrap_err();
        assert_eq!((&*fault.name, fault.flaw.what()), ("A", "makes the values too large"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[A-C=\"'`\\\\$#{} \\n\\ré]{0,60}") {
            let _ = parse(&text);
        }

        #[test]
        fn single_quotes_keep_everything(value in "[^'\\r]{0,40}") {
            let text = format!("A='{value}'");
            prop_assert_eq!(parse(&text).unwrap(), [("A".to_owned(), value)]);
        }
    }
}
