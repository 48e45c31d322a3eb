//! The kind of a request: its method, and its path in canonical form. Requests of one kind are taken to do the same.
//!
//! The form is that of the URL which the app sees: dot segments are resolved, `\` is `/`, and reserved bytes are
//! percent-encoded. In addition, equivalent escapes are normalized (RFC 3986, 6.2.2): `%7a` is `z`, `%c3` is `%C3`.

use std::borrow::Cow;
use std::sync::Arc;

use nano_protocol::head::SCHEDULED;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Marks a text that was truncated.
pub(crate) const CUT: &str = "...";

/// Longest method that is kept whole, in bytes.
pub(crate) const METHOD: usize = 32;

/// Longest path that is kept whole, in bytes.
pub(crate) const PATH: usize = 256;

/// A kind of request, or of scheduled run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Kind {
    /// The method as it was sent; if it is too long, its beginning and a digest. `scheduled` for a scheduled run.
    pub method: String,
    /// The canonical path without the query; if it is too long, its beginning and a digest. The cron expression of a scheduled
    /// run.
    pub path: String,
}

impl Kind {
    /// The kind of a request with this method and target. A long text is replaced by its beginning and a digest of the whole,
    /// so that texts with the same beginning still differ.
    pub fn of(method: &str, target: &str) -> Self {
        if is_scheduled(method, target) {
            return Self { method: method.to_owned(), path: cut(target, PATH) };
        }
        Self { method: known(method, METHOD), path: known(&path(target), PATH) }
    }
}

/// Whether this is the name of a scheduled run, whose cron expression is no path. A target that a client sends begins with `/` or
/// `?`.
pub(crate) fn is_scheduled(method: &str, target: &str) -> bool {
    method == SCHEDULED && !target.starts_with(['/', '?'])
}

/// Truncates `text` if it is longer than `longest` bytes.
pub(crate) fn cut(text: &str, longest: usize) -> String {
    match text.floor_char_boundary(longest) {
        end if end < text.len() => format!("{}{CUT}", &text[..end]),
        _ => text.to_owned(),
    }
}

/// Like [`cut`], and appends a digest of the whole text if it was truncated. The blank before the digest tells the result
/// from a path that a client sent, so a text that was truncated before is returned as it is.
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
    // Only a truncated target has a blank.
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

/// Whether the path is canonical already.
fn is_plain(path: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !is_encoded(*byte) && !matches!(byte, b'%' | b'\\');
    path.iter().all(is_plain) && !path.windows(2).any(|pair| pair == b"/.")
}

/// Whether this byte is percent-encoded in the path of the URL that the app sees.
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

/// The byte that two leading hexadecimal digits encode.
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

/// The kinds that the I/O threads refuse.
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
    fn a_scheduled_run_is_of_the_kind_of_its_cron() {
        let run = Kind::of("scheduled", "*/5 * * * *");
        assert_eq!((&*run.method, &*run.path), ("scheduled", "*/5 * * * *"));
        // What a client sends is none.
        assert_eq!(Kind::of("scheduled", "/*/5 * * * *").path, "/*/5 * * * *");
        assert_eq!(Kind::of("scheduled", "?*/5").path, "/");
    }

    #[test]
    fn detours_hide_nothing_however_long_and_what_is_long_is_cut_and_still_told_apart() {
        let detour = format!("/{}heap", "./".repeat(1000));
        assert_eq!(Kind::of("GET", &detour), Kind::of("GET", "/heap"));
        let long = |end| Kind::of("GET", &format!("/{}{end}", "x".repeat(PATH)));
        assert_ne!(long("a"), long("b"));
        assert_ne!(long("a"), long("..."));
        assert!(long("a").path.len() < PATH + 32);
        // Operators name a kind by the path that they are shown.
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
