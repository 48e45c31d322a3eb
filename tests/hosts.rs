//! The host of a request: every request has one host, in one spelling, which selects the app and which the app sees.

use http_body_util::Empty;
use hyper::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};

use crate::TestSupervisor;
use crate::harness::{App, free_address, raw};

fn ask(address: std::net::SocketAddr, host: &[u8]) -> String {
    let mut request = b"GET / HTTP/1.1\r\nconnection: close\r\nhost: ".to_vec();
    request.extend_from_slice(host);
    request.extend_from_slice(b"\r\n\r\n");
    raw::exchange(address, request)
}

#[tokio::test]
async fn what_is_no_host_is_refused() {
    let supervisor = TestSupervisor::plan().app(App::hello("app")).start().await;
    let address = supervisor.address("app").await;
    for host in [
        "x:99999",
        "x:65536",
        "x:-1",
        "x:1:2",
        ":80",
        "[::1",
        "::1",
        "[::1]x",
        "[fe80::1%25eth0]",
        "%zz",
        "ex%61mple.com",
        "256.256.256.256",
        "1.2.3.4.5",
        "a b",
        "a\tb",
        "a@b",
        "u:p@b",
        "a,b",
        "a/b",
        "a?b",
        "a#b",
        "a\\b",
        "a..b",
        ".",
        "xn--a",
        "bücher.example",
        "a\r\nhost: b",
        "a\r\nhost: a",
    ] {
        let answer = ask(address, host.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 400 "), "{host:?}: {answer}");
        assert!(answer.contains("connection: close\r\n"), "{host:?}: {answer}");
    }
    for host in ["x", "x:", "x:0", "X.", "x_y", "1.2.3.4", "[::1]:8080", "xn--bcher-kva"] {
        let answer = ask(address, host.as_bytes());
        assert!(answer.ends_with("hello from app"), "{host:?}: {answer}");
    }
    for request in
        ["GET / HTTP/1.1\r\n\r\n", "GET http://x/ HTTP/1.1\r\n\r\n", "GET x:80 HTTP/1.1\r\nhost: x\r\n\r\n"]
    {
        let answer = raw::exchange(address, request);
        assert!(answer.starts_with("HTTP/1.1 400 "), "{request:?}: {answer}");
    }
}

#[tokio::test]
async fn requests_are_routed_by_the_one_spelling_of_their_host() {
    let port = free_address().port();
    let listen = format!("port = {port}\nhost = '127.0.0.1'\n");
    let app = |name: &str, hosts: &str| App::hello(name).set(&format!("{listen}hosts = [{hosts}]"));
    let supervisor = TestSupervisor::plan()
        .app(app("exact", "'Blog.Example.', 'bücher.example', '0x7f.2', '[0:0::1]'"))
        .app(app("below", "'*.Blog.Example'"))
        .start()
        .await;
    let address = supervisor.address("exact").await;
    for (host, name) in [
        ("blog.example", "exact"),
        ("BLOG.example.", "exact"),
        ("blog.example.:99", "exact"),
        ("XN--bcher-kva.example", "exact"),
        ("127.0.0.2", "exact"),
        ("2130706434", "exact"),
        ("[::1]:80", "exact"),
        ("[::0001]", "exact"),
        ("A.BLOG.Example.", "below"),
    ] {
        let answer = ask(address, host.as_bytes());
        assert!(answer.ends_with(&format!("hello from {name}")), "{host}: {answer}");
    }
    // The host of an absolute target takes precedence over the header field.
    let answer = raw::exchange(
        address,
        "GET http://a.blog.example/ HTTP/1.1\r\nhost: blog.example\r\nconnection: close\r\n\r\n",
    );
    assert!(answer.ends_with("hello from below"), "{answer}");
    assert!(ask(address, b"example").starts_with("HTTP/1.1 404 "));
}

#[tokio::test]
async fn in_http_2_authority_and_host_must_be_the_same() {
    let supervisor = TestSupervisor::with(
        "export default { fetch: (request) => new Response(request.url + request.headers.get('host')) }",
    )
    .await;
    let socket = tokio::net::TcpStream::connect(supervisor.address("app").await).await.unwrap();
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(socket)).await.unwrap();
    tokio::spawn(connection);
    for (authority, host, status) in [
        ("a.example", None, 200),
        ("a.example", Some("A.example:80"), 200),
        ("a.example", Some("b.example"), 400),
        ("a.example", Some("a.example:81"), 400),
        ("a.example", Some("a%2eexample"), 400),
        ("256.256.256.256", None, 400),
    ] {
        let mut request = Request::builder().uri(format!("http://{authority}/"));
        if let Some(host) = host {
            request = request.header("host", host);
        }
        let request = request.body(Empty::<bytes::Bytes>::new()).unwrap();
        let response = client.send_request(request).await.unwrap();
        assert_eq!(response.status(), status, "{authority} and {host:?}");
        let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
        if status == 200 {
            assert_eq!(body, "http://a.example/a.example");
        }
    }
}
