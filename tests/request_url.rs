//! The URL that an app sees is normalized: it equals what `URL` makes of the same text.

use nano_supervisor::api::Kind;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::TestSupervisor;
use crate::harness::{App, Client, Raw, raw};

/// Answers with the URL of the request, and with the same URL parsed by `URL`.
const URLS: &str = "export default { fetch: (request) =>
  Response.json([request.url, new URL(request.url).href, new URL(new Request(request).url).pathname]) }";

/// Returns what an app sees of a request, or the status if the request does not reach it.
fn seen(address: std::net::SocketAddr, target: &[u8], host: &str) -> Result<serde_json::Value, String> {
    let mut request = [b"GET ", target, b" HTTP/1.1\r\nhost: "].concat();
    request.extend_from_slice(host.as_bytes());
    request.extend_from_slice(b"\r\nconnection: close\r\n\r\n");
    let answer = raw::exchange(address, request);
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    match &head[..12] {
        "HTTP/1.1 200" => Ok(serde_json::from_str(body).expect("a body of JSON")),
        status => Err(status[9..].to_owned()),
    }
}

#[tokio::test]
async fn a_request_has_a_serialized_url() {
    let supervisor = TestSupervisor::with(URLS).await;
    let address = supervisor.address("app").await;
    for (target, host, url) in [
        ("/a/../b", "EXAMPLE.com:80", "http://example.com/b"),
        ("/a/b?c=d&e", "example.com:8080", "http://example.com:8080/a/b?c=d&e"),
        ("/", "example.com:443", "http://example.com:443/"),
        ("/", "example.com:00080", "http://example.com/"),
        ("/", "example.com:", "http://example.com/"),
        ("/", "example.com.", "http://example.com./"),
        ("/", "0x7f.1:81", "http://127.0.0.1:81/"),
        ("/", "[0:0::1]:80", "http://[::1]/"),
        ("/", "XN--BCHER-KVA.example", "http://xn--bcher-kva.example/"),
        ("/%2e%2e/x/%2E/y/.%2e/z", "h", "http://h/x/z"),
        ("/a\\b\\..\\c", "h", "http://h/a/c"),
        ("/é?é", "h", "http://h/%C3%A9?%C3%A9"),
        ("//double//slash/./", "h", "http://h//double//slash/"),
        ("/?q='x'", "h", "http://h/?q=%27x%27"),
        ("/a|b{c}^d\";e", "h", "http://h/a|b%7Bc%7D%5Ed%22;e"),
        ("/%zz%2F%20", "h", "http://h/%zz%2F%20"),
        ("/a/..", "h", "http://h/"),
        ("/..", "h", "http://h/"),
        ("/?/../x", "h", "http://h/?/../x"),
        ("/a#b?c", "h", "http://h/a"),
        ("http://other.example/../x?y", "h", "http://other.example/x?y"),
        ("http://OTHER.example:80", "h", "http://other.example/"),
        ("http://other.example?y", "h", "http://other.example/?y"),
    ] {
        let seen = seen(address, target.as_bytes(), host);
        let path = url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).unwrap();
        let path = path.split('?').next().unwrap();
        assert_eq!(seen, Ok(serde_json::json!([url, url, path])), "{target} of {host}");
    }
    for target in [
        "*",
        "example.com:80",
        "example",
        "?q",
        "ftp://h/",
        "http://u@h/",
        "http:///x",
        "/<",
        "/`",
        "/\u{1}",
        "/\u{7f}",
    ] {
        assert_eq!(seen(address, target.as_bytes(), "h"), Err("400".into()), "{target}");
    }
    assert_eq!(seen(address, b"/\xff", "h"), Err("400".into()));
}

#[tokio::test]
async fn the_scheme_and_its_port_are_those_of_a_trusted_proxy() {
    let supervisor =
        TestSupervisor::plan().app(App::new("app", URLS)).flags(&["--forwarded", "append"]).start().await;
    let address = supervisor.address("app").await;
    for (host, proto, url) in [
        ("example.com:443", "https", "https://example.com/"),
        ("example.com:80", "https", "https://example.com:80/"),
        ("example.com:80", "HTTPS, http", "https://example.com/:80"),
        ("example.com:80", "http", "http://example.com/"),
        ("example.com:80", "gopher", "http://example.com/"),
    ] {
        let url = if let Some(url) = url.strip_suffix(":80") {
            url.replace(".com/", ".com:80/")
        } else {
            url.into()
        };
        let request = format!(
            "GET / HTTP/1.1\r\nhost: {host}\r\nx-forwarded-proto: {proto}\r\nconnection: close\r\n\r\n"
        );
        let answer = raw::exchange(address, request);
        assert!(answer.contains(&format!("[\"{url}\",\"{url}\"")), "{host} {proto}: {answer}");
    }
}

#[tokio::test]
async fn options_for_the_server_as_a_whole_has_no_path() {
    let supervisor = TestSupervisor::with(URLS).await;
    let answer = raw::exchange(
        supervisor.address("app").await,
        "OPTIONS * HTTP/1.1\r\nhost: example.com\r\nconnection: close\r\n\r\n",
    );
    assert!(answer.ends_with("[\"http://example.com/\",\"http://example.com/\",\"/\"]"), "{answer}");
}

#[tokio::test]
async fn http_2_has_serialized_urls_too() {
    let supervisor = TestSupervisor::with(URLS).await;
    let address = supervisor.address("app").await;
    let client = Client::new(address, true);
    for (target, url) in [("/a/../b", "/b"), ("/%2e./c?d", "/c?d"), ("/x", "/x")] {
        let url = format!("http://{address}{url}");
        let seen = client.get(target).await.unwrap().json();
        assert_eq!((seen[0].as_str(), seen[1].as_str()), (Some(&*url), Some(&*url)), "{target}");
    }
}

#[tokio::test]
async fn whatever_is_sent_text_and_url_agree() {
    let supervisor = TestSupervisor::with(URLS).await;
    let address = supervisor.address("app").await;
    let part = prop_oneof![
        Just("/".to_owned()),
        Just("..".to_owned()),
        Just("%2e".to_owned()),
        Just("\\".to_owned()),
        Just("?".to_owned()),
        "[!-\"$-~]{1,3}",
        "[a-z0-9%.é]{1,4}",
    ];
    let target = vec(part, 0..8).prop_map(|parts| format!("/{}", parts.concat()));
    let host = prop_oneof![
        "[a-zA-Z0-9.-]{1,12}",
        "[0-9x.]{1,9}",
        "[a-z]{1,6}:[0-9]{0,5}",
        "\\[[0-9a-f:]{2,9}\\]",
        "xn--[a-z0-9-]{1,6}",
    ];
    let mut runner = TestRunner::deterministic();
    let (mut requests, mut answered) = (Vec::new(), 0);
    for _ in 0..600 {
        let target = target.new_tree(&mut runner).unwrap().current();
        let host = host.new_tree(&mut runner).unwrap().current();
        requests.push((target, host));
    }
    let mut connection = Raw::connect(address);
    for (target, host) in requests {
        connection.send(format!("GET {target} HTTP/1.1\r\nhost: {host}\r\n\r\n"));
        let head = connection.up_to("\r\n\r\n");
        if head.starts_with("HTTP/1.1 400 ") {
            connection = Raw::connect(address);
            continue;
        }
        assert!(head.starts_with("HTTP/1.1 200 "), "{target} of {host}: {head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let body = connection.exactly(length.parse().unwrap());
        let seen: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(seen[0], seen[1], "{target} of {host}");
        let kind = |target: &str| Kind::of("GET", target);
        assert_eq!(kind(&target), kind(seen[2].as_str().unwrap()), "{target} of {host}");
        answered += 1;
    }
    assert!(answered > 200, "{answered} of 600 were requests");
}

#[tokio::test]
async fn the_access_log_keeps_the_target_as_it_was_sent() {
    let supervisor =
        TestSupervisor::plan().app(App::new("app", URLS)).flags(&["--access-log=json"]).start().await;
    let seen = seen(supervisor.address("app").await, b"/a/../b%2e?'", "h").unwrap();
    assert_eq!(seen[0], "http://h/b%2e?%27");
    let record = supervisor.log.record_with("/a/../b%2e?'").await;
    assert_eq!(record["status"], 200, "{record}");
    let absolute = "GET http://OTHER.example:80/q HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n";
    assert!(raw::exchange(supervisor.address("app").await, absolute).starts_with("HTTP/1.1 200"));
    supervisor.log.record_with("http://OTHER.example:80/q").await;
}
