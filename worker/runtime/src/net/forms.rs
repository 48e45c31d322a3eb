//! Equivalent addresses: many addresses can be written in more than one form.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address, and the address that the network or the kernel maps it to, if any.
pub(super) type Forms = [Option<IpAddr>; 2];

pub(super) fn forms(address: IpAddr) -> Forms {
    let other = match address {
        // Connecting to an unspecified address connects to this host.
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Some(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Some(Ipv6Addr::LOCALHOST.into()),
        IpAddr::V6(Ipv6Addr::LOCALHOST) | IpAddr::V4(_) => None,
        IpAddr::V6(v6) => embedded(v6).map(IpAddr::V4),
    };
    // `::ffff:0.0.0.0` maps to `0.0.0.0`, which maps to `127.0.0.1`.
    let other = match other {
        Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED)) => Some(Ipv4Addr::LOCALHOST.into()),
        other => other,
    };
    [Some(address), other]
}

/// Returns the IPv4 address that is embedded in an IPv6 address, as a translator or the kernel would use it.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let from = |high: u16, low: u16| Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    match address.segments() {
        // IPv4-compatible, IPv4-mapped, IPv4-translated (RFC 4291, RFC 2765).
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => from(high, low),
        // NAT64: the well-known prefix and the local-use prefix (RFC 6052, RFC 8215).
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x64, 0xff9b, 1, _, _, _, high, low] => from(high, low),
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => from(high, low),
        _ => None,
    }
}
