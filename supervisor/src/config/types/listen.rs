//! The address that an app listens on.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use crate::config::errors::Flaw;

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Listen {
    /// One address, or `None` for all IPv4 and IPv6 addresses of the machine.
    pub host: Option<IpAddr>,
    /// The TCP port. With 0 the kernel picks one.
    pub port: u16,
}

impl Listen {
    /// Returns whether both need the same port of the same address, so that only one of them can be bound.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let is_all = |host: Option<IpAddr>| host.is_none_or(|host| host.is_ipv6() && host.is_unspecified());
        let same_family = |one: IpAddr, other: IpAddr| one.is_ipv4() == other.is_ipv4();
        let hosts_overlap = match (self.host, other.host) {
            (one, other) if is_all(one) || is_all(other) => true,
            (Some(one), Some(other)) => {
                one == other || (same_family(one, other) && (one.is_unspecified() || other.is_unspecified()))
            }
            _ => true,
        };
        self.port == other.port && self.port != 0 && hosts_overlap
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host {
            Some(host) => write!(f, "{}", SocketAddr::new(host, self.port)),
            None => write!(f, "*:{}", self.port),
        }
    }
}

/// One address to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Host(pub IpAddr);

impl FromStr for Host {
    type Err = Flaw;

    fn from_str(text: &str) -> Result<Self, Flaw> {
        text.parse().map(|host: IpAddr| Self(host.to_canonical())).map_err(|_| {
            let fix = "write an address such as 127.0.0.1 or ::1, or leave it out for all addresses";
            Flaw::new(format!("{text:?} is not an IP address"), fix)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(host: &str, port: u16) -> Listen {
        Listen { host: (host != "*").then(|| host.parse().unwrap()), port }
    }

    #[test]
    fn only_one_of_two_overlapping_addresses_can_be_bound() {
        for (one, other) in [
            ("*", "*"),
            ("*", "127.0.0.1"),
            ("*", "::1"),
            ("::", "127.0.0.1"),
            ("::", "::1"),
            ("*", "::"),
            ("0.0.0.0", "127.0.0.1"),
            ("127.0.0.1", "127.0.0.1"),
        ] {
            assert!(listen(one, 80).overlaps(&listen(other, 80)), "{one} {other}");
            assert!(listen(other, 80).overlaps(&listen(one, 80)), "{other} {one}");
            assert!(!listen(one, 80).overlaps(&listen(other, 81)), "{one} {other}");
            assert!(!listen(one, 0).overlaps(&listen(other, 0)), "{one} {other}");
        }
        for (one, other) in [("127.0.0.1", "127.0.0.2"), ("127.0.0.1", "::1"), ("0.0.0.0", "::1")] {
            assert!(!listen(one, 80).overlaps(&listen(other, 80)), "{one} {other}");
            assert!(!listen(other, 80).overlaps(&listen(one, 80)), "{other} {one}");
        }
    }

    #[test]
    fn addresses_are_shown_as_people_write_them() {
        assert_eq!(listen("*", 80).to_string(), "*:80");
        assert_eq!(listen("127.0.0.1", 80).to_string(), "127.0.0.1:80");
        assert_eq!(listen("::1", 80).to_string(), "[::1]:80");
    }
}
