//! What an app learns about its client: from the connection or from a trusted proxy, never from the fields of a stranger.

use bytes::Bytes;
use http_body_util::Empty;

use crate::TestSupervisor;
use crate::harness::{App, Client, Raw, raw};

/// Answers with the URL, the header fields and `cf` of the request.
const MIRROR: &str = "export default { fetch: (request) => Response.json({
  url: request.url, headers: Object.fromEntries(request.headers), cf: request.cf,
}) }";

/// Returns what the app sees of a request with these lines in its head.
fn seen(address: std::net::SocketAddr, lines: impl AsRef<[u8]>) -> serde_json::Value {
    let head = b"GET /path HTTP/1.1\r\nhost: blog.example\r\nconnection: close, host\r\n";
    let answer = raw::exchange(address, [head, lines.as_ref(), b"\r\n"].concat());
    serde_json::from_str(answer.split_once("\r\n\r\n").expect("a head").1).expect("a body of JSON")
}

async fn mirror(flags: &[&str]) -> TestSupervisor {
    TestSupervisor::plan().app(App::new("app", MIRROR)).flags(flags).start().await
}

#[tokio::test]
async fn a_stranger_says_nothing_of_itself() {
    let supervisor = mirror(&[]).await;
    let address = supervisor.address("app").await;
    let names = [
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-server",
        "x-forwarded-prefix",
        "forwarded",
        "x-real-ip",
        "true-client-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "fastly-client-ip",
        "cf-connecting-ip",
        "cf-connecting-ipv6",
        "cf-pseudo-ipv4",
        "cf-ray",
        "cf-visitor",
        "cf-ipcountry",
        "cf-ipcity",
        "cf-worker",
        "cf-access-authenticated-user-email",
        "x-amzn-tls-version",
    ];
    let lines: String = names.iter().map(|name| format!("{name}: 6.6.6.6\r\n")).collect();
    let seen = seen(address, &(lines + "cf-turnstile-response: token\r\nvia: 1.1 a\r\nvia: 1.1 b\r\n"));
    let mut headers = seen["headers"].as_object().unwrap().clone();
    let id = headers.remove("x-request-id").unwrap();
    assert_eq!(id.as_str().map(str::len), Some(32));
    let expected = serde_json::json!({
        "host": "blog.example", "x-forwarded-for": "127.0.0.1", "x-forwarded-host": "blog.example",
        "x-forwarded-proto": "http", "cf-connecting-ip": "127.0.0.1", "x-real-ip": "127.0.0.1",
        "cf-turnstile-response": "token", "via": "1.1 a, 1.1 b",
    });
    assert_eq!(serde_json::Value::Object(headers), expected);
    assert_eq!(seen["cf"], serde_json::json!({ "httpProtocol": "HTTP/1.1" }));
}

#[tokio::test]
async fn every_line_of_a_trusted_proxy_is_kept_in_order() {
    let supervisor = mirror(&["--forwarded", "append"]).await;
    let address = supervisor.address("app").await;
    let first = seen(
        address,
        "x-forwarded-for: 6.6.6.6\r\nx-other: 1\r\nx-forwarded-for: 1.1.1.1, 2.2.2.2\r\n\
         forwarded: for=6.6.6.6\r\nforwarded: for=2.2.2.2;proto=https\r\n\
         x-forwarded-proto: https\r\nx-forwarded-proto: http\r\nx-forwarded-host: a.example\r\nx-forwarded-host: b\r\n\
         cf-connecting-ip: 7.7.7.7\r\nx-real-ip: 7.7.7.7\r\n",
    );
    let headers = &first["headers"];
    assert_eq!(headers["x-forwarded-for"], "6.6.6.6, 1.1.1.1, 2.2.2.2, 127.0.0.1");
    assert_eq!(headers["forwarded"], "for=6.6.6.6, for=2.2.2.2;proto=https, for=127.0.0.1;proto=http");
    assert_eq!(headers["x-forwarded-proto"], "https");
    assert_eq!(headers["x-forwarded-host"], "a.example, b");
    // The address that the proxy itself has seen counts, not what its client claims.
    assert_eq!((&headers["cf-connecting-ip"], &headers["x-real-ip"]), (&"2.2.2.2".into(), &"2.2.2.2".into()));
    assert_eq!(first["url"], "https://blog.example/path");
    // Invalid bytes do not hide an address.
    let bytes = &b"x-forwarded-for: 1.1.1.1\r\nx-forwarded-for: \xff, 3.3.3.3\r\nforwarded: \xff\r\n"[..];
    let headers = &seen(address, bytes)["headers"];
    assert_eq!(headers["cf-connecting-ip"], "3.3.3.3");
    assert_eq!(headers["x-forwarded-for"], "1.1.1.1, \u{ff}, 3.3.3.3, 127.0.0.1");
    assert_eq!(headers["forwarded"], "\u{ff}, for=127.0.0.1;proto=http");
    for (lines, client) in [
        ("", "127.0.0.1"),
        ("x-forwarded-for: unknown\r\n", "127.0.0.1"),
        ("x-forwarded-for: 1.1.1.1:80\r\n", "1.1.1.1"),
        ("x-forwarded-for: [2001:DB8::1]:80\r\n", "2001:db8::1"),
    ] {
        let headers = &seen(address, lines)["headers"];
        assert_eq!(
            (&headers["cf-connecting-ip"], &headers["forwarded"]),
            (&client.into(), &().into()),
            "{lines}"
        );
    }
}

#[tokio::test]
async fn proxies_that_are_named_are_passed_over_and_others_are_clients() {
    let flags = ["--forwarded", "127.0.0.1,10.0.0.0/8,2001:db8::/32", "--access-log=json"];
    let supervisor = mirror(&flags).await;
    let address = supervisor.address("app").await;
    let lines = "x-forwarded-for: 6.6.6.6, 1.2.3.4\r\nx-forwarded-for: 10.0.0.3, [2001:db8::7]:80\r\nx-forwarded-proto: https\r\n\
                 cf-connecting-ip: 7.7.7.7\r\n";
    let id = "0123456789abcdef0123456789abcdef";
    let told = seen(address, format!("{lines}x-request-id: {id}\r\n"));
    let headers = &told["headers"];
    for (name, value) in [
        ("cf-connecting-ip", "1.2.3.4"),
        ("x-real-ip", "1.2.3.4"),
        ("x-forwarded-for", "6.6.6.6, 1.2.3.4, 10.0.0.3, [2001:db8::7]:80, 127.0.0.1"),
        ("x-request-id", id),
    ] {
        assert_eq!(headers[name], value, "{name}");
    }
    assert_eq!(told["url"], "https://blog.example/path");
    let record = supervisor.log.record_with(id).await;
    assert_eq!((&record["client"], &record["peer"]), (&"1.2.3.4".into(), &"127.0.0.1".into()));
    // An address that is not listed as a proxy is a client, whose header fields are ignored.
    let head = format!("GET /other HTTP/1.1\r\nhost: blog.example\r\nconnection: close\r\n{lines}\r\n");
    let answer = Raw::from([127, 0, 0, 2], address).send(head).rest();
    let told: serde_json::Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let headers = &told["headers"];
    for name in ["cf-connecting-ip", "x-real-ip", "x-forwarded-for"] {
        assert_eq!(headers[name], "127.0.0.2", "{name}");
    }
    assert_eq!(told["url"], "http://blog.example/other");
    let record = supervisor.log.record_with("/other").await;
    assert_eq!((&record["client"], &record["peer"]), (&"127.0.0.2".into(), &"127.0.0.2".into()));
}

#[tokio::test]
async fn only_a_trusted_proxy_names_requests() {
    let id = "0123456789abcdef0123456789abcdef";
    for (flags, is_kept) in [(&[][..], false), (&["--forwarded", "append"], true)] {
        let supervisor = mirror(flags).await;
        let seen = seen(supervisor.address("app").await, format!("x-request-id: {id}\r\n"));
        assert_eq!(seen["headers"]["x-request-id"] == id, is_kept, "{flags:?}: {seen}");
    }
}

#[tokio::test]
async fn cf_has_what_a_trusted_proxy_knows_and_stays_with_copies() {
    let app = "export default { fetch: (request) => {
      request.cf.own = { deep: 1 };
      const copy = new Request(request);
      copy.cf.own.deep = 2;
      return Response.json([request.cf, copy.cf.own.deep, request.clone().cf.own.deep, request.cf === request.cf]);
    } }";
    let supervisor =
        TestSupervisor::plan().app(App::new("app", app)).flags(&["--forwarded", "append"]).start().await;
    let seen = seen(
        supervisor.address("app").await,
        "cf-ipcountry: DE\r\ncf-ray: 8f1c2d3e4f5a6b7c-FRA\r\ncf-timezone: Europe/Berlin\r\nx-amzn-tls-version: TLSv1.3\r\n",
    );
    let expected = serde_json::json!([
        {
            "httpProtocol": "HTTP/1.1", "country": "DE", "colo": "FRA", "timezone": "Europe/Berlin",
            "tlsVersion": "TLSv1.3", "own": { "deep": 1 },
        },
        2, 1, true,
    ]);
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn pieces_of_a_cookie_are_one_cookie() {
    let supervisor =
        TestSupervisor::plan().app(App::new("app", MIRROR)).set("max_headers = 10").start().await;
    let address = supervisor.address("app").await;
    let client = Client::new(address, true);
    let mut request = client.request("GET", "/");
    let mut whole = Vec::new();
    for number in 0..20 {
        request = request.header("cookie", format!("c{number}={number}"));
        whole.push(format!("c{number}={number}"));
    }
    // More values in one field than a request may have fields.
    let reply = client.send(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
    let seen_there = reply.json();
    assert_eq!(seen_there["headers"]["cookie"], whole.join("; "));
    assert_eq!(seen_there["cf"]["httpProtocol"], "HTTP/2");
    let seen_here = seen(address, "cookie: a=1\r\nx-other: 1\r\ncookie: b=2\r\ncookie: c=\"3, 4\"\r\n");
    assert_eq!(seen_here["headers"]["cookie"], "a=1; b=2; c=\"3, 4\"");
    let seen_once = seen(address, "cookie: a=1; b=2\r\n");
    assert_eq!(seen_once["headers"]["cookie"], "a=1; b=2");
}
