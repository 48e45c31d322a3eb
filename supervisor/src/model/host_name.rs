//! Hosts in the canonical form of the URL standard. Routing, host patterns and the URL that an app sees all use this form, so
//! that all of them mean the same host.

use std::borrow::Cow;

use url::Host;

/// Longest name in DNS, in bytes.
const MAX_NAME: usize = 253;

/// The canonical form of `host`: a name in lower case, with international labels in ASCII (Punycode); an address in its
/// normal notation. A trailing dot stays. `None` if it is not a valid host, such as if it is empty or percent-encoded.
pub(crate) fn canonical(host: &str) -> Option<Cow<'_, str>> {
    let name = host.strip_suffix('.').unwrap_or(host);
    if name.len() > MAX_NAME || host.contains('%') {
        return None;
    }
    if is_canonical(host) {
        return Some(host.into());
    }
    match Host::parse(host).ok()? {
        Host::Domain(name) => is_name(name.strip_suffix('.').unwrap_or(&name)).then(|| name.into()),
        // `to_string` puts an IPv6 address in brackets.
        address => Some(address.to_string().into()),
    }
}

/// Splits an authority into host and port; the port without leading zeros. `None` if the port is invalid.
pub(crate) fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    let begin = authority.rfind(']').unwrap_or(0);
    let Some(colon) = authority[begin..].find(':').map(|at| begin + at) else {
        return Some((authority, None));
    };
    let (host, digits) = (&authority[..colon], &authority[colon + 1..]);
    if digits.is_empty() {
        return Some((host, None));
    }
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let port = match digits.trim_start_matches('0') {
        "" => "0",
        port => port,
    };
    port.parse::<u16>().ok().map(|_| (host, Some(port)))
}

/// Whether `name` consists of valid labels.
fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
    };
    name.len() <= MAX_NAME && name.split('.').all(is_label)
}

/// Whether `host` is canonical without a parse: a name without international labels, or an IPv4 address in four parts. A
/// fast path; false does not mean that it is not canonical.
fn is_canonical(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    let last = name.rsplit('.').next().unwrap_or_default();
    if last.as_bytes().first().is_some_and(u8::is_ascii_digit) {
        return is_ipv4(host);
    }
    is_name(name) && !name.split('.').any(|label| label.starts_with("xn--"))
}

/// Whether `name` is four numbers up to 255, without leading zeros.
fn is_ipv4(name: &str) -> bool {
    let is_byte = |part: &str| {
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number && (part.len() == 1 || !part.starts_with('0')) && part.parse::<u8>().is_ok()
    };
    name.split('.').count() == 4 && name.split('.').all(is_byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_host_has_one_spelling() {
        for (host, one) in [
            ("example.com", "example.com"),
            ("EXAMPLE.com", "example.com"),
            ("example.com.", "example.com."),
            ("a_b-c.example", "a_b-c.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("127.0.0.1", "127.0.0.1"),
            ("0x7f.1", "127.0.0.1"),
            ("2130706433", "127.0.0.1"),
            ("127.0.0.1.", "127.0.0.1"),
            ("[::1]", "[::1]"),
            ("[0:0::0001]", "[::1]"),
            ("[::FFFF:1.2.3.4]", "[::ffff:102:304]"),
            ("1.example", "1.example"),
        ] {
            assert_eq!(canonical(host).as_deref(), Some(one), "{host}");
        }
    }

    #[test]
    fn what_is_no_host_is_none() {
        let long = "a".repeat(MAX_NAME + 1);
        for host in [
            "",
            ".",
            "..",
            "a..b",
            "a.b..",
            ".a",
            "[::1",
            "::1",
            "[]",
            "[::1]x",
            "[::g]",
            "[fe80::1%25eth0]",
            "%zz",
            "ex%61mple.com",
            "256.256.256.256",
            "1.2.3.4.5",
            "a.0x1g.1.256.7.8",
            "a,b",
            "a@b",
            "a b",
            "a/b",
            "a\\b",
            "a?b",
            "a#b",
            "a:b",
            "a\tb",
            "a\0b",
            "a!b",
            "a*b",
            "a~b",
            "xn--a",
            "xn--",
            "a<b",
            "ａ％41",
            &long,
        ] {
            assert_eq!(canonical(host), None, "{host:?}");
        }
    }

    #[test]
    fn ports_are_numbers() {
        for (authority, parts) in [
            ("a", Some(("a", None))),
            ("a:", Some(("a", None))),
            ("a:80", Some(("a", Some("80")))),
            ("a:0080", Some(("a", Some("80")))),
            ("a:000", Some(("a", Some("0")))),
            ("a:65535", Some(("a", Some("65535")))),
            ("[::1]:8", Some(("[::1]", Some("8")))),
            ("[::1]", Some(("[::1]", None))),
            (":80", Some(("", Some("80")))),
            ("a:65536", None),
            ("a:99999", None),
            ("a:+1", None),
            ("a:1:2", None),
            ("::1", None),
            ("a:b", None),
        ] {
            assert_eq!(split_port(authority), parts, "{authority}");
        }
    }

    proptest! {
        #[test]
        fn the_quick_look_and_the_parser_agree(host in "[a-zA-Z0-9.xn_-]{0,24}|[0-9x.]{1,16}|\\[[0-9a-f:.]{0,20}\\]") {
            if let Some(one) = canonical(&host) {
                prop_assert_eq!(Host::parse(&host).map(|host| host.to_string()), Ok(one.clone().into_owned()));
                prop_assert_eq!(canonical(&one), Some(one.clone()));
            }
        }
    }
}
