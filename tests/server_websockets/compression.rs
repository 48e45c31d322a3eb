//! Compressed messages (RFC 7692): the cases of sections 12 and 13 of the Autobahn test suite, the examples of the standard, and what
//! bounds them.

use std::net::SocketAddr;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

use super::ECHO;
use crate::admin::metrics;
use crate::harness::talker::{self, BINARY, PING, TEXT, Talker};
use crate::harness::workerd::Both;
use crate::harness::{App, Client, Raw, free_address, process};
use crate::{TestSupervisor, until};

/// Marks the first frame of a compressed message.
const COMPRESSED: u8 = 0x40;

const OFFER: &str = "permessage-deflate";
const AGREED: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// What the end of a compressed message leaves out.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Opens a WebSocket with this offer.
fn offering(address: SocketAddr, offer: &str) -> Talker {
    Talker::over(Raw::connect(address), "/?echo&ab", &format!("Sec-WebSocket-Extensions: {offer}\r\n"))
}

/// Returns what was agreed.
fn agreed(talker: &Talker) -> Option<String> {
    let name = "sec-websocket-extensions: ";
    let line = talker.head.lines().find(|line| line.to_lowercase().starts_with(name))?;
    Some(line[name.len()..].to_owned())
}

/// Compresses a message, by itself.
fn deflated(message: &[u8]) -> Vec<u8> {
    let (mut state, mut out) = (Compress::new(Compression::fast(), false), Vec::new());
    out.reserve(message.len() + message.len() / 4 + 64);
    state.compress_vec(message, &mut out, FlushCompress::Sync).unwrap();
    assert_eq!(state.total_in(), message.len() as u64);
    out.truncate(out.len() - TAIL.len());
    out
}

/// Reads a message that is compressed by itself, with a window of this many bits. Returns whether it was compressed, its contents, and
/// how many bytes it took.
fn receive(talker: &mut Talker, bits: u8) -> (bool, Vec<u8>, usize) {
    receive_after(talker, &mut Decompress::new_with_window_bits(false, bits))
}

/// Reads a message that may refer to those that the state has inflated.
fn receive_after(talker: &mut Talker, state: &mut Decompress) -> (bool, Vec<u8>, usize) {
    let (mut first, mut received) = talker.frame().unwrap();
    let is_compressed = first & COMPRESSED != 0;
    assert!(matches!(first & 0x0f, 1 | 2), "{first:x} {received:?}");
    while first & 0x80 == 0 {
        let (next, more) = talker.frame().unwrap();
        assert_eq!(next & 0x7f, 0, "a continuation without reserved bits");
        first = next;
        received.extend(more);
    }
    let length = received.len();
    if !is_compressed {
        return (false, received, length);
    }
    received.extend(TAIL);
    let (before, mut message) = (state.total_in(), Vec::new());
    loop {
        let read = (state.total_in() - before) as usize;
        if read == received.len() && message.len() < message.capacity() {
            return (true, message, length);
        }
        message.reserve(64 * 1024);
        state.decompress_vec(&received[read..], &mut message, FlushDecompress::Sync).unwrap();
    }
}

/// Text of this many bytes, of which one part is like another.
fn text(length: usize) -> Vec<u8> {
    let words = (0u32..).flat_map(|number| format!("{{\"number\": {number}}}, ").into_bytes());
    words.take(length).collect()
}

/// Bytes that cannot be compressed.
fn noise(length: usize) -> Vec<u8> {
    let mut random = 1u64;
    let next = std::iter::repeat_with(|| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 56) as u8
    });
    next.take(length).collect()
}

#[tokio::test]
async fn compressed_messages_of_every_length_come_back_compressed() {
    let supervisor = TestSupervisor::with(ECHO).await;
    let address = supervisor.address("app").await;
    for (offer, bits) in [
        (OFFER, 15),
        ("permessage-deflate; server_no_context_takeover; client_no_context_takeover", 15),
        ("permessage-deflate; client_max_window_bits", 15),
        ("permessage-deflate; client_max_window_bits=9; server_max_window_bits=9", 9),
        ("permessage-deflate; server_max_window_bits=15; server_no_context_takeover", 15),
        ("permessage-deflate; server_max_window_bits=99, permessage-deflate; server_max_window_bits=12", 12),
    ] {
        let mut talker = offering(address, offer);
        let expected = match (offer.contains("=15"), bits) {
            (false, 15) => AGREED.to_owned(),
            _ => format!("{AGREED}; server_max_window_bits={bits}"),
        };
        assert_eq!(agreed(&talker), Some(expected));
        for length in [0, 1, 16, 64, 256, 1024, 4096, 8192, 16_384, 16_385, 32_768, 65_536, 131_072] {
            for (first, message) in [(TEXT, text(length)), (BINARY, noise(length))] {
                let compressed = deflated(&message);
                talker.send(first | COMPRESSED, &compressed);
                let (is_compressed, received, took) = receive(&mut talker, bits);
                assert!(received == message, "{offer}: {length}");
                assert_eq!(is_compressed, length >= 1024, "{offer}: {length}");
                assert!(
                    first == BINARY || length < 1024 || took < length * 3 / 5,
                    "{offer}: {length} in {took}"
                );
                // In frames of 251 bytes with a ping between them, and not compressed.
                let mut frames = vec![talker::frame((first & 0x0f) | COMPRESSED, b"")];
                frames.extend(compressed.chunks(251).map(|part| talker::frame(0, part)));
                frames.push(talker::frame(PING, b"between"));
                frames.push(talker::frame(0x80, b""));
                talker.raw.send(frames.concat());
                assert_eq!(talker.hears(), "pong between");
                assert!(receive(&mut talker, bits).1 == message, "{offer}: {length}");
                talker.send(first, &message);
                assert!(receive(&mut talker, bits).1 == message, "{offer}: {length}");
            }
        }
    }
}

#[tokio::test]
async fn the_examples_of_the_standard_are_inflated() {
    let supervisor = TestSupervisor::with(ECHO).await;
    let mut talker = offering(supervisor.address("app").await, OFFER);
    for (frames, expected) in [
        (&[(0xc1, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..])][..], "Hello"),
        (&[(0x41, &[0xf2, 0x48, 0xcd]), (0x80, &[0xc9, 0xc9, 0x07, 0x00])], "Hello"),
        // A block that is not compressed; one that says that it is the last; two blocks.
        (&[(0xc1, &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00])], "Hello"),
        (&[(0xc1, &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00])], "Hello"),
        (&[(0xc1, &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00])], "Hello"),
        (&[(0xc1, &[0x00])], ""),
        (&[(0xc1, &[])], ""),
        // Blocks behind the last one.
        (
            &[(0xc1, &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00])],
            "HelloHello",
        ),
    ] {
        for (first, contents) in frames {
            talker.send(*first, contents);
        }
        assert_eq!(talker.hears(), format!("text {expected}"), "{frames:x?}");
    }
}

#[tokio::test]
async fn what_breaks_a_rule_of_compression_is_refused() {
    let supervisor = TestSupervisor::with(ECHO).await;
    let address = supervisor.address("app").await;
    for (sent, code) in [
        // A continuation and a control frame that are marked.
        (vec![(0x41, &deflated(b"abc")[..]), (0xc0, b"")], 1002),
        (vec![(PING | COMPRESSED, b"")], 1002),
        (vec![(0xa1, b"")], 1002),
        (vec![(TEXT | COMPRESSED, b"\xff\xff\xff")], 1007),
        // It refers to what was before it.
        (vec![(TEXT | COMPRESSED, &[0x02, 0x13, 0x00, 0x00])], 1007),
        (vec![(TEXT | COMPRESSED, &deflated(b"\xc3"))], 1007),
        (vec![(TEXT | COMPRESSED, &deflated(b"a\xf0\x90"))], 1007),
    ] {
        let mut talker = offering(address, OFFER);
        for (first, contents) in &sent {
            talker.send(*first, contents);
        }
        assert_eq!(talker.closing_code(), Some(code), "{sent:x?}");
    }
    assert_eq!(
        Talker::open(address, "/").send(TEXT | COMPRESSED, deflated(b"abc")).closing_code(),
        Some(1002)
    );
    for offer in ["x-webkit-deflate-frame", "permessage-deflate; client_max_window_bits=7"] {
        let mut talker = offering(address, offer);
        assert_eq!(agreed(&talker), None);
        let message = text(4096);
        talker.send(TEXT, &message);
        assert!(receive(&mut talker, 15) == (false, message, 4096));
    }
}

#[tokio::test]
async fn an_app_may_be_set_to_compress_nothing() {
    let app = App::new("app", ECHO).set("websocket_compression = false");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let mut talker = offering(supervisor.address("app").await, OFFER);
    assert_eq!(agreed(&talker), None);
    assert_eq!(talker.send(TEXT | COMPRESSED, deflated(b"abc")).closing_code(), Some(1002));
}

#[tokio::test]
async fn a_message_that_becomes_long_holds_no_more_than_its_parts() {
    // It takes no messages until it is told to.
    let app = "const held = []; export default { fetch(request) {
      if (request.url.endsWith('/accept')) { for (const socket of held) socket.accept(); return new Response('accepted'); }
      const { 0: client, 1: server } = new WebSocketPair();
      held.push(server);
      server.addEventListener('message', ({ data }) => { server.send(data.byteLength ?? data.size); });
      return new Response(null, { status: 101, webSocket: client });
    } }";
    let admin = free_address();
    let supervisor = TestSupervisor::plan()
        .set(&format!("admin = '{admin}'"))
        .app(App::new("app", app).set("max_websocket_message = '8MiB'\nwebsocket_ping = false"))
        .start()
        .await;
    let address = supervisor.address("app").await;
    let (long, too_long) = (deflated(&vec![0; 8 << 20]), deflated(&vec![0; (8 << 20) + 1]));
    let before = process::peak_rss(supervisor.pid());
    let mut talkers: Vec<_> = (0..4).map(|_| offering(address, OFFER)).collect();
    talkers[0].send(BINARY | COMPRESSED, &too_long);
    for talker in &mut talkers[1..] {
        talker.send(BINARY | COMPRESSED, &long);
    }
    let admin = Client::afresh(admin);
    until("the clients have to wait", async || {
        (metrics(&admin).await["nano_credit_stalls_total{app=\"app\"}"] >= 4.0).then_some(())
    })
    .await;
    let after = process::peak_rss(supervisor.pid());
    assert!(after < before + (8 << 20), "{before} {after}");
    assert_eq!(supervisor.get("app", "/accept").await.text(), "accepted");
    assert_eq!(talkers[0].hears(), "close 1009 message too long");
    for talker in &mut talkers[1..] {
        assert_eq!(talker.hears(), format!("text {}", 8 << 20));
    }
}

#[tokio::test]
async fn a_client_has_few_compressed_messages_under_way() {
    let admin = free_address();
    let supervisor = TestSupervisor::plan()
        .set(&format!("admin = '{admin}'\nio_threads = 1"))
        .app(App::new("app", ECHO).set("max_websockets = 256"))
        .start()
        .await;
    let address = supervisor.address("app").await;
    let contents = deflated(b"abc");
    let mut talkers: Vec<_> = (0..12).map(|_| offering(address, OFFER)).collect();
    for talker in &mut talkers {
        // The answer tells that it has begun.
        assert_eq!(talker.send(0x01 | COMPRESSED, &contents[..2]).send(PING, "").hears(), "pong ");
    }
    let mut one_more = offering(address, OFFER);
    assert_eq!(one_more.send(TEXT, "as it is").hears(), "text as it is");
    one_more.send(TEXT | COMPRESSED, &contents);
    assert_eq!(one_more.hears(), "close 1013 too many compressed messages are under way");
    let broken = metrics(&Client::afresh(admin)).await;
    assert_eq!(broken["nano_limit_broken_total{app=\"app\",limit=\"inflating\"}"], 1.0);
    assert_eq!(talkers[0].send(0x80, &contents[2..]).hears(), "text abc");
    assert_eq!(offering(address, OFFER).send(TEXT | COMPRESSED, &contents).hears(), "text abc");
    for talker in &mut talkers[1..] {
        assert_eq!(talker.send(0x80, &contents[2..]).hears(), "text abc");
    }
}

#[tokio::test]
async fn messages_are_compressed_as_on_workers() {
    let Some(both) = Both::serve(super::beside_workerd::PROGRAM, free_address()).await else { return };
    for offer in [
        OFFER,
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; server_no_context_takeover",
    ] {
        let mut heard = Vec::new();
        for address in both.addresses() {
            let (mut talker, mut state) = (offering(address, offer), Decompress::new(false));
            assert!(agreed(&talker).is_some_and(|agreed| agreed.starts_with(OFFER)), "{}", talker.head);
            for message in [text(3), text(2000), text(100_000)] {
                for first in [TEXT, BINARY] {
                    talker.send(first | COMPRESSED, deflated(&message));
                    assert!(receive_after(&mut talker, &mut state).1 == message);
                }
            }
            heard.push(talker.close(1000, "").hears());
        }
        assert_eq!(heard, ["close 1000 ", "close 1000 "]);
    }
}
