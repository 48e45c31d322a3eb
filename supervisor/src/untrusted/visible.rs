//! Escapes untrusted text for terminals and log lines: characters that would move the cursor, hide text or change its
//! direction are shown as escapes. All untrusted text that is printed or logged goes through here.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether `char` is shown unescaped. That includes the joiners of letters and emoji (U+200C, U+200D).
pub(crate) fn is_visible(char: char) -> bool {
    !char.is_control()
        && !matches!(char,
            // Zero-width space, direction marks and overrides, line separators.
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            // Word joiner, invisible operators, isolates.
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            // Tags, which can carry invisible text.
            | '\u{e0000}'..='\u{e007f}')
}

/// Appends the escape of one character.
pub(crate) fn escape(out: &mut String, char: char) {
    // Writing to a string does not fail.
    let _ = match char {
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        char if u32::from(char) < 0x100 => write!(out, "\\x{:02x}", u32::from(char)),
        char => write!(out, "\\u{{{:x}}}", u32::from(char)),
    };
}

/// `text` escaped, line feeds and tabs included: it fits in one line.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    escaped(text, is_visible)
}

/// `text` escaped, except for line feeds and tabs.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    escaped(text, |char| is_visible(char) || matches!(char, '\n' | '\t'))
}

/// Like [`text`], but keeps codes that set colours and styles, for a terminal that shows them.
pub(crate) fn styled(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find('\x1b') else { return self::text(text) };
    let (before, mut rest) = text.split_at(first);
    let mut out = self::text(before).into_owned();
    while !rest.is_empty() {
        let style = style(rest).unwrap_or_default();
        out.push_str(style);
        let from = usize::from(style.is_empty());
        let after = &rest[style.len()..];
        let end = after.get(from..).and_then(|after| after.find('\x1b')).map_or(after.len(), |at| from + at);
        out.push_str(&self::text(&after[..end]));
        rest = &after[end..];
    }
    out.into()
}

/// The code at the start of `text` that sets a colour or style (SGR), if there is one. These are the only terminal codes
/// that are kept, since they cannot move the cursor.
pub(crate) fn style(text: &str) -> Option<&str> {
    let parameters = text.strip_prefix("\x1b[")?;
    let length = parameters.find(|char: char| !matches!(char, '0'..='9' | ';' | ':'))?;
    parameters[length..].starts_with('m').then(|| &text[..2 + length + 1])
}

/// Equivalent JSON in which every character is visible. serde_json escapes the invisible ASCII characters already.
pub(crate) fn json(json: String) -> String {
    if json.bytes().all(|byte| byte < 0x7f) || json.chars().all(is_visible) {
        return json;
    }
    let mut out = String::with_capacity(json.len() + 16);
    for char in json.chars() {
        if is_visible(char) || char.is_ascii_whitespace() {
            out.push(char);
        } else {
            for unit in char.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    if text.chars().all(&stays) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        if stays(char) { out.push(char) } else { escape(&mut out, char) }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// One of each kind.
    const HOSTILE: &str =
        "a\x1b[2J\x07\x7f\u{9b}31m\u{85}\u{202e}b\u{2066}\u{200b}\u{2028}\u{feff}\u{e0041}c";

    #[test]
    fn what_hides_or_moves_is_shown() {
        assert_eq!(
            line(HOSTILE),
            "a\\x1b[2J\\x07\\x7f\\x9b31m\\x85\\u{202e}b\\u{2066}\\u{200b}\\u{2028}\\u{feff}\\u{e0041}c"
        );
        assert_eq!((line("a\r\n\tb"), text("a\r\n\tb")), ("a\\r\\n\\tb".into(), "a\\r\n\tb".into()));
        for harmless in ["", "größer 日本 👩\u{200d}🚀", "שלום"] {
            assert!(matches!(line(harmless), Cow::Borrowed(same) if same == harmless));
        }
    }

    #[test]
    fn styles_stay_where_they_are_shown() {
        assert_eq!(styled("a \x1b[31mred\x1b[0m\x1b[2Jb\x1b"), "a \x1b[31mred\x1b[0m\\x1b[2Jb\\x1b");
        assert_eq!(styled("\x1b[1;31m\x1b[2Kä\n\u{202e}"), "\x1b[1;31m\\x1b[2Kä\n\\u{202e}");
        assert_eq!((styled(""), styled("plain\x07")), ("".into(), "plain\\x07".into()));
    }

    #[test]
    fn json_keeps_its_meaning() {
        let value = json!({ HOSTILE: [HOSTILE, "größer"] });
        let shown = json_of(&value);
        assert!(shown.chars().all(is_visible), "{shown}");
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
        assert!(shown.contains("größer"));
    }

    fn json_of(value: &Value) -> String {
        json(value.to_string())
    }
}
