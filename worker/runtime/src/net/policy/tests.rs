//! Rules and destinations, both in the notation that people use.

use std::net::IpAddr;

use nano_protocol::message::{NetHost, NetRule, NetRules};

use super::Policy;

/// Parses `host`, `host:port`, `*`, `*.parent`, `network/prefix`, `[address]:port`.
fn rule(text: &str) -> NetRule {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port.parse().ok()),
        _ => (text, None),
    };
    let host = host.trim_matches(['[', ']']);
    let (address, prefix) = host.split_once('/').unwrap_or((host, ""));
    let host = match address.parse::<IpAddr>() {
        Ok(address) => {
            let whole = if address.is_ipv4() { 32 } else { 128 };
            NetHost::Network { address, prefix: prefix.parse().unwrap_or(whole) }
        }
        Err(_) if host == "*" => NetHost::Any,
        Err(_) => match host.strip_prefix("*.") {
            Some(parent) => NetHost::Below(parent.to_owned()),
            None => NetHost::Name(host.to_owned()),
        },
    };
    NetRule { host, port }
}

fn policy(allow: Option<&[&str]>, deny: &[&str]) -> Policy {
    let rules = |texts: &[&str]| texts.iter().map(|text| rule(text)).collect();
    Policy::new(NetRules { allow: allow.map(rules), deny: rules(deny) })
}

/// Returns `""` if the destination is allowed, otherwise the reason why it is not.
fn verdict(policy: &Policy, name: &str, address: &str, port: u16) -> String {
    let name = (!name.is_empty()).then_some(name);
    let looked_up = name.map_or(Ok(()), |name| policy.check_name(name, port));
    let checked = looked_up.and_then(|()| policy.check(name, address.parse().unwrap(), port));
    checked.err().map(|refusal| refusal.to_string()).unwrap_or_default()
}

#[test]
fn everything_is_open_by_default_but_what_is_guarded() {
    let open = policy(None, &[]);
    for address in [
        "1.1.1.1",
        "10.0.0.1",
        "192.168.1.1",
        "127.0.0.1",
        "0.0.0.0",
        "::1",
        "::",
        "fd00::1",
        "2606:4700::1111",
        "169.253.255.255",
        "169.255.0.0",
        "100.100.100.201",
        "::ffff:10.0.0.1",
        "64:ff9b::101:101",
        "fec0::1",
    ] {
        assert_eq!(verdict(&open, "", address, 80), "", "{address}");
        assert_eq!(verdict(&open, "any.example", address, 443), "", "{address}");
    }
}

#[test]
fn guarded_addresses_are_refused_in_every_form_and_under_every_name() {
    let policies = [
        policy(None, &[]),
        policy(Some(&["*"]), &[]),
        policy(Some(&["evil.example", "0.0.0.0/0", "::/0"]), &[]),
    ];
    for (address, what) in [
        ("169.254.169.254", "link-local"),
        ("169.254.0.1", "link-local"),
        ("fe80::1", "link-local"),
        ("febf:ffff::1", "link-local"),
        ("::ffff:169.254.169.254", "link-local"),
        ("::169.254.169.254", "link-local"),
        ("::ffff:0:169.254.169.254", "link-local"),
        ("64:ff9b::a9fe:a9fe", "link-local"),
        ("64:ff9b:1::a9fe:a9fe", "link-local"),
        ("64:ff9b:1:2:3:4:a9fe:a9fe", "link-local"),
        ("2002:a9fe:a9fe::1", "link-local"),
        ("100.100.100.200", "a cloud's metadata service"),
        ("::ffff:100.100.100.200", "a cloud's metadata service"),
        ("168.63.129.16", "a cloud's metadata service"),
        ("2002:a83f:8110::", "a cloud's metadata service"),
        ("fd00:ec2::254", "a cloud's metadata service"),
        ("fd00:ec2::23", "a cloud's metadata service"),
        ("fd20:ce::254", "a cloud's metadata service"),
        ("fd00:c1::a9fe:a9fe", "a cloud's metadata service"),
        ("fd00:42::42", "a cloud's metadata service"),
    ] {
        let address: IpAddr = address.parse().unwrap();
        for policy in &policies {
            let why = format!("is {what}, which apps may not reach; allow it with allow_net");
            assert_eq!(
                policy.check(None, address, 80).unwrap_err().to_string(),
                format!("{address} {why}"),
                "{policy:?}"
            );
            assert_eq!(
                policy.check(Some("evil.example"), address, 80).unwrap_err().to_string(),
                format!("evil.example ({address}) {why}"),
            );
        }
    }
}

#[test]
fn only_a_rule_for_the_guarded_address_or_its_network_opens_it() {
    let one = policy(Some(&["*", "169.254.169.254:80"]), &[]);
    assert_eq!(verdict(&one, "", "169.254.169.254", 80), "");
    assert_eq!(verdict(&one, "metadata.example", "169.254.169.254", 80), "");
    assert_eq!(verdict(&one, "", "::ffff:169.254.169.254", 80), "");
    assert!(verdict(&one, "", "169.254.169.254", 81).contains("link-local"));
    assert!(verdict(&one, "", "169.254.169.253", 80).contains("link-local"));
    let network = policy(Some(&["169.254.0.0/16", "fe80::/10", "fd00:ec2::254"]), &[]);
    for address in ["169.254.1.1", "fe80::7", "fd00:ec2::254", "64:ff9b::a9fe:101"] {
        assert_eq!(verdict(&network, "", address, 80), "", "{address}");
    }
    assert!(verdict(&network, "", "fd00:ec2::23", 80).contains("metadata"));
    // A wider network may have been allowed for its other addresses.
    let around = policy(Some(&["100.64.0.0/10", "fd00::/8"]), &[]);
    assert_eq!(verdict(&around, "", "100.64.0.1", 80), "");
    assert!(verdict(&around, "", "100.100.100.200", 80).contains("metadata"));
    assert!(verdict(&around, "", "fd00:ec2::254", 80).contains("metadata"));
    // `deny` takes precedence.
    let denied = policy(Some(&["169.254.169.254"]), &["169.254.0.0/16"]);
    assert_eq!(verdict(&denied, "", "169.254.169.254", 80), "169.254.169.254:80 is denied by deny_net");
}

#[test]
fn a_list_of_what_is_allowed_closes_the_rest() {
    let listed =
        policy(Some(&["api.example:443", "*.shop.example", "10.0.0.0/8", "[2001:db8::1]:5432"]), &[]);
    for (name, address, port) in [
        ("api.example", "1.2.3.4", 443),
        ("api.example", "127.0.0.1", 443),
        ("eu.shop.example", "1.2.3.4", 8080),
        ("a.b.shop.example", "::1", 80),
        ("", "10.255.255.255", 1),
        ("other.example", "10.1.1.1", 80),
        ("", "::ffff:10.0.0.1", 80),
        ("", "64:ff9b::a00:1", 80),
        ("", "2001:db8::1", 5432),
    ] {
        assert_eq!(verdict(&listed, name, address, port), "", "{name} {address} {port}");
    }
    for (name, address, port, target) in [
        ("api.example", "1.2.3.4", 80, "api.example:80 (1.2.3.4)"),
        ("shop.example", "1.2.3.4", 80, "shop.example:80 (1.2.3.4)"),
        ("evilshop.example", "1.2.3.4", 80, "evilshop.example:80 (1.2.3.4)"),
        ("api.example.evil", "1.2.3.4", 443, "api.example.evil:443 (1.2.3.4)"),
        ("", "1.2.3.4", 443, "1.2.3.4:443"),
        ("", "11.0.0.0", 443, "11.0.0.0:443"),
        ("", "2001:db8::1", 5433, "[2001:db8::1]:5433"),
        ("", "127.0.0.1", 443, "127.0.0.1:443"),
    ] {
        let why = format!("{target} is not among what allow_net allows");
        assert_eq!(verdict(&listed, name, address, port), why);
    }
    assert!(verdict(&policy(Some(&[]), &[]), "", "127.0.0.1", 80).contains("allow_net"));
}

#[test]
fn names_out_of_reach_are_not_even_looked_up() {
    let names = policy(Some(&["api.example", "*.shop.example:443"]), &[]);
    for (name, port, looked_up) in [
        ("api.example", 80, true),
        ("eu.shop.example", 443, true),
        ("eu.shop.example", 80, false),
        ("secret.evil.example", 443, false),
    ] {
        assert_eq!(names.check_name(name, port).is_ok(), looked_up, "{name}:{port}");
    }
    assert_eq!(
        names.check_name("evil.example", 80).unwrap_err().to_string(),
        "evil.example:80 is not among what allow_net allows"
    );
    // Any name might resolve into an allowed network.
    assert!(policy(Some(&["10.0.0.0/8:80"]), &[]).check_name("any.example", 80).is_ok());
    assert!(policy(Some(&["10.0.0.0/8:80"]), &[]).check_name("any.example", 81).is_err());
    let denied = policy(None, &["evil.example", "*:25"]);
    assert_eq!(
        denied.check_name("evil.example", 80).unwrap_err().to_string(),
        "evil.example:80 is denied by deny_net"
    );
    assert!(denied.check_name("good.example", 25).is_err());
    assert!(denied.check_name("good.example", 80).is_ok());
}

#[test]
fn what_is_denied_stays_denied() {
    let denied =
        policy(Some(&["*"]), &["127.0.0.0/8", "::1", "10.0.0.0/8:22", "db.example", "*.internal", "*:25"]);
    for (name, address, port) in [
        ("", "127.0.0.1", 80),
        ("", "127.8.9.10", 80),
        ("", "0.0.0.0", 80),
        ("", "::", 80),
        ("", "::1", 80),
        ("", "::ffff:127.0.0.1", 80),
        ("", "::ffff:0.0.0.0", 80),
        ("", "64:ff9b::7f00:1", 80),
        ("", "2002:7f00:1::", 80),
        ("rebound.example", "127.0.0.1", 80),
        ("rebound.example", "::1", 443),
        ("", "10.1.2.3", 22),
        ("host.example", "10.1.2.3", 22),
        ("db.example", "1.2.3.4", 5432),
        ("a.internal", "1.2.3.4", 80),
        ("mail.example", "1.2.3.4", 25),
        ("", "1.2.3.4", 25),
    ] {
        assert!(verdict(&denied, name, address, port).contains("deny_net"), "{name} {address} {port}");
    }
    for (name, address, port) in [
        ("", "10.1.2.3", 80),
        ("xdb.example", "1.2.3.4", 5432),
        ("internal", "1.2.3.4", 80),
        ("", "128.0.0.1", 80),
    ] {
        assert_eq!(verdict(&denied, name, address, port), "", "{name} {address} {port}");
    }
    assert_eq!(
        verdict(&denied, "rebound.example", "127.0.0.1", 80),
        "rebound.example:80 (127.0.0.1) is denied by deny_net"
    );
}

#[test]
fn rules_may_name_ipv4_networks_in_their_ipv6_form() {
    let mapped = policy(None, &["::ffff:10.0.0.0/104", "::ffff:192.168.0.1"]);
    for address in ["10.9.8.7", "::ffff:10.9.8.7", "192.168.0.1"] {
        assert!(verdict(&mapped, "", address, 80).contains("deny_net"), "{address}");
    }
    assert_eq!(verdict(&mapped, "", "11.0.0.1", 80), "");
    assert_eq!(verdict(&mapped, "", "192.168.0.2", 80), "");
}

#[test]
fn a_name_may_be_looked_up_if_some_port_of_it_may_be_reached() {
    let looked_up = |policy: &Policy, name: &str| {
        policy.check_lookup(name).err().map(|refusal| refusal.to_string()).unwrap_or_default()
    };
    let denying = policy(None, &["a.example", "b.example:443", "*.c.example"]);
    assert_eq!(looked_up(&denying, "a.example"), "a.example is denied by deny_net");
    assert_eq!(looked_up(&denying, "b.example"), "");
    assert_eq!(looked_up(&denying, "x.c.example"), "x.c.example is denied by deny_net");
    let allowing = policy(Some(&["a.example:443"]), &["b.example"]);
    assert_eq!(looked_up(&allowing, "a.example"), "");
    assert_eq!(looked_up(&allowing, "c.example"), "c.example is not among what allow_net allows");
    // A network may hold any name.
    assert_eq!(looked_up(&policy(Some(&["192.0.2.0/24:5432"]), &[]), "c.example"), "");
    let of = |policy: &Policy, address: &str| {
        let checked = policy.check_lookup_of(address.parse().unwrap());
        checked.err().map(|refusal| refusal.to_string()).unwrap_or_default()
    };
    assert_eq!(of(&policy(None, &["192.0.2.0/24"]), "192.0.2.1"), "192.0.2.1 is denied by deny_net");
    assert_eq!(of(&policy(None, &["192.0.2.0/24:25"]), "192.0.2.1"), "");
    assert!(of(&policy(None, &[]), "169.254.169.254").contains("link-local"));
}
