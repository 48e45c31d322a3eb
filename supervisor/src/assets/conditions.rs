//! Conditional requests and ranges (RFC 9110, 13 and 14).

use std::ops::Range;

use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, StatusCode};

/// How much of a file a client gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Extent {
    /// The whole file.
    Whole,
    /// Nothing, since the client has it already.
    NotModified,
    /// Only these bytes, with status 206.
    Part(Range<u64>),
    /// Nothing, since the file has none of the bytes that are asked for.
    OutOfRange,
}

/// Decides how much of a file of this tag and length a request gets.
pub(super) fn extent(method: &Method, headers: &HeaderMap, tag: &HeaderValue, length: u64) -> Extent {
    if names(headers, tag) {
        return Extent::NotModified;
    }
    let mut ranges = headers.get_all(header::RANGE).iter();
    let range = match (ranges.next(), ranges.next()) {
        (Some(range), None) if *method == Method::GET => range.to_str().unwrap_or_default(),
        _ => return Extent::Whole,
    };
    // A date never matches, since files have none here.
    if headers.get(header::IF_RANGE).is_some_and(|value| value != tag) {
        return Extent::Whole;
    }
    match part(range, length) {
        None => Extent::Whole,
        Some(part) if part.is_empty() => Extent::OutOfRange,
        Some(part) => Extent::Part(part),
    }
}

/// Whether `If-None-Match` names this tag. Weak tags count as strong ones.
fn names(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    headers.get_all(header::IF_NONE_MATCH).iter().any(|value| {
        let Ok(list) = value.to_str() else { return false };
        list.split(',').map(str::trim).any(|known| {
            known == "*" || known.strip_prefix("W/").unwrap_or(known).as_bytes() == tag.as_bytes()
        })
    })
}

/// Returns the bytes that a range stands for, which may be none. `None` if it is to be ignored: it is invalid, in another unit, or
/// one of several.
fn part(range: &str, length: u64) -> Option<Range<u64>> {
    let (unit, range) = range.split_once('=')?;
    let (first, last) = range.trim().split_once('-').filter(|_| unit.trim().eq_ignore_ascii_case("bytes"))?;
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // A number that is too great for its type is beyond every file.
        is_number.then(|| text.parse().unwrap_or(u64::MAX))
    };
    if first.is_empty() {
        return Some(length.saturating_sub(number(last)?)..length);
    }
    let first = number(first)?;
    let end =
        if last.is_empty() { length } else { number(last).filter(|last| *last >= first)?.saturating_add(1) };
    Some(first.min(length)..end.min(length))
}

/// Returns the status for an extent.
pub(super) fn status(extent: &Extent) -> StatusCode {
    match extent {
        Extent::Whole => StatusCode::OK,
        Extent::NotModified => StatusCode::NOT_MODIFIED,
        Extent::Part(_) => StatusCode::PARTIAL_CONTENT,
        Extent::OutOfRange => StatusCode::RANGE_NOT_SATISFIABLE,
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderName;

    use super::*;

    #[test]
    fn a_request_gets_what_it_lacks() {
        use Extent as E;
        let tag = HeaderValue::from_static("\"a\"");
        let get = |fields: &[(HeaderName, &'static str)]| {
            let fields = fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
            extent(&Method::GET, &fields.collect(), &tag, 10)
        };
        for (field, expected) in [
            ("\"a\"", E::NotModified),
            ("W/\"a\"", E::NotModified),
            ("\"b\", W/\"a\"", E::NotModified),
            ("*", E::NotModified),
            ("\"b\"", E::Whole),
            ("a", E::Whole),
        ] {
            assert_eq!(get(&[(header::IF_NONE_MATCH, field)]), expected, "{field}");
        }
        for (field, expected) in [
            ("bytes=0-0", E::Part(0..1)),
            ("bytes=2-", E::Part(2..10)),
            ("bytes=-3", E::Part(7..10)),
            ("bytes=-30", E::Part(0..10)),
            ("bytes=5-100", E::Part(5..10)),
            ("bytes=9-99999999999999999999999", E::Part(9..10)),
            ("bytes=10-", E::OutOfRange),
            ("bytes=-0", E::OutOfRange),
            ("bytes=99999999999999999999999-", E::OutOfRange),
            ("bytes=5-4", E::Whole),
            ("bytes=0-1,3-4", E::Whole),
            ("bytes=a-", E::Whole),
            ("bytes=+1-", E::Whole),
            ("lines=0-1", E::Whole),
            ("bytes", E::Whole),
        ] {
            assert_eq!(get(&[(header::RANGE, field)]), expected, "{field}");
        }
        let range = (header::RANGE, "bytes=0-0");
        assert_eq!(get(&[range.clone(), (header::IF_RANGE, "\"a\"")]), E::Part(0..1));
        for other in ["\"b\"", "W/\"a\"", "Wed, 21 Oct 2015 07:28:00 GMT"] {
            assert_eq!(get(&[range.clone(), (header::IF_RANGE, other)]), E::Whole);
        }
        let headers = [(header::RANGE, HeaderValue::from_static("bytes=0-0"))].into_iter().collect();
        assert_eq!(extent(&Method::HEAD, &headers, &tag, 10), E::Whole);
    }
}
