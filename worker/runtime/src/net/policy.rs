//! The network policy of an app. It is applied to every address before connecting, after its name has been resolved.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nano_protocol::message::{NetHost, NetRule, NetRules};

use super::closed::Closed;
use super::forms::{Forms, forms};

/// Networks that hand out the host's own credentials, or that contain neighbours that nobody meant to expose. Only a rule for
/// an address or a network inside them allows them; a name or a wider network does not, whatever it resolves to.
const GUARDED: &[(IpAddr, u8, &str)] = &[
    (IpAddr::V4(Ipv4Addr::new(169, 254, 0, 0)), 16, LINK_LOCAL),
    (IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0)), 10, LINK_LOCAL),
    // Alibaba Cloud, Azure.
    (IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)), 32, METADATA),
    (IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)), 32, METADATA),
    // AWS (instances, pods), Google Cloud, Oracle Cloud, Scaleway.
    (IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)), 128, METADATA),
    (IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)), 128, METADATA),
    (IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)), 128, METADATA),
    (IpAddr::V6(Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe)), 128, METADATA),
    (IpAddr::V6(Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42)), 128, METADATA),
];

const LINK_LOCAL: &str = "link-local";
const METADATA: &str = "a cloud's metadata service";

/// The network rules of one app.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    allow: Option<Vec<NetRule>>,
    deny: Vec<NetRule>,
    closed: Closed,
}

/// Why a destination is refused, as a sentence without a full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{target} {reason}")]
pub(crate) struct Refusal {
    target: String,
    reason: Reason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    Closed,
    Denied,
    NotAllowed,
    Guarded(&'static str),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("is the supervisor's own, which no app may reach"),
            Self::Denied => f.write_str("is denied by deny_net"),
            Self::NotAllowed => f.write_str("is not among what allow_net allows"),
            Self::Guarded(what) => {
                write!(f, "is {what}, which apps may not reach; allow it with allow_net")
            }
        }
    }
}

impl Policy {
    /// Takes the rules that the supervisor sends.
    pub fn new(rules: NetRules) -> Self {
        let plain = |rules: Vec<NetRule>| rules.into_iter().map(plain).collect();
        Self { allow: rules.allow.map(plain), deny: plain(rules.deny), closed: Closed::default() }
    }

    /// Adds addresses that are refused whatever the rules say.
    #[must_use]
    pub fn without(self, closed: Closed) -> Self {
        Self { closed, ..self }
    }

    /// Checks a name before it is looked up: whether any of its addresses might be allowed. A lookup reveals the name to others,
    /// so names that cannot be reached are not looked up.
    ///
    /// # Errors
    /// Fails if the destination is refused, with the reason.
    pub(crate) fn check_name(&self, name: &str, port: u16) -> Result<(), Refusal> {
        let refuse = |reason| Err(Refusal { target: format!("{name}:{port}"), reason });
        if self.deny.iter().any(|rule| on_port(rule, port) && names(&rule.host, name)) {
            return refuse(Reason::Denied);
        }
        let may = |rule: &NetRule| {
            on_port(rule, port) && (names(&rule.host, name) || matches!(rule.host, NetHost::Network { .. }))
        };
        match &self.allow {
            Some(rules) if !rules.iter().any(may) => refuse(Reason::NotAllowed),
            _ => Ok(()),
        }
    }

    /// Checks an address before connecting to it. `name` is the name that resolved to it, if any.
    ///
    /// # Errors
    /// Fails if the destination is refused, with the reason.
    pub(crate) fn check(&self, name: Option<&str>, address: IpAddr, port: u16) -> Result<(), Refusal> {
        let forms = forms(address);
        let applies = |rule: &NetRule| {
            on_port(rule, port)
                && (name.is_some_and(|name| names(&rule.host, name))
                    || matches!(rule.host, NetHost::Any)
                    || within(&rule.host, &forms))
        };
        let with_port = |reason| {
            let target = match name {
                Some(name) => format!("{name}:{port} ({address})"),
                None if address.is_ipv6() => format!("[{address}]:{port}"),
                None => format!("{address}:{port}"),
            };
            Err(Refusal { target, reason })
        };
        if self.closed.holds(address, port) {
            return with_port(Reason::Closed);
        }
        if self.deny.iter().any(applies) {
            return with_port(Reason::Denied);
        }
        if let Some((network, prefix, what)) = guard(&forms) {
            let opened = self.allow.iter().flatten().any(|rule| {
                matches!(rule.host, NetHost::Network { address, prefix: narrower }
                    if narrower >= prefix && contains(network, prefix, address))
                    && applies(rule)
            });
            let target = name.map_or_else(|| address.to_string(), |name| format!("{name} ({address})"));
            return if opened { Ok(()) } else { Err(Refusal { target, reason: Reason::Guarded(what) }) };
        }
        match &self.allow {
            Some(rules) if !rules.iter().any(applies) => with_port(Reason::NotAllowed),
            _ => Ok(()),
        }
    }

    /// Checks a name that an app wants to look up, for whatever port.
    ///
    /// # Errors
    /// Fails if the app may reach it on no port, with the reason.
    pub(crate) fn check_lookup(&self, name: &str) -> Result<(), Refusal> {
        self.on_some_port(name, |port| self.check_name(name, port))
    }

    /// Checks an address that an app wants to look up, for whatever port.
    ///
    /// # Errors
    /// Fails if the app may reach it on no port, with the reason.
    pub(crate) fn check_lookup_of(&self, address: IpAddr) -> Result<(), Refusal> {
        self.on_some_port(&address.to_string(), |port| self.check(None, address, port))
    }

    /// Checks each port of which the rules tell, and one of the others.
    fn on_some_port(&self, target: &str, check: impl Fn(u16) -> Result<(), Refusal>) -> Result<(), Refusal> {
        let named = || self.allow.iter().flatten().chain(&self.deny).filter_map(|rule| rule.port);
        let other = (1..=u16::MAX).find(|port| named().all(|named| named != *port));
        let mut refused = Ok(());
        for port in named().chain(other) {
            match check(port) {
                Ok(()) => return Ok(()),
                Err(Refusal { reason, .. }) => refused = Err(Refusal { target: target.to_owned(), reason }),
            }
        }
        refused
    }
}

/// Converts a rule for the IPv6 form of an IPv4 network to one for the IPv4 network.
fn plain(rule: NetRule) -> NetRule {
    match rule.host {
        NetHost::Network { address: IpAddr::V6(v6), prefix } if prefix >= 96 => match v6.to_ipv4_mapped() {
            Some(v4) => NetRule {
                host: NetHost::Network { address: v4.into(), prefix: prefix - 96 },
                port: rule.port,
            },
            None => rule,
        },
        _ => rule,
    }
}

fn on_port(rule: &NetRule, port: u16) -> bool {
    rule.port.is_none_or(|only| only == port)
}

fn names(host: &NetHost, name: &str) -> bool {
    match host {
        NetHost::Any => true,
        NetHost::Name(only) => only == name,
        NetHost::Below(parent) => name.strip_suffix(parent.as_str()).is_some_and(|rest| rest.ends_with('.')),
        NetHost::Network { .. } => false,
    }
}

fn within(host: &NetHost, forms: &Forms) -> bool {
    match *host {
        NetHost::Network { address, prefix } => {
            forms.iter().flatten().any(|form| contains(address, prefix, *form))
        }
        _ => false,
    }
}

fn guard(forms: &Forms) -> Option<(IpAddr, u8, &'static str)> {
    let holds =
        |form: &IpAddr| GUARDED.iter().find(|(network, prefix, _)| contains(*network, *prefix, *form));
    forms.iter().flatten().find_map(holds).copied()
}

fn contains(network: IpAddr, prefix: u8, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let differ = network.to_bits() ^ address.to_bits();
            differ.checked_shr(32_u32.saturating_sub(prefix.into())).unwrap_or(0) == 0
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let differ = network.to_bits() ^ address.to_bits();
            differ.checked_shr(128_u32.saturating_sub(prefix.into())).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
