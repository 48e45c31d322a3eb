//! The settings `allow_net` and `deny_net`: rules for an app's outbound connections.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};
use nano_protocol::message::{NetHost, NetRule};
use serde_json::json;
use toml::de::DeValue;

use crate::config::bounds;
use crate::config::document::section::Section;
use crate::config::document::value;
use crate::config::errors::{Flaw, Problems};
use crate::config::setting::Setting;
use crate::config::setting::json::text;
use crate::config::types::host_pattern::is_host_name;

/// A setting that is a list of rules.
pub(crate) fn setting() -> Setting<Vec<NetRule>> {
    let schema = json!({ "type": "array", "items": text(), "maxItems": bounds::NET_RULES });
    Setting::new("list", schema, |section, name, _, problems| read(section, name, problems), |_| json!([]))
}

/// Reads the rules in the list `name`, or returns `None` if it is not a list.
fn read(section: &Section<'_>, name: &str, problems: &mut Problems) -> Option<Vec<NetRule>> {
    let convert = |item: &DeValue<'_>| rule(value::text(item)?);
    let rules: Vec<_> = section.list(name, convert, problems)?.into_iter().map(|(rule, _)| rule).collect();
    if rules.len() > bounds::NET_RULES {
        let what = format!("has {} rules, more than {}", rules.len(), bounds::NET_RULES);
        let fix = "name networks or \"*.domains\" instead of single hosts";
        problems.add(section.place(name), Flaw::new(what, fix));
    }
    Some(rules)
}

/// Parses one rule: a host name, `*.` and a name, an address, a network, or `*`, optionally followed by a colon and a port.
fn rule(text: &str) -> Result<NetRule, Flaw> {
    // The colons of an IPv6 address do not begin a port.
    if let Some(network) = network(text) {
        return Ok(NetRule { host: network, port: None });
    }
    if text.contains("//") {
        return Err(wrong(text, "leave out scheme and path: write the bare name, such as \"api.example\""));
    }
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (host, port) = match bracketed {
        Some((inside, behind)) => {
            let host = network(inside).filter(|_| inside.contains(':'));
            let port = if behind.is_empty() { Some(None) } else { behind.strip_prefix(':').map(Some) };
            match (host, port) {
                (Some(host), Some(port)) => (host, port),
                _ => return Err(wrong(text, "write an IPv6 address such as \"[::1]:8080\"")),
            }
        }
        None => match text.rsplit_once(':') {
            Some((host, port)) => (named(text, host)?, Some(port)),
            None => (named(text, text)?, None),
        },
    };
    let port = port.map(|port| {
        let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
        let number = port.parse().ok().filter(|number| is_number && *number != 0);
        number.ok_or_else(|| wrong(text, "write a port from 1 to 65535 behind the colon"))
    });
    Ok(NetRule { host, port: port.transpose()? })
}

/// Parses the part before the port, in the rule `text`.
fn named(text: &str, host: &str) -> Result<NetHost, Flaw> {
    if host == "*" {
        return Ok(NetHost::Any);
    }
    if let Some(network) = network(host) {
        return Ok(network);
    }
    let name = host.to_ascii_lowercase();
    let (below, name) = match name.strip_prefix("*.") {
        Some(name) => (true, name),
        None => (false, &*name),
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    // As in URLs, a name that ends in a number is an address. This one is not a valid address.
    let is_numeric =
        name.rsplit('.').next().is_some_and(|label| label.bytes().all(|byte| byte.is_ascii_digit()));
    if is_host_name(name) && !is_numeric {
        return Ok(if below { NetHost::Below(name.to_owned()) } else { NetHost::Name(name.to_owned()) });
    }
    let fix = if !text.is_ascii() {
        "write an international name in its ASCII form (xn--...)"
    } else if text.contains('*') {
        "write \"*.example.com\" for every name below one, or \"*\" for every host"
    } else {
        "write a name such as \"api.example\", an address, or a network such as \"10.0.0.0/8\""
    };
    Err(wrong(text, fix))
}

fn network(text: &str) -> Option<NetHost> {
    let network = parse_network(text)?;
    Some(NetHost::Network { address: network.addr(), prefix: network.prefix_len() })
}

/// Parses an address, or a network as an address and a prefix length.
pub(crate) fn parse_network(text: &str) -> Option<IpNet> {
    let network: IpNet = text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))?;
    let network = match network {
        IpNet::V6(net) => unmapped(net.addr(), net.prefix_len()).map_or(network, IpNet::V4),
        IpNet::V4(_) => network,
    };
    Some(network.trunc())
}

/// Returns the IPv4 network that an IPv4-mapped IPv6 network stands for, because connections are made to IPv4 addresses.
fn unmapped(address: Ipv6Addr, prefix: u8) -> Option<Ipv4Net> {
    Ipv4Net::new(address.to_ipv4_mapped()?, prefix.checked_sub(96)?).ok()
}

fn wrong(text: &str, fix: &str) -> Flaw {
    Flaw::new(format!("{text:?} is no destination"), fix)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use toml::de::DeTable;

    use super::*;
    use crate::config::document::section::Document;

    fn shown(text: &str) -> String {
        match rule(text) {
            Ok(NetRule { host, port }) => {
                let host = match host {
                    NetHost::Any => "any".into(),
                    NetHost::Name(name) => format!("name {name}"),
                    NetHost::Below(name) => format!("below {name}"),
                    NetHost::Network { address, prefix } => format!("{address}/{prefix}"),
                };
                port.map_or(host.clone(), |port| format!("{host} port {port}"))
            }
            Err(flaw) => flaw.to_string(),
        }
    }

    #[test]
    fn every_form_is_read() {
        for (text, expected) in [
            ("*", "any"),
            ("*:443", "any port 443"),
            ("example.com", "name example.com"),
            ("Example.COM.:443", "name example.com port 443"),
            ("localhost:5432", "name localhost port 5432"),
            ("*.example.com", "below example.com"),
            ("*.example.com:80", "below example.com port 80"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("10.1.2.3", "10.1.2.3/32"),
            ("10.1.2.3:80", "10.1.2.3/32 port 80"),
            ("10.0.0.0/8:80", "10.0.0.0/8 port 80"),
            ("::1", "::1/128"),
            ("[::1]", "::1/128"),
            ("[::1]:8080", "::1/128 port 8080"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("[2001:db8::/32]:443", "2001:db8::/32 port 443"),
            ("::ffff:10.0.0.1", "10.0.0.1/32"),
            ("[::ffff:10.0.0.0/104]:80", "10.0.0.0/8 port 80"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn other_forms_are_refused_with_a_fix() {
        let name = "write a name such as \"api.example\", an address, or a network such as \"10.0.0.0/8\"";
        let port = "write a port from 1 to 65535 behind the colon";
        for (text, fix) in [
            ("", name),
            ("10.0.0.0/33", name),
            ("10.1.2.300", name),
            ("a b", name),
            ("example.com/path", name),
            (
                "https://example.com",
                "leave out scheme and path: write the bare name, such as \"api.example\"",
            ),
            ("bücher.example", "write an international name in its ASCII form (xn--...)"),
            ("api.*", "write \"*.example.com\" for every name below one, or \"*\" for every host"),
            ("example.com:", port),
            ("example.com:0", port),
            ("example.com:+80", port),
            ("example.com:65536", port),
            ("[::1", name),
            ("[10.0.0.1]:80", "write an IPv6 address such as \"[::1]:8080\""),
            ("[::1]x", "write an IPv6 address such as \"[::1]:8080\""),
        ] {
            assert_eq!(shown(text), format!("{text:?} is no destination; fix: {fix}"));
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[-*.:/\\[\\]a-z0-9é]{0,24}") {
            let _ = rule(&text);
        }
    }

    #[test]
    fn each_mistake_has_its_line() {
        let many = format!("many = [{}]", "'a',".repeat(bounds::NET_RULES + 1));
        let text = format!("empty = []\nwrong = [\n  'a',\n  'b:x',\n  1,\n]\n{many}");
        let table = DeTable::parse(&text).unwrap();
        let section = Section::top(Document::config("nano.toml", &text), table.get_ref());
        let mut problems = Problems::default();
        assert_eq!(read(&section, "empty", &mut problems), Some(vec![]));
        assert!(problems.is_empty());
        read(&section, "wrong", &mut problems);
        read(&section, "many", &mut problems);
        assert_eq!(
            problems.texts(),
            [
                "nano.toml:4: wrong: \"b:x\" is no destination; fix: write a port from 1 to 65535 behind the colon",
                "nano.toml:5: wrong: expected text, found a whole number; fix: put it in quotes: \"1\"",
                "nano.toml:7: many: has 257 rules, more than 256; fix: name networks or \"*.domains\" instead of \
                 single hosts",
            ]
        );
    }
}
