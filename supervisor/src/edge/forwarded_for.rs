//! Determines the client of a request: the peer, or the address that trusted proxies report in `X-Forwarded-For`. The client may
//! have forged the entries before theirs.

use std::net::{IpAddr, SocketAddr};

use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use crate::config::ForwardedPolicy;

pub(crate) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asker {
    pub address: IpAddr,
    /// Whether the peer is a trusted proxy.
    pub is_proxied: bool,
}

impl Asker {
    /// Determines the client of a request with these `headers` that came from `peer`.
    pub(crate) fn new(headers: &HeaderMap, peer: IpAddr, policy: &ForwardedPolicy) -> Self {
        let is_proxied = policy.trusts(peer);
        let seen = if is_proxied { client(headers, policy) } else { None };
        Self { address: seen.unwrap_or_else(|| peer.to_canonical()), is_proxied }
    }
}

/// Returns the last address of all lines that is not that of a trusted proxy. If all of them are, returns the first. The search
/// ends at anything that is not an address. nginx does the same with `real_ip_recursive`.
fn client(headers: &HeaderMap, policy: &ForwardedPolicy) -> Option<IpAddr> {
    let lines = headers.get_all(X_FORWARDED_FOR).iter().map(HeaderValue::as_bytes);
    let mut seen = None;
    for hop in lines.rev().flat_map(|line| line.rsplit(|byte| *byte == b',')) {
        let Some(address) = parse(hop) else { break };
        seen = Some(address);
        if !policy.names(address) {
            break;
        }
    }
    seen
}

/// Parses an address, with or without a port.
fn parse(hop: &[u8]) -> Option<IpAddr> {
    let hop = str::from_utf8(hop).ok()?.trim().trim_matches('"');
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    let address = bare.parse::<IpAddr>().or_else(|_| hop.parse::<SocketAddr>().map(|address| address.ip()));
    Some(address.ok()?.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: &str = "10.0.0.1";

    fn asker(lines: &[&[u8]], policy: &ForwardedPolicy) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(line).unwrap());
        }
        Asker::new(&headers, PEER.parse().unwrap(), policy).address.to_string()
    }

    #[test]
    fn where_every_peer_is_a_proxy_the_client_is_whom_that_has_seen() {
        for (list, client) in [
            (&b"1.2.3.4"[..], "1.2.3.4"),
            (b"6.6.6.6, 1.2.3.4", "1.2.3.4"),
            (b"6.6.6.6,1.2.3.4:5678 ", "1.2.3.4"),
            (b"\xff, 1.2.3.4", "1.2.3.4"),
            (b"2001:DB8::1", "2001:db8::1"),
            (b"[2001:db8::1]:80", "2001:db8::1"),
            (b"[2001:db8::1]", "2001:db8::1"),
            (b"\"1.2.3.4\"", "1.2.3.4"),
            (b"::ffff:1.2.3.4", "1.2.3.4"),
            (b"1.2.3.4, unknown", PEER),
            (b"1.2.3.4, \xff", PEER),
            (b"1.2.3.4,", PEER),
            (b"", PEER),
        ] {
            assert_eq!(asker(&[list], &ForwardedPolicy::Append), client, "{list:?}");
            assert_eq!(asker(&[list], &ForwardedPolicy::Replace), PEER, "{list:?}");
        }
        assert_eq!(asker(&[], &ForwardedPolicy::Append), PEER);
        assert_eq!(asker(&[b"1.1.1.1", b"\xff, 3.3.3.3"], &ForwardedPolicy::Append), "3.3.3.3");
    }

    #[test]
    fn proxies_that_are_known_are_passed_over_from_the_right() {
        let policy: ForwardedPolicy = "10.0.0.0/8,2001:db8::/32".parse().unwrap();
        for (lines, client) in [
            (&[&b"6.6.6.6, 1.2.3.4, 10.0.0.3, 2001:db8::7"[..]][..], "1.2.3.4"),
            (&[b"6.6.6.6, 1.2.3.4", b"10.0.0.3", b"[2001:db8::7]:80"], "1.2.3.4"),
            (&[b"6.6.6.6, ::ffff:10.0.0.3"], "6.6.6.6"),
            (&[b"1.2.3.4"], "1.2.3.4"),
            // If every address is that of a proxy, the first one counts, as with nginx.
            (&[b"10.0.0.2, 10.0.0.3"], "10.0.0.2"),
            (&[b"6.6.6.6, unknown, 10.0.0.3"], "10.0.0.3"),
            (&[b"6.6.6.6, unknown"], PEER),
            (&[], PEER),
        ] {
            assert_eq!(asker(lines, &policy), client, "{lines:?}");
        }
        let others: ForwardedPolicy = "10.0.0.2".parse().unwrap();
        assert_eq!(asker(&[b"1.2.3.4"], &others), PEER, "the peer is a stranger");
    }
}
