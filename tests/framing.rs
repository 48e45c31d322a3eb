//! Where a request ends: if the end of a body could be read in two ways, the body never decides about the next request.

use crate::TestSupervisor;
use crate::harness::{App, Raw, raw};

/// Answers with the path, and with the body if the path asks for it.
const PATHS: &str = "export default { async fetch(request) {
  const { pathname } = new URL(request.url);
  return new Response(pathname + (pathname === '/unread' ? '' : await request.text()) + ';');
} }";

const NEXT: &str = "GET /next HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

/// Returns status and body of every answer to bytes that end with [`NEXT`].
fn answers(address: std::net::SocketAddr, bytes: &str) -> String {
    let all = raw::exchange(address, format!("{bytes}{NEXT}"));
    let mut answers = String::new();
    for answer in all.split("HTTP/1.1 ").skip(1) {
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        answers += &head[..3];
        answers += if &head[..3] == "200" { body } else { ";" };
    }
    answers
}

#[tokio::test]
async fn a_body_is_coded_in_chunks_or_not_at_all() {
    let supervisor = TestSupervisor::with(PATHS).await;
    let address = supervisor.address("app").await;
    for (coding, expected) in [
        ("chunked", "200/hi;200/next;"),
        ("Chunked", "200/hi;200/next;"),
        ("gzip, chunked", "400;"),
        ("chunked, chunked", "400;"),
        ("identity, chunked", "400;"),
        (",chunked", "400;"),
        ("identity", "400;"),
        ("chunked, identity", "400;"),
        ("gzip", "400;"),
        ("xchunked", "400;"),
        ("chunked;q=1", "400;"),
        ("chunked\r\ntransfer-encoding: chunked", "400;"),
        ("identity\r\ntransfer-encoding: chunked", "400;"),
        // With both fields, the chunks count and the connection is closed (RFC 9112, 6.1).
        ("chunked\r\ncontent-length: 99", "200/hi;"),
    ] {
        let request =
            format!("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: {coding}\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
        assert_eq!(answers(address, &request), expected, "{coding}");
    }
    let old = raw::exchange(
        address,
        "POST / HTTP/1.0\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    );
    assert!(old.starts_with("HTTP/1.1 400 ") || old.starts_with("HTTP/1.0 400 "), "{old}");
}

#[tokio::test]
async fn what_follows_a_body_with_trailers_is_no_request() {
    let supervisor = TestSupervisor::with(PATHS).await;
    let address = supervisor.address("app").await;
    let hidden = "GET /hidden HTTP/1.1\r\nhost: x\r\n\r\n";
    let many: String = (0..300).map(|number| format!("x-{number}: y\r\n")).collect();
    let long = format!("x: {}\r\n", "y".repeat(20_000));
    for (trailers, expected) in [
        ("\r\n", &["200/hi;200/next;"][..]),
        ("x-trailer: 1\r\n\r\n", &["200/hi;"]),
        ("content-length: 99\r\ntransfer-encoding: gzip\r\nhost: evil\r\n\r\n", &["200/hi;"]),
        ("no field\r\n\r\n", &["400;"]),
        (": empty name\r\n\r\n", &["400;"]),
        ("a b: space\r\n\r\n", &["400;"]),
        (hidden, &["400;"]),
        // Blank lines that only some parsers accept as the end.
        (&format!("\n{hidden}"), &["400;"]),
        (&format!("a: b\n\n{hidden}"), &["200/hi;"]),
        (&format!("{many}\r\n"), &["400;"]),
        (&format!("{long}\r\n"), &["400;"]),
    ] {
        let chunks = |path: &str| {
            format!(
                "POST {path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n{trailers}"
            )
        };
        let answered = answers(address, &chunks("/"));
        assert!(expected.contains(&&*answered), "{:?}: {answered}", &trailers[..trailers.len().min(40)]);
        // An app that does not read the body may answer before its end is seen. Then no other answer follows.
        let answered = answers(address, &chunks("/unread"));
        let is_whole = trailers == "\r\n";
        let may_be = ["200/unread;", "400;", if is_whole { "200/unread;200/next;" } else { "" }];
        assert!(may_be.contains(&&*answered), "{:?}: {answered}", &trailers[..trailers.len().min(40)]);
    }
}

#[tokio::test]
async fn what_follows_a_body_in_chunks_after_a_refusal_is_no_request() {
    let supervisor = TestSupervisor::with(PATHS).await;
    let address = supervisor.address("app").await;
    let long = format!("/{}", "a".repeat(10_000));
    for (start, coding, status) in [
        (format!("POST {long}"), "chunked", "414"),
        (format!("POST {long}"), "gzip, chunked", "400"),
        ("CONNECT x:80".to_owned(), "chunked", "405"),
        ("POST *".to_owned(), "chunked", "400"),
    ] {
        // The rest of the body comes after the response.
        let mut connection = Raw::connect(address);
        connection.send(format!("{start} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: {coding}\r\n\r\n"));
        let answer = connection.up_to("\r\n\r\n");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
        connection.try_send(format!("2\r\nhi\r\n0\r\na: b\n\n{NEXT}"));
        assert!(!connection.rest().contains("HTTP/1.1"), "{start} {coding}");
    }
}

#[tokio::test]
async fn a_connection_is_kept_after_a_body_in_chunks() {
    let supervisor = TestSupervisor::with(PATHS).await;
    let mut connection = Raw::connect(supervisor.address("app").await);
    for _ in 0..3 {
        connection
            .send("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
        let head = connection.up_to("\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 200 ") && !head.contains("connection: close"), "{head}");
        assert_eq!(connection.exactly(4), b"/hi;");
    }
}

#[tokio::test]
async fn a_connection_is_kept_after_a_body_that_nobody_read() {
    let supervisor =
        TestSupervisor::plan().app(App::new("app", PATHS).set("max_body = \"1MiB\"\nhosts = [\"x\"]"));
    let supervisor = supervisor.start().await;
    let address = supervisor.address("app").await;
    let body = "x".repeat(300_000);
    let head = |path: &str, host: &str, fields: &str| {
        format!("POST {path} HTTP/1.1\r\nhost: {host}\r\n{fields}content-length: 300000\r\n\r\n")
    };
    let mut connection = Raw::connect(address);
    for (host, status) in [("x", "200"), ("unknown", "404"), ("x", "200")] {
        // Nothing of the body has been sent when the response comes.
        connection.send(head("/unread", host, ""));
        let answer = connection.up_to("\r\n\r\n");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(!answer.contains("connection: close"), "{answer}");
        connection.exactly(length(&answer));
        // Then a first part, cut where a head could end, and the rest.
        connection.send(&body[..100_000 - 4]).send("\r\n\r\n").send(&body[100_000..]);
        connection.send("POST /read HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi");
        let answer = connection.up_to("\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert_eq!(connection.exactly(8), b"/readhi;", "{host}");
    }
    // A body that does not come ends the connection after a while.
    connection.send(head("/unread", "x", "")).send("x");
    assert!(connection.rest().ends_with("/unread;"));
    // So does the next request if the client may or may not send a body, or would send more than anybody reads, and the
    // response says so.
    for (path, host, fields, length, status) in
        [("/unread", "unknown", "expect: 100-continue\r\n", 10, "404"), ("/read", "x", "", 1 << 21, "413")]
    {
        let request = head(path, host, fields).replace("300000", &length.to_string());
        let answer = raw::exchange(address, request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    }
    // A client that is told to continue has its body read.
    let mut connection = Raw::connect(address);
    connection.send(head("/read", "x", "expect: 100-continue\r\n"));
    assert_eq!(connection.up_to("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    connection.send(&body);
    let answer = connection.up_to("\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 ") && !answer.contains("connection: close"), "{answer}");
    assert_eq!(connection.exactly(body.len() + 6), format!("/read{body};").as_bytes());
}

fn length(head: &str) -> usize {
    let field = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    field.expect("an announced length").parse().expect("a number")
}
