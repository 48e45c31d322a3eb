//! Whom the nearest proxy has seen: the last address of `X-Forwarded-For`. What stands before it may be the client's invention.

use std::net::{IpAddr, SocketAddr};

use hyper::header::{HeaderMap, HeaderName, HeaderValue};

/// The field.
pub const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The last address of all lines. None if there is none, or what is last is no address.
pub fn client(headers: &HeaderMap) -> Option<IpAddr> {
    last_address(headers.get_all(X_FORWARDED_FOR).iter().map(HeaderValue::as_bytes).next_back()?)
}

/// The last address of a list, with or without a port. Bytes of any kind may stand before it.
fn last_address(list: &[u8]) -> Option<IpAddr> {
    let last = str::from_utf8(list.rsplit(|byte| *byte == b',').next()?).ok()?.trim().trim_matches('"');
    let bare = last.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(last);
    let address = bare.parse::<IpAddr>().or_else(|_| last.parse::<SocketAddr>().map(|address| address.ip()));
    Some(address.ok()?.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_is_whom_the_nearest_proxy_has_seen() {
        for (list, client) in [
            (&b"1.2.3.4"[..], Some("1.2.3.4")),
            (b"6.6.6.6, 1.2.3.4", Some("1.2.3.4")),
            (b"6.6.6.6,1.2.3.4:5678 ", Some("1.2.3.4")),
            (b"\xff, 1.2.3.4", Some("1.2.3.4")),
            (b"2001:DB8::1", Some("2001:db8::1")),
            (b"[2001:db8::1]:80", Some("2001:db8::1")),
            (b"[2001:db8::1]", Some("2001:db8::1")),
            (b"\"1.2.3.4\"", Some("1.2.3.4")),
            (b"::ffff:1.2.3.4", Some("1.2.3.4")),
            (b"1.2.3.4, unknown", None),
            (b"1.2.3.4, \xff", None),
            (b"1.2.3.4,", None),
            (b"", None),
        ] {
            assert_eq!(last_address(list), client.map(|text| text.parse().unwrap()), "{list:?}");
        }
    }

    #[test]
    fn the_last_of_several_lines_is_the_nearest_proxys() {
        let mut headers = HeaderMap::new();
        assert_eq!(client(&headers), None);
        headers.append(X_FORWARDED_FOR, HeaderValue::from_static("1.1.1.1"));
        headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(b"\xff, 3.3.3.3").unwrap());
        assert_eq!(client(&headers), Some("3.3.3.3".parse().unwrap()));
    }
}
