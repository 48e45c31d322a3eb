//! The rules of RFC 6455. The cases are those of the Autobahn test suite, section by section, without those of performance and of
//! compression.

use std::net::SocketAddr;

use fastwebsockets::{FragmentCollector, Frame, OpCode, Payload};
use tokio::net::TcpStream;

use super::ECHO;
use crate::TestSupervisor;
use crate::harness::talker::{self, BINARY, CLOSE, PING, PONG, TEXT, Talker, frame};
use crate::harness::{Raw, within};

/// What a client sends, as frames.
type Sent<'a> = Vec<(u8, &'a [u8])>;

/// Sends frames on a new WebSocket, in writes of `part` bytes, and returns what is heard until the server closes, or until a closing
/// frame of ours is answered.
fn exchange(address: SocketAddr, sent: &Sent<'_>, part: usize) -> Vec<String> {
    let mut talker = Talker::open(address, "/");
    let bytes: Vec<u8> = sent.iter().flat_map(|(first, contents)| frame(*first, contents)).collect();
    for part in bytes.chunks(part) {
        // The server may have closed already.
        if !talker.raw.try_send(part) {
            break;
        }
    }
    let mut heard = Vec::new();
    loop {
        let next = talker.hears();
        let is_end = next.starts_with("close") || next == "end";
        heard.push(next);
        if is_end {
            return heard;
        }
    }
}

/// Checks that frames are answered so, however they are cut.
fn check(address: SocketAddr, sent: &Sent<'_>, expected: &[&str]) {
    for part in [usize::MAX, 1] {
        assert_eq!(exchange(address, sent, part), expected, "{sent:?} in parts of {part}");
    }
}

/// Checks that the server closes with this code after having sent `before`.
fn check_failure(address: SocketAddr, sent: &Sent<'_>, before: &[&str], code: u16) {
    for part in [usize::MAX, 1] {
        let mut heard = exchange(address, sent, part);
        let last = heard.pop().unwrap();
        assert!(last.starts_with(&format!("close {code} ")), "{last} for {sent:?} in parts of {part}");
        // What was sent before the mistake may or may not have come back before it was seen.
        assert!(
            before.starts_with(&heard.iter().map(String::as_str).collect::<Vec<_>>()),
            "{heard:?} for {sent:?}"
        );
    }
}

const BYE: (u8, &[u8]) = (CLOSE, &[3, 232]);
const GOODBYE: &str = "close 1000 ";

/// Frames that are not the last of their message.
const TEXT_BEGINS: u8 = 0x01;
const BINARY_BEGINS: u8 = 0x02;
const GOES_ON: u8 = 0x00;
const ENDS: u8 = 0x80;

#[tokio::test]
async fn messages_of_every_length_come_back() {
    let supervisor = TestSupervisor::with(ECHO).await;
    let address = supervisor.address("app").await;
    for length in [0, 1, 125, 126, 127, 128, 65_535, 65_536, 1 << 20] {
        let contents = vec![b'*'; length];
        for (first, opcode) in [(TEXT, 1), (BINARY, 2)] {
            let mut talker = Talker::open(address, "/");
            assert!(talker.send(first, &contents).message() == Some((opcode, contents.clone())), "{length}");
            // In frames of 997 bytes, with empty ones and a ping between them.
            let mut parts = contents.chunks(997).peekable();
            talker.send(first & 0x0f, "");
            while let Some(part) = parts.next() {
                talker.send(GOES_ON, part).send(GOES_ON, "");
                if parts.peek().is_none() {
                    talker.send(PING, "between");
                }
            }
            if length > 0 {
                assert_eq!(talker.hears(), "pong between");
            }
            assert!(talker.send(ENDS, "").message() == Some((opcode, contents.clone())), "{length}");
        }
    }
}

#[tokio::test]
async fn pings_are_answered_and_pongs_are_not() {
    let supervisor = TestSupervisor::with(ECHO).await;
    let address = supervisor.address("app").await;
    check(address, &vec![(PING, b""), BYE], &["pong ", GOODBYE]);
    check(address, &vec![(PING, b"payload"), BYE], &["pong payload", GOODBYE]);
    let mut talker = Talker::open(address, "/");
    assert_eq!(talker.send(PING, [0xfe; 125]).message(), Some((10, vec![0xfe; 125])));
    check_failure(address, &vec![(PING, &[0xfe; 126])], &[], 1002);
    check(address, &vec![(PONG, b""), (PONG, b"unasked"), BYE], &[GOODBYE]);
    // Of many pings at once, the last one is answered at least.
    let mut talker = Talker::open(address, "/");
    let pings: Vec<u8> =
        (0..10).flat_map(|number| frame(PING, format!("ping {number}").as_bytes())).collect();
    talker.raw.send(pings);
    while talker.hears() != "pong ping 9" {}
}

#[tokio::test]
async fn reserved_bits_and_opcodes_are_refused() {
    let supervisor = TestSupervisor::with(ECHO).await;
    let address = supervisor.address("app").await;
    for bits in [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70] {
        for first in [TEXT, BINARY, PING, CLOSE] {
            check_failure(address, &vec![(TEXT, b"before"), (first | bits, b"")], &["text before"], 1002);
        }
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        check_failure(address, &vec![(TEXT, b"before"), (0x80 | opcode, b"x")], &["text before"], 1002);
    }
}

#[tokio::test]
async fn fragments_follow_each_other() {
    let supervisor = TestSupervisor::with(ECHO).await;
    let address = supervisor.address("app").await;
    for (sent, expected) in [
        (vec![(TEXT_BEGINS, &b"a"[..]), (ENDS, b"b"), BYE], vec!["text ab", GOODBYE]),
        (vec![(TEXT_BEGINS, b"a"), (PING, b"p"), (ENDS, b"b"), BYE], vec!["pong p", "text ab", GOODBYE]),
        (
            vec![(TEXT_BEGINS, b""), (GOES_ON, b""), (ENDS, b""), (TEXT, b"x"), BYE],
            vec!["text ", "text x", GOODBYE],
        ),
        (
            vec![(TEXT_BEGINS, b"a"), (GOES_ON, b"b"), (PING, b"1"), (GOES_ON, b"c"), (ENDS, b"d"), BYE],
            vec!["pong 1", "text abcd", GOODBYE],
        ),
    ] {
        check(address, &sent, &expected);
    }
    for sent in [
        vec![(ENDS, &b"of nothing"[..]), (TEXT, b"x")],
        vec![(GOES_ON, b"of nothing"), (TEXT, b"x")],
        vec![(TEXT_BEGINS, b"a"), (TEXT, b"b")],
        vec![(TEXT_BEGINS, b"a"), (BINARY_BEGINS, b"b")],
        vec![(TEXT_BEGINS, b"a"), (ENDS, b"b"), (ENDS, b"c")],
        vec![(0x09, b"ping in parts"), (0x80, b"")],
        vec![(0x0a, b"pong in parts"), (0x80, b"")],
        vec![(0x08, b""), (0x80, b"")],
    ] {
        check_failure(address, &sent, &["text ab"], 1002);
    }
}

#[tokio::test]
async fn text_is_utf_8() {
    let supervisor = TestSupervisor::with(ECHO).await;
    let address = supervisor.address("app").await;
    let texts = [
        "Hello-\u{b5}@\u{df}\u{f6}\u{e4}\u{fc}\u{e0}\u{e1}-UTF-8!!",
        "\u{3ba}\u{1f79}\u{3c3}\u{3bc}\u{3b5}",
        "\u{0}",
        "\u{7f}\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}",
        "\u{d7ff}\u{e000}\u{fffd}\u{fffe}",
    ];
    for text in texts {
        let expected = format!("text {text}");
        check(address, &vec![(TEXT, text.as_bytes()), BYE], &[&expected, GOODBYE]);
        // Cut after each byte.
        let mut sent: Sent<'_> = vec![(TEXT_BEGINS, b"")];
        sent.extend(text.as_bytes().chunks(1).map(|byte| (GOES_ON, byte)));
        sent.extend([(ENDS, &b""[..]), BYE]);
        check(address, &sent, &[&expected, GOODBYE]);
    }
    for bytes in [
        &b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"[..],
        b"\xf8\x88\x80\x80\x80",
        b"\xfc\x84\x80\x80\x80\x80",
        b"\xf4\x90\x80\x80",
        b"\x80",
        b"\xbf",
        b"\xc0\xaf",
        b"\xe0\x80\xaf",
        b"\xc1\xbf",
        b"\xf0\x8f\xbf\xbf",
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xc3",
        b"a\xf0\x9f\x98",
        b"\xfe",
        b"\xff",
    ] {
        check_failure(address, &vec![(TEXT, bytes)], &[], 1007);
        check_failure(address, &vec![(TEXT_BEGINS, bytes), (ENDS, b"")], &[], 1007);
        check(address, &vec![(BINARY, b""), BYE], &["binary []", GOODBYE]);
    }
    // It is refused before the message is complete.
    check_failure(address, &vec![(TEXT_BEGINS, b"fine \xf4\x90")], &[], 1007);
    // A frame whose contents have not all arrived.
    let mut talker = Talker::open(address, "/");
    let bytes = frame(TEXT, b"\xff and more to come");
    talker.raw.send(&bytes[..8]);
    assert_eq!(talker.closing_code(), Some(1007));
}

#[tokio::test]
async fn closing_frames_have_codes_and_reasons_that_may_be_sent() {
    let supervisor = TestSupervisor::with(ECHO).await;
    let address = supervisor.address("app").await;
    for code in
        [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999u16]
    {
        let contents = [&code.to_be_bytes()[..], b"why"].concat();
        check(address, &vec![(CLOSE, &contents)], &[&format!("close {code} why")]);
    }
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535u16] {
        check_failure(address, &vec![(CLOSE, &code.to_be_bytes())], &[], 1002);
    }
    check(address, &vec![(CLOSE, b"")], &["close"]);
    check_failure(address, &vec![(CLOSE, &[3])], &[], 1002);
    check_failure(address, &vec![(CLOSE, &[3, 232, 0xce, 0xba, 0xed, 0xa0, 0x80])], &[], 1007);
    let longest = [&[3, 232][..], &[b'x'; 123]].concat();
    check(address, &vec![(CLOSE, &longest)], &[&format!("close 1000 {}", "x".repeat(123))]);
    check_failure(address, &vec![(CLOSE, &[longest.as_slice(), b"x"].concat())], &[], 1002);
    // Nothing counts behind a closing frame.
    check(address, &vec![(TEXT, b"a"), BYE, (TEXT, b"b"), (PING, b"p"), BYE], &["text a", GOODBYE]);
    check(address, &vec![(TEXT_BEGINS, b"a"), BYE, (ENDS, b"b")], &[GOODBYE]);
    // The app closes, and takes what comes until its client has closed as well.
    let mut talker = Talker::open(address, "/");
    assert_eq!(talker.send(TEXT, "close 4567 enough").hears(), "close 4567 enough");
    assert_eq!(talker.send(PING, "late").close(4567, "").hears(), "end");
}

#[tokio::test]
async fn frames_of_clients_are_masked() {
    let supervisor = TestSupervisor::with(ECHO).await;
    let mut talker = Talker::open(supervisor.address("app").await, "/");
    talker.raw.send([TEXT, 1, b'a']);
    assert_eq!(talker.closing_code(), Some(1002));
    assert_eq!(talker.hears(), "end");
    // A length with 64 bits.
    let mut talker = Talker::open(supervisor.address("app").await, "/");
    talker.raw.send([&[BINARY, 0xff][..], &u64::MAX.to_be_bytes(), &[0; 4]].concat());
    assert_eq!(talker.closing_code(), Some(1002));
}

#[tokio::test]
async fn a_handshake_is_answered_by_its_rules() {
    let supervisor = TestSupervisor::with(ECHO).await;
    let address = supervisor.address("app").await;
    let head = |request: String| Raw::connect(address).send(request).up_to("\r\n\r\n").to_lowercase();
    let asked = |path: &str| talker::handshake(path, "");
    let answer = head(asked("/"));
    for field in
        ["connection: upgrade", "upgrade: websocket", "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="]
    {
        assert!(answer.contains(field), "{answer}");
    }
    assert!(answer.contains("x-request-id: ") && !answer.contains("content-length"), "{answer}");
    // What comes with the handshake is not lost.
    let mut raw = Raw::connect(address);
    raw.send([asked("/").into_bytes(), frame(TEXT, b"with it")].concat()).up_to("\r\n\r\n");
    assert_eq!(Talker { raw, head: String::new() }.hears(), "text with it");
    // The app may refuse, and the connection goes on.
    let mut raw = Raw::connect(address);
    assert!(raw.send(asked("/refused")).up_to("\r\n\r\nno").starts_with("HTTP/1.1 403"));
    assert!(raw.send(asked("/")).up_to("\r\n\r\n").starts_with("HTTP/1.1 101"));
    for (asked_for, given, status) in [
        ("Version: 13", "Version: 8", "426"),
        ("Key: dGhlIHNhbXBsZSBub25jZQ==", "Key: short", "400"),
        ("Key: dGhlIHNhbXBsZSBub25jZQ==", "Other: x", "400"),
        // These ask for no WebSocket, and reach the app.
        ("Upgrade: websocket", "Upgrade: h2c", "200"),
        ("Connection: Upgrade", "Connection: keep-alive", "200"),
        ("HTTP/1.1", "HTTP/1.0", "200"),
        ("GET", "OPTIONS", "200"),
    ] {
        let answer = head(asked("/").replacen(asked_for, given, 1));
        assert!(answer[9..].starts_with(status), "{given}: {answer}");
        assert_eq!(answer.contains("sec-websocket-version: 13"), status == "426", "{answer}");
    }
}

#[tokio::test]
async fn another_implementation_talks_to_it() {
    let supervisor = TestSupervisor::with(ECHO).await;
    let talk = async {
        let stream = TcpStream::connect(supervisor.address("app").await).await.unwrap();
        let request = hyper::Request::get("http://app.example/")
            .header("host", "app.example")
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", fastwebsockets::handshake::generate_key())
            .body(http_body_util::Empty::<bytes::Bytes>::new())
            .unwrap();
        let spawner = hyper_util::rt::TokioExecutor::new();
        let (mut socket, _) = fastwebsockets::handshake::client(&spawner, request, stream).await.unwrap();
        socket.set_auto_close(false);
        let mut socket = FragmentCollector::new(socket);
        for length in [0, 1, 1000, 100_000, 3 << 20] {
            let contents = vec![b'x'; length];
            for opcode in [OpCode::Text, OpCode::Binary] {
                let frame = Frame::new(true, opcode, None, Payload::Borrowed(&contents));
                socket.write_frame(frame).await.unwrap();
                let answer = socket.read_frame().await.unwrap();
                assert!(answer.opcode == opcode && *answer.payload == *contents, "{length}");
            }
        }
        socket.write_frame(Frame::close(4000, b"done")).await.unwrap();
        let answer = socket.read_frame().await.unwrap();
        assert_eq!((answer.opcode, &*answer.payload), (OpCode::Close, &b"\x0f\xa0done"[..]));
    };
    within(talk).await;
}

#[tokio::test]
async fn only_one_end_of_a_pair_goes_to_a_client() {
    let app = "let held; export default { fetch(request) {
      if (request.url.endsWith('/other')) return new Response(null, { status: 101, webSocket: held });
      const [client, server] = Object.values(new WebSocketPair());
      held = server;
      return new Response(null, { status: 101, webSocket: client });
    } }";
    let supervisor = TestSupervisor::with(app).await;
    let address = supervisor.address("app").await;
    let _first = Talker::open(address, "/");
    let mut other = Raw::connect(address);
    assert!(other.send(talker::handshake("/other", "")).up_to("\r\n").starts_with("HTTP/1.1 500"));
    supervisor.log.line_with("whose other end was already used in a response").await;
}
