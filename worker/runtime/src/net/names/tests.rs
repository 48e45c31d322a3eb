//! Records of name servers, from one on loopback.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use deno_core::serde_json::{Value, json};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::name_server::TokioConnectionProvider;
use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
use hickory_resolver::proto::rr::rdata::{CAA, CNAME, MX, NAPTR, NS, PTR, SOA, SRV, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use hickory_resolver::proto::serialize::binary::BinDecodable as _;
use hickory_resolver::proto::xfer::Protocol;
use nano_protocol::message::{NetHost, NetRule, NetRules};
use tokio::net::UdpSocket;

use super::{Dialer, ask, question, tuned};
use crate::net::policy::Policy;

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

/// What the name server says of a name and a kind.
fn data(asked: &str, kind: RecordType) -> Result<Vec<RData>, ResponseCode> {
    let host = || name("host.example.");
    Ok(match (asked, kind) {
        ("a.example.", RecordType::A) => vec![
            RData::CNAME(CNAME(host())),
            RData::A(Ipv4Addr::new(192, 0, 2, 1).into()),
            RData::A(Ipv4Addr::new(192, 0, 2, 2).into()),
        ],
        ("a.example.", RecordType::AAAA) => vec![RData::AAAA(Ipv6Addr::LOCALHOST.into())],
        ("a.example.", RecordType::CNAME) => vec![RData::CNAME(CNAME(host()))],
        ("a.example.", RecordType::NS) => vec![RData::NS(NS(host()))],
        ("a.example.", RecordType::MX) => vec![RData::MX(MX::new(10, host()))],
        ("a.example.", RecordType::TXT) => {
            vec![
                RData::TXT(TXT::new(vec!["v=a \"b\"".to_owned(), "c".to_owned()])),
                RData::TXT(TXT::from_bytes(vec![b"\xff"])),
            ]
        }
        ("a.example.", RecordType::SRV) => vec![RData::SRV(SRV::new(1, 2, 3, host()))],
        ("a.example.", RecordType::SOA) => {
            vec![RData::SOA(SOA::new(host(), name("admin.example."), 1, 2, 3, 4, 5))]
        }
        ("a.example.", RecordType::CAA) => {
            vec![RData::CAA(CAA::new_issue(true, Some(name("ca.example")), Vec::new()))]
        }
        ("a.example.", RecordType::NAPTR) => {
            let [flags, service, regexp] =
                ["U", "E2U+sip", "!^.*$!sip:a@b!"].map(|text| text.as_bytes().into());
            vec![RData::NAPTR(NAPTR::new(1, 2, flags, service, regexp, Name::root()))]
        }
        ("1.2.0.192.in-addr.arpa.", RecordType::PTR) => vec![RData::PTR(PTR(host()))],
        ("a.example.", _) => Vec::new(),
        ("failing.example.", _) => return Err(ResponseCode::ServFail),
        ("refused.example.", _) => return Err(ResponseCode::Refused),
        _ => return Err(ResponseCode::NXDomain),
    })
}

/// Answers queries until the test ends.
async fn name_server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut bytes = [0; 4096];
        while let Ok((length, client)) = socket.recv_from(&mut bytes).await {
            let asked = Message::from_bytes(&bytes[..length]).unwrap();
            let query = asked.queries()[0].clone();
            let mut reply = Message::new();
            reply.set_id(asked.id()).set_message_type(MessageType::Response).set_recursion_available(true);
            reply.add_query(query.clone());
            match data(&query.name().to_ascii(), query.query_type()) {
                Ok(found) => {
                    let mut of = query.name().clone();
                    for data in found {
                        let next =
                            if let RData::CNAME(CNAME(alias)) = &data { alias.clone() } else { of.clone() };
                        reply.add_answer(Record::from_rdata(of, 60, data));
                        of = next;
                    }
                }
                Err(code) => {
                    reply.set_response_code(code);
                }
            }
            socket.send_to(&reply.to_vec().unwrap(), client).await.unwrap();
        }
    });
    address
}

fn resolver(server: SocketAddr) -> TokioResolver {
    let mut config = ResolverConfig::new();
    config.add_name_server(NameServerConfig::new(server, Protocol::Udp));
    tuned(TokioResolver::builder_with_config(config, TokioConnectionProvider::default()))
}

fn dialer(allow: Option<&[NetHost]>, deny: &[NetHost]) -> Dialer {
    let rules = |hosts: &[NetHost]| {
        hosts.iter().map(|host| NetRule { host: host.clone(), port: None }).collect::<Vec<_>>()
    };
    Dialer::new(Policy::new(NetRules { allow: allow.map(rules), deny: rules(deny) }), 8)
}

#[tokio::test]
async fn records_are_told_as_node_tells_them() {
    let resolver = resolver(name_server().await);
    let dialer = dialer(None, &[]);
    let told = async |asked: &str, kind: RecordType| -> Value {
        match ask(&resolver, question(&dialer, asked, kind).unwrap(), kind).await {
            Ok(records) => {
                assert!(records.iter().all(|(time, _)| *time == 60), "{records:?}");
                records.into_iter().map(|(_, data)| data).collect()
            }
            Err(error) => json!(error.code),
        }
    };
    let expected = [
        (RecordType::A, json!(["192.0.2.1", "192.0.2.2"])),
        (RecordType::AAAA, json!(["::1"])),
        (RecordType::CNAME, json!(["host.example"])),
        (RecordType::NS, json!(["host.example"])),
        (RecordType::MX, json!([{ "exchange": "host.example", "priority": 10 }])),
        (RecordType::TXT, json!([["v=a \"b\"", "c"], ["\u{fffd}"]])),
        (RecordType::SRV, json!([{ "priority": 1, "weight": 2, "port": 3, "name": "host.example" }])),
        (
            RecordType::SOA,
            json!([{ "nsname": "host.example", "hostmaster": "admin.example", "serial": 1, "refresh": 2, "retry": 3, "expire": 4, "minttl": 5 }]),
        ),
        (RecordType::CAA, json!([{ "critical": 128, "issue": "ca.example" }])),
        (
            RecordType::NAPTR,
            json!([{ "flags": "U", "service": "E2U+sip", "regexp": "!^.*$!sip:a@b!", "replacement": "", "order": 1, "preference": 2 }]),
        ),
        (RecordType::PTR, json!([])),
    ];
    for (kind, expected) in expected {
        assert_eq!(told("A.example.", kind).await, expected, "{kind}");
    }
    assert_eq!(told("192.0.2.1", RecordType::PTR).await, json!(["host.example"]));
    assert_eq!(told("none.example", RecordType::A).await, json!([]));
    assert_eq!(told("failing.example", RecordType::A).await, json!("ESERVFAIL"));
    assert_eq!(told("refused.example", RecordType::A).await, json!("EREFUSED"));
}

#[test]
fn only_names_that_the_rules_know_are_asked_for() {
    let code = |dialer: &Dialer, asked: &str, kind| question(dialer, asked, kind).map_err(|error| error.code);
    let denied = NetHost::Name("denied.example".into());
    let open = dialer(None, std::slice::from_ref(&denied));
    for asked in ["denied.example", "DENIED.example..", "denied.example."] {
        assert_eq!(code(&open, asked, RecordType::TXT), Err("EACCES"), "{asked}");
    }
    // Escapes of labels, other texts, and what is too long.
    for asked in ["\\100enied.example", "a b", "a\0b", "denied\\.example", "a..b", &"a".repeat(64)] {
        assert_eq!(code(&open, asked, RecordType::TXT), Err("EBADNAME"), "{asked:?}");
    }
    assert_eq!(code(&open, "bücher.example", RecordType::A), Ok(name("xn--bcher-kva.example.")));
    let one = NetHost::Name("one.example".into());
    let closed = dialer(Some(std::slice::from_ref(&one)), &[]);
    assert_eq!(code(&closed, "one.example", RecordType::MX), Ok(name("one.example.")));
    assert_eq!(code(&closed, "secret.other.example", RecordType::A), Err("EACCES"));
    assert_eq!(code(&closed, "192.0.2.1", RecordType::PTR), Err("EACCES"));
    assert_eq!(code(&closed, "1.2.0.192.in-addr.arpa", RecordType::PTR), Err("EACCES"));
    let network = NetHost::Network { address: Ipv4Addr::new(192, 0, 2, 0).into(), prefix: 24 };
    let within = dialer(Some(std::slice::from_ref(&network)), &[]);
    assert_eq!(code(&within, "192.0.2.1", RecordType::PTR), Ok(name("1.2.0.192.in-addr.arpa.")));
    assert_eq!(code(&within, "192.0.3.1", RecordType::PTR), Err("EACCES"));
}
