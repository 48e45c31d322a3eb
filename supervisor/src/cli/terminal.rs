//! Terminal size and colours, and text layout in columns.

use std::fmt::Display;
use std::io::{self, IsTerminal as _};

use terminal_size::{Height, Width, terminal_size_of};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Plausible values of `COLUMNS`; others are ignored.
const WIDTHS: std::ops::RangeInclusive<usize> = 20..=10_000;

/// Columns and lines of a terminal whose size is unknown.
const USUAL: (usize, usize) = (80, 24);

/// The output width: `COLUMNS`, or the terminal's; none if there is no terminal.
pub(super) fn width() -> Option<usize> {
    let wanted = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    wanted.filter(|width| WIDTHS.contains(width)).or_else(|| is_one().then(|| size().0))
}

pub(super) fn size() -> (usize, usize) {
    let size =
        terminal_size_of(io::stdout()).filter(|(Width(width), Height(height))| *width > 0 && *height > 0);
    size.map_or(USUAL, |(Width(width), Height(height))| (width.into(), height.into()))
}

/// Whether the output goes to a terminal.
pub(super) fn is_one() -> bool {
    io::stdout().is_terminal()
}

/// Whether the output goes to a terminal with colours.
pub(super) fn has_colours() -> bool {
    is_one()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// The role of a text, which decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// No colour.
    Plain,
    /// As it should be.
    Good,
    /// Unusual.
    Odd,
    /// An error.
    Bad,
    /// Less important.
    Faint,
    Head,
}

/// Colours text, if enabled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint(pub(super) bool);

impl Paint {
    /// Applies the colour of a tone.
    pub(super) fn tone(self, tone: Tone, text: impl Display) -> String {
        let code = match tone {
            Tone::Good => "32",
            Tone::Odd => "33",
            Tone::Bad => "31",
            Tone::Faint => "2",
            Tone::Head => "1",
            Tone::Plain => return text.to_string(),
        };
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}

/// A count with its noun in singular or plural.
pub(super) fn many(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// The display width of a text, in columns.
pub(super) fn columns(text: &str) -> usize {
    text.width()
}

/// Truncates a text to this many columns, with an ellipsis.
pub(super) fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let (mut out, mut left) = (String::new(), width.saturating_sub(1));
    for char in text.chars() {
        let needed = char.width().unwrap_or(0);
        if needed > left {
            break;
        }
        left -= needed;
        out.push(char);
    }
    if width > 0 {
        out.push('…');
    }
    out
}

/// Wraps a text to this many columns, at word boundaries where possible.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split_whitespace() {
        let mut word = word.to_owned();
        if !line.is_empty() && columns(&line) + 1 + columns(&word) > width {
            lines.push(std::mem::take(&mut line));
        }
        while columns(&word) > width {
            let mut part = String::new();
            while let Some(char) = word.chars().next()
                && (part.is_empty() || columns(&part) + char.width().unwrap_or(0) <= width)
            {
                part.push(char);
                word.remove(0);
            }
            lines.push(part);
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Breaks a line into parts of at most this many columns, and keeps its white space.
pub(super) fn fold(line: &str, width: usize) -> Vec<String> {
    let (mut parts, mut part, mut left) = (Vec::new(), String::new(), width.max(2));
    for char in line.chars() {
        let needed = char.width().unwrap_or(0);
        if needed > left {
            parts.push(std::mem::take(&mut part));
            left = width.max(2);
        }
        left -= needed;
        part.push(char);
    }
    parts.push(part);
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(cut("blog.example", 12), "blog.example");
        assert_eq!(cut("blog.example", 6), "blog.…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("x", 0), "");
    }

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrap("out of memory: the heap", 10), ["out of", "memory:", "the heap"]);
        assert_eq!(wrap("a verylongword b", 6), ["a", "verylo", "ngword", "b"]);
        assert!(wrap("  ", 6).is_empty());
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_it_may_be_and_nothing_is_lost(text in "[a-z日 ]{0,60}", width in 2usize..30) {
            prop_assert!(columns(&cut(&text, width)) <= width);
            let lines = wrap(&text, width);
            prop_assert!(lines.iter().all(|line| columns(line) <= width), "{:?}", lines);
            let letters = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(lines.iter().map(|line| letters(line)).collect::<String>(), letters(&text));
        }
    }
}
