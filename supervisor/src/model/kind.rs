//! What requests have in common that do the same: their method, and their path in one spelling.
//!
//! The spelling is that of the URL which the app is told: dots are resolved, `\` is `/`, and what has to be is
//! percent-encoded. On top of that, escapes that mean the same are one (RFC 3986, 6.2.2): `%7a` is `z`, `%c3` is `%C3`. Pure.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// At the end of what is too long to be kept whole.
const CUT: &str = "...";

/// Longest part of a method that is kept, in bytes.
pub(crate) const METHOD: usize = 32;

/// Longest part of a path that is kept, in bytes.
pub(crate) const PATH: usize = 256;

/// A kind of request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Kind {
    /// As it was sent, or its beginning and a digest.
    pub method: String,
    /// Its path, without the query.
    pub path: String,
}

impl Kind {
    /// Of a request, by the method and the target that were sent. Of what is long, the beginning is kept, and a digest of all
    /// of it, by which those that begin alike are told apart.
    pub fn of(method: &str, target: &str) -> Self {
        Self { method: known(method, METHOD), path: known(&path(target), PATH) }
    }
}

/// A text, or its beginning if it is longer than `longest` bytes. One that was cut stays as it is.
pub(crate) fn cut(text: &str, longest: usize) -> String {
    match text.floor_char_boundary(longest) {
        end if end < text.len() => format!("{}{CUT}", &text[..end]),
        _ => text.to_owned(),
    }
}

/// As [`cut`], with a digest of the whole at the end of what is cut. That is no path as it is sent: it has a blank. One that
/// was cut stays as it is.
fn known(text: &str, longest: usize) -> String {
    if text.len() <= longest || text.contains(' ') {
        return text.to_owned();
    }
    let digest = Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("{} {digest}", cut(text, longest))
}

/// The path of a request target.
fn path(target: &str) -> Cow<'_, str> {
    let path = target.split(['?', '#']).next().unwrap_or_default();
    // No target has a blank but one that was cut.
    if path.starts_with('/') && (is_plain(path.as_bytes()) || path.contains(' ')) {
        return Cow::Borrowed(path);
    }
    let mut whole = String::with_capacity(path.len());
    let mut segments = path.strip_prefix(['/', '\\']).unwrap_or(path).split(['/', '\\']).peekable();
    while let Some(segment) = segments.next() {
        let begun = whole.len();
        whole.push('/');
        push_segment(&mut whole, segment.as_bytes());
        let dots = match &whole[begun..] {
            "/." => 1,
            "/.." => 2,
            _ => continue,
        };
        whole.truncate(begun);
        if dots == 2 {
            whole.truncate(whole.rfind('/').unwrap_or_default());
        }
        if segments.peek().is_none() {
            whole.push('/');
        }
    }
    Cow::Owned(whole)
}

/// Whether the path is spelled so already.
fn is_plain(path: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !is_encoded(*byte) && !matches!(byte, b'%' | b'\\');
    path.iter().all(is_plain) && !path.windows(2).any(|pair| pair == b"/.")
}

/// Whether the URL that the app is told has this byte percent-encoded in its path.
const fn is_encoded(byte: u8) -> bool {
    !byte.is_ascii_graphic() || matches!(byte, b'"' | b'#' | b'<' | b'>' | b'?' | b'^' | b'`' | b'{' | b'}')
}

fn push_segment(text: &mut String, mut segment: &[u8]) {
    while let [byte, rest @ ..] = segment {
        let escaped = if *byte == b'%' { escaped(rest) } else { None };
        segment = rest.get(if escaped.is_some() { 2.. } else { 0.. }).unwrap_or_default();
        match escaped {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                text.push(char::from(byte));
            }
            Some(byte) => push_escape(text, byte),
            None if is_encoded(*byte) => push_escape(text, *byte),
            None => text.push(char::from(*byte)),
        }
    }
}

/// The byte that the two digits at the beginning stand for.
fn escaped(rest: &[u8]) -> Option<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let (high, low) = (digit(rest.first()?)?, digit(rest.get(1)?)?);
    u8::try_from(high << 4 | low).ok()
}

fn push_escape(text: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    text.push('%');
    text.push(char::from(DIGITS[usize::from(byte >> 4)]));
    text.push(char::from(DIGITS[usize::from(byte & 15)]));
}

/// What the I/O threads are told to refuse.
pub(crate) type Kinds = Arc<[Kind]>;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_the_app_is_told_as_one_is_one() {
        for (target, path) in [
            ("/heap", "/heap"),
            ("/heap?x", "/heap"),
            ("/./heap", "/heap"),
            ("/x/../heap", "/heap"),
            ("/x/%2E%2e/heap", "/heap"),
            ("/../heap", "/heap"),
            ("/x\\..\\heap", "/heap"),
            ("/%68e%61p", "/heap"),
            ("/h\u{e9}", "/h%C3%A9"),
            ("/h%c3%a9", "/h%C3%A9"),
            ("/a%2fb", "/a%2Fb"),
            ("/a{b}", "/a%7Bb%7D"),
            ("/a|b", "/a|b"),
            ("/%zz%", "/%zz%"),
            ("/%252e", "/%252e"),
            ("/heap/.", "/heap/"),
            ("/heap/..", "/"),
            ("/heap/../", "/"),
            ("/...", "/..."),
            ("/.well-known", "/.well-known"),
            ("//heap", "//heap"),
            ("/heap/", "/heap/"),
            ("?x", "/"),
            ("", "/"),
        ] {
            assert_eq!(Kind::of("GET", target).path, path, "{target}");
        }
        assert_ne!(Kind::of("POST", "/heap"), Kind::of("GET", "/heap"));
    }

    #[test]
    fn detours_hide_nothing_however_long_and_what_is_long_is_cut_and_still_told_apart() {
        let detour = format!("/{}heap", "./".repeat(1000));
        assert_eq!(Kind::of("GET", &detour), Kind::of("GET", "/heap"));
        let long = |end| Kind::of("GET", &format!("/{}{end}", "x".repeat(PATH)));
        assert_ne!(long("a"), long("b"));
        assert_ne!(long("a"), long("..."));
        assert!(long("a").path.len() < PATH + 32);
        // As an operator is shown it, who releases it.
        assert_eq!(Kind::of("GET", &long("a").path), long("a"));
        assert_ne!(long("a"), Kind::of("GET", &format!("/{}", "x".repeat(PATH - 1))));
    }

    proptest! {
        #[test]
        fn one_spelling_stays_and_paths_hold_no_dots_to_resolve(target in "[/\\\\.%2eExé{?#a]{0,40}") {
            let kind = Kind::of("GET", &target);
            prop_assert_eq!(&Kind::of("GET", &kind.path), &kind);
            prop_assert!(kind.path.starts_with('/') && kind.path.is_ascii());
            prop_assert!(kind.path.split('/').all(|segment| !matches!(segment, "." | "..")));
        }
    }
}
