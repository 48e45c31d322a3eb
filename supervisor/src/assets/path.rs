//! The path of a URL, and the path of the file that it names.
//!
//! A file has one canonical URL path: its name, with everything percent-encoded that `encodeURIComponent` encodes. Other spellings
//! are redirected to it.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::Url;

/// What `encodeURIComponent` encodes.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// Returns path and query of a request target, the path as URLs have it: without dot segments, and with what may not stand in a
/// URL percent-encoded. The query includes its question mark, and is empty if nothing follows that.
pub(crate) fn split(target: &str) -> (Cow<'_, str>, &str) {
    let (path, query) = match target.find('?') {
        Some(at) => target.split_at(at),
        None => (target, ""),
    };
    (normalized(path), if query.len() > 1 { query } else { "" })
}

fn normalized(path: &str) -> Cow<'_, str> {
    if is_plain(path) {
        return Cow::Borrowed(path);
    }
    match Url::parse(&format!("http://host{path}")) {
        Ok(url) => Cow::Owned(url.path().to_owned()),
        Err(_) => Cow::Borrowed(path),
    }
}

/// Whether a path is what it is in every spelling: most are.
fn is_plain(path: &str) -> bool {
    let mut before = 0;
    let is_plain = path.bytes().all(|byte| {
        let is_fine = match byte {
            b'.' => before != b'/',
            b'/' => before != b'/',
            b'-' | b'_' | b'~' => true,
            _ => byte.is_ascii_alphanumeric(),
        };
        before = byte;
        is_fine
    });
    is_plain && path.starts_with('/')
}

/// Returns the path of the file that a URL path names. Its percent-encoding is undone, segment by segment, and several slashes
/// in a row count as one.
pub(crate) fn decode(path: &str) -> Cow<'_, str> {
    if is_plain(path) {
        return Cow::Borrowed(path);
    }
    let mut decoded = String::with_capacity(path.len());
    for (number, segment) in path.split('/').enumerate() {
        if number > 0 {
            decoded.push('/');
        }
        decoded.push_str(&decode_segment(segment));
    }
    Cow::Owned(with_single_slashes(&decoded))
}

/// Undoes the percent-encoding of a segment. One that is not well-formed, or not UTF-8, stays as it is.
fn decode_segment(segment: &str) -> Cow<'_, str> {
    let is_escape =
        |rest: &[u8]| matches!(rest, [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    let bytes = segment.as_bytes();
    let is_sound = bytes
        .iter()
        .enumerate()
        .all(|(at, byte)| *byte != b'%' || is_escape(bytes.get(at + 1..).unwrap_or_default()));
    if !is_sound {
        return Cow::Borrowed(segment);
    }
    percent_decode_str(segment).decode_utf8().unwrap_or(Cow::Borrowed(segment))
}

/// Replaces each run of slashes by one.
pub(super) fn with_single_slashes(path: &str) -> String {
    let mut single = String::with_capacity(path.len());
    for char in path.chars() {
        if char != '/' || !single.ends_with('/') {
            single.push(char);
        }
    }
    single
}

/// Returns the canonical URL path of a file.
pub(crate) fn encode(path: &str) -> Cow<'_, str> {
    if is_plain(path) {
        return Cow::Borrowed(path);
    }
    let segments: Vec<_> =
        path.split('/').map(|segment| utf8_percent_encode(segment, COMPONENT).to_string()).collect();
    Cow::Owned(segments.join("/"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_is_what_the_url_standard_makes_of_it() {
        for (target, path, query) in [
            ("/a/b.html?x=1", "/a/b.html", "?x=1"),
            ("/a?", "/a", ""),
            ("?x", "/", "?x"),
            ("/a/../b/./c", "/b/c", ""),
            ("/a/%2e%2E/b", "/b", ""),
            ("/..\\..\\x", "/x", ""),
            ("/a b\u{e9}", "/a%20b%C3%A9", ""),
            ("//host/x", "//host/x", ""),
        ] {
            assert_eq!(split(target), (path.into(), query), "{target}");
        }
    }

    #[test]
    fn decoding_and_encoding_are_those_of_javascript() {
        for (path, decoded, encoded) in [
            ("/%5Bslug%5D", "/[slug]", "/%5Bslug%5D"),
            ("/a%2Fb", "/a/b", "/a/b"),
            ("/a//b///c", "/a/b/c", "/a/b/c"),
            ("/%zz/%20", "/%zz/ ", "/%25zz/%20"),
            ("/%ff", "/%ff", "/%25ff"),
            ("/it's(1)!~*", "/it's(1)!~*", "/it's(1)!~*"),
            ("/a+b", "/a+b", "/a%2Bb"),
        ] {
            assert_eq!(decode(path), decoded);
            assert_eq!(encode(decoded), encoded);
        }
    }

    proptest! {
        #[test]
        fn what_is_plain_is_left_alone_and_means_the_same(path in "/[a-z./%_~-]{0,12}") {
            let (normal, _) = split(&path);
            prop_assert_eq!(split(&normal).0, &*normal);
            if is_plain(&path) {
                let url = Url::parse(&format!("http://host{path}")).unwrap();
                prop_assert_eq!(url.path(), &*path);
                let slow: Vec<_> = path.split('/').map(|part| utf8_percent_encode(part, COMPONENT).to_string()).collect();
                prop_assert_eq!(slow.join("/"), encode(&path));
            }
        }

        #[test]
        fn a_canonical_path_leads_to_its_file(file in "(/[^/\\u{0}]{1,5}){1,3}") {
            prop_assume!(!file.split('/').any(|part| matches!(part, "." | "..")));
            let canonical = encode(&file).into_owned();
            let (path, _) = split(&canonical);
            prop_assert_eq!(decode(&path), file);
        }
    }
}
