//! The supervisor's own addresses, which no app may reach, whatever its policy allows.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use super::forms::forms;

/// The addresses at which the supervisor can be queried and controlled. An unspecified address stands for every address of this
/// machine.
#[derive(Debug, Clone, Default)]
pub struct Closed(Vec<SocketAddr>);

impl Closed {
    /// Takes the addresses that the supervisor sends.
    pub fn new(own: Vec<SocketAddr>) -> Self {
        Self(own)
    }

    /// Returns whether a connection to `address` would reach one of them.
    pub(crate) fn holds(&self, address: IpAddr, port: u16) -> bool {
        let is_own = |own: &SocketAddr| {
            let own_ip = own.ip().to_canonical();
            own.port() == port
                && (forms(address).iter().flatten().any(|form| *form == own_ip)
                    || (own_ip.is_unspecified() && leads_here(address, port)))
        };
        self.0.iter().any(is_own)
    }
}

/// Returns whether `address` belongs to this machine. Evaluated each time, because interfaces come and go.
fn leads_here(address: IpAddr, port: u16) -> bool {
    // For a destination on this machine, the kernel picks the destination itself as the source address. If it reports an error,
    // the safe answer is yes. No packet is sent.
    let is_here = |form: IpAddr| {
        form.is_loopback() || source(form, port).map_or(true, |source| source == form || source.is_loopback())
    };
    forms(address).into_iter().flatten().any(|form| is_here(form.to_canonical()))
}

/// Returns the source address that the kernel would use for packets to `address`.
fn source(address: IpAddr, port: u16) -> io::Result<IpAddr> {
    let any: IpAddr =
        if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect((address, port))?;
    Ok(socket.local_addr()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(own: &str) -> Closed {
        Closed::new(vec![own.parse().unwrap()])
    }

    fn holds(own: &str, address: &str, port: u16) -> bool {
        closed(own).holds(address.parse().unwrap(), port)
    }

    #[test]
    fn every_spelling_of_an_address_is_that_address() {
        for own in ["127.0.0.1:9100", "[::ffff:127.0.0.1]:9100"] {
            for address in ["127.0.0.1", "0.0.0.0", "::ffff:127.0.0.1", "::ffff:0.0.0.0", "::127.0.0.1"] {
                assert!(holds(own, address, 9100), "{own} {address}");
                assert!(!holds(own, address, 9101), "{own} {address}");
            }
            assert!(!holds(own, "::1", 9100) && !holds(own, "192.0.2.1", 9100));
        }
        assert!(holds("[::1]:9100", "::", 9100) && holds("[::1]:9100", "::1", 9100));
        assert!(!holds("[::1]:9100", "127.0.0.1", 9100));
        assert!(!Closed::default().holds([127, 0, 0, 1].into(), 9100));
    }

    #[test]
    fn any_address_is_every_address_of_this_machine() {
        // An address of this machine other than the loopback ones, if there is one.
        let outward = source([192, 0, 2, 1].into(), 9).ok();
        for own in ["0.0.0.0:9100", "[::]:9100"] {
            for address in ["127.0.0.1", "127.8.9.1", "::1", "::", "0.0.0.0", "::ffff:127.0.0.2"] {
                assert!(holds(own, address, 9100), "{own} {address}");
            }
            assert!(outward.is_none_or(|ip| closed(own).holds(ip, 9100)), "{outward:?}");
            // The same address behind a NAT64 prefix.
            if let Some(IpAddr::V4(ip)) = outward {
                assert!(holds(own, &format!("64:ff9b::{ip}"), 9100), "{ip}");
            }
            assert!(outward.is_none() || !holds(own, "192.0.2.1", 9100));
        }
    }
}
