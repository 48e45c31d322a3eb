//! The setting `forwarded`: which peers are trusted to say who a client is.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde_json::json;
use toml::de::DeValue;

use crate::config::document::value;
use crate::config::errors::Flaw;
use crate::config::setting::json::text;
use crate::config::setting::{Setting, kinds};
use crate::config::types::net::parse_network;

/// A word, an address or network, or a list of these.
pub(crate) fn setting() -> Setting<ForwardedPolicy> {
    let schema = json!({ "anyOf": [
        { "enum": ["replace", "append"] },
        text(),
        { "type": "array", "items": text(), "minItems": 1 },
    ] });
    let show = |policy: &ForwardedPolicy| match policy {
        ForwardedPolicy::Replace => json!("replace"),
        ForwardedPolicy::Append => json!("append"),
        ForwardedPolicy::From(networks) => json!(networks),
    };
    kinds::value("policy", schema, ForwardedPolicy::read, show)
}

/// How to treat the `X-Forwarded-For`, `-Proto` and `-Host` that a client sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ForwardedPolicy {
    /// Drop them. Only the connection shows who the client is.
    Replace,
    /// Trust and extend them: every client is a trusted proxy.
    Append,
    /// Trust and extend those from these addresses, which are trusted proxies. Drop those from others.
    From(Vec<IpNet>),
}

impl ForwardedPolicy {
    /// Returns whether a peer with this address is a trusted proxy.
    pub(crate) fn trusts(&self, peer: IpAddr) -> bool {
        match self {
            Self::Replace => false,
            Self::Append => true,
            Self::From(_) => self.names(peer),
        }
    }

    /// Returns whether this address is that of a listed proxy, whoever mentions it.
    pub(crate) fn names(&self, address: IpAddr) -> bool {
        let Self::From(networks) = self else { return false };
        let address = address.to_canonical();
        networks.iter().any(|network| network.contains(&address))
    }

    /// A word, an address or network, or a list of these.
    fn read(value: &DeValue<'_>) -> Result<Self, Flaw> {
        match value {
            DeValue::Array(list) if list.is_empty() => {
                Err(Flaw::new("names no proxy", "write \"replace\" to believe nobody"))
            }
            DeValue::Array(list) => {
                let networks = list.iter().map(|item| trusted(value::text(item.get_ref())?));
                networks.collect::<Result<_, _>>().map(Self::From)
            }
            _ => value::text(value)?.parse(),
        }
    }
}

impl FromStr for ForwardedPolicy {
    type Err = Flaw;

    /// Parses the value of the flag: a word, or addresses and networks separated by commas.
    fn from_str(text: &str) -> Result<Self, Flaw> {
        match text {
            "replace" => Ok(Self::Replace),
            "append" => Ok(Self::Append),
            list => {
                list.split(',').map(|item| trusted(item.trim())).collect::<Result<_, _>>().map(Self::From)
            }
        }
    }
}

fn trusted(text: &str) -> Result<IpNet, Flaw> {
    parse_network(text).ok_or_else(|| {
        Flaw::new(
            format!("{text:?} is neither a word nor an address"),
            "write \"replace\", \"append\", or the addresses and networks of your proxies, such as [\"127.0.0.1\", \"10.0.0.0/8\"]",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ForwardedPolicy, String> {
        ForwardedPolicy::read(DeValue::parse(text).unwrap().get_ref()).map_err(|flaw| flaw.to_string())
    }

    #[test]
    fn every_form_is_read() {
        assert_eq!(read("'replace'"), Ok(ForwardedPolicy::Replace));
        assert_eq!(read("'append'"), Ok(ForwardedPolicy::Append));
        let networks = ["127.0.0.1/32", "10.0.0.0/8", "fd00::/8", "192.0.2.0/24"];
        let networks = ForwardedPolicy::From(networks.map(|network| network.parse().unwrap()).into());
        assert_eq!(
            read("['127.0.0.1', '10.1.2.3/8', 'fd00::/8', '::ffff:192.0.2.0/120']"),
            Ok(networks.clone())
        );
        assert_eq!(read("'127.0.0.1, 10.0.0.0/8,fd00::/8,192.0.2.0/24'"), Ok(networks));
        for wrong in ["'appent'", "['append']", "[1]", "[]", "true", "''", "'10.0.0.0/8,'", "'10.0.0.0/33'"] {
            assert!(read(wrong).is_err_and(|text| text.contains("fix: ")), "{wrong}");
        }
    }

    #[test]
    fn a_proxy_of_ours_is_known_however_its_address_is_written() {
        let policy = read("['10.0.0.0/8', 'fd00::/8']").unwrap();
        for (address, is_ours) in [
            ("10.255.0.1", true),
            ("::ffff:10.0.0.1", true),
            ("11.0.0.1", false),
            ("fd12::1", true),
            ("::1", false),
        ] {
            assert_eq!(policy.trusts(address.parse().unwrap()), is_ours, "{address}");
        }
        let anybody = "192.0.2.1".parse().unwrap();
        let (append, replace) = (ForwardedPolicy::Append, ForwardedPolicy::Replace);
        assert!(append.trusts(anybody) && !append.names(anybody) && !replace.trusts(anybody));
    }
}
