//! The memory that hostile bytes cost is bounded by a small multiple of the limits, not by the lengths that they claim. This is
//! a binary of its own because it counts allocations.
//!
//! - [`counting`]: the allocator, and the peak of memory while a closure runs.
//! - [`hostile`]: the entry point that the fuzz target uses as well.
//! - [`pipe`]: a socket in memory.

mod counting;
#[path = "../behaviour/hostile.rs"]
#[allow(dead_code, reason = "shared with the fuzzer's tests; here only the reading counts")]
mod hostile;
#[path = "../behaviour/pipe.rs"]
#[allow(dead_code, reason = "shared with tests that need more of it")]
mod pipe;

use std::io::Write as _;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::task::{Context, Poll, Waker};

use bytes::BytesMut;
use counting::{allocations_of, peak_of};
use nano_protocol::codec;
use nano_protocol::frame::{FrameHeader, Kind};
use nano_protocol::limits::{MAX_BODY_CHUNK, MAX_LOAD, MAX_REPORT, READ_BUFFER, STREAM_WINDOW};
use nano_protocol::message::{HttpVersion, RequestId, RequestLine, StatusLine};
use nano_protocol::{Call, Connection, Handle, Head, Incoming, Receiver, Sender, Side};
use proptest::collection::vec;
use proptest::prelude::*;
use strum::VariantArray as _;
use tokio::net::UnixStream;

use crate::pipe::Pipe;

/// The longest frame, the buffer that collects it, and its decoded form, which is largest for many small parts.
const DECODING: usize = 10 * MAX_LOAD;

/// What serde reserves at most for a list, before any of it is there.
const LIST: usize = 1 << 20;

/// Returns the same as [`DECODING`] for frames of one kind.
fn decoding_one(kind: Kind) -> usize {
    10 * kind.limit() + READ_BUFFER
}

fn frame(kind: Kind, payload: &[u8]) -> Vec<u8> {
    let stream = u64::from(kind.is_stream());
    let header = FrameHeader { length: payload.len(), kind, end: false, stream };
    [&header.to_bytes()[..], payload].concat()
}

/// Returns the peak of memory while these bytes are decoded as if they came from a socket.
fn decoding(bytes: &[u8]) -> usize {
    peak_of(|| drop(hostile::read(bytes, READ_BUFFER, |_| ())))
}

#[test]
fn the_counting_counts() {
    assert_eq!(peak_of(|| drop(vec![0_u8; 1000])), 1000);
    let grown = peak_of(|| {
        let mut bytes: Vec<u8> = Vec::with_capacity(1000);
        bytes.extend_from_slice(&[0; 1000]);
        bytes.reserve_exact(1000);
        drop(vec![0_u8; 500]);
    });
    assert!((2500..=3500).contains(&grown), "{grown}");
    assert_eq!(peak_of(|| ()), 0);
}

#[test]
fn payloads_as_long_as_allowed_stay_within_the_bound() {
    for kind in Kind::VARIANTS.iter().copied() {
        for byte in [0, 1, 2, 0x7f, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff] {
            let bytes = frame(kind, &vec![byte; kind.limit()]);
            let peak = decoding(&bytes);
            assert!(peak <= decoding_one(kind), "{kind:?} full of {byte:#x}: {peak} bytes");
        }
    }
}

#[test]
fn as_many_small_parts_as_allowed_stay_within_the_bound() {
    // Pairs of empty texts: two bytes on the wire, but two whole strings in memory.
    for pairs in [1_000, 60_000, 65_000, 65_536, 100_000, MAX_LOAD as u64 / 2 - 8] {
        let mut payload = BytesMut::new();
        codec::encode(&("", "", pairs), &mut payload).unwrap();
        payload.resize(payload.len() + 2 * pairs as usize, 0);
        let peak = decoding(&frame(Kind::Load, &payload));
        assert!(peak <= DECODING, "{pairs} pairs: {peak} bytes");
    }
}

#[test]
fn lengths_that_are_only_claimed_cost_no_more_than_the_limit() {
    let lengths = [
        MAX_LOAD as u64 - 200,
        MAX_REPORT as u64 - 200,
        u64::from(u32::MAX),
        1 << 40,
        u64::MAX / 48,
        u64::MAX,
    ];
    for kind in Kind::VARIANTS.iter().copied().filter(|kind| kind.limit() > 16) {
        for length in lengths {
            for before in 0..40 {
                let mut payload = BytesMut::zeroed(before);
                codec::encode(&length, &mut payload).unwrap();
                let peak = decoding(&frame(kind, &payload));
                // Texts may reserve memory for the length they claim, up to the limit and not beyond, and lists up to 1 MiB.
                let bound = 2 * kind.limit() + LIST;
                assert!(peak <= bound, "{kind:?}, {length} after {before}: {peak} of {bound} bytes");
            }
        }
    }
}

#[test]
fn headers_without_payloads_cost_nothing() {
    for kind in Kind::VARIANTS.iter().copied() {
        let stream = u64::from(kind.is_stream());
        let header = FrameHeader { length: kind.limit(), kind, end: false, stream }.to_bytes();
        let peak = decoding(&header);
        assert!(peak <= 1024, "{kind:?}: {peak} bytes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_payloads_stay_within_the_bound(
        kinds in vec(prop::sample::select(Kind::VARIANTS), 1..20),
        payload in vec(prop_oneof![3 => 0..6_u8, 1 => any::<u8>()], 0..20_000),
    ) {
        let frames: Vec<u8> = kinds
            .iter()
            .flat_map(|kind| frame(*kind, &payload[..payload.len().min(kind.limit())]))
            .collect();
        let peak = decoding(&frames);
        // The bytes themselves are in the read buffer, which doubles when it grows.
        prop_assert!(peak <= DECODING + 2 * frames.len(), "{} bytes", peak);
    }
}

/// Creates a supervisor with one open stream. Returns it with the worker's end of the socket.
fn supervisor() -> (Connection, Handle, Receiver, StdUnixStream) {
    let (ours, peer) = StdUnixStream::pair().expect("a pair of sockets");
    ours.set_nonblocking(true).expect("a socket");
    peer.set_nonblocking(true).expect("a socket");
    let (connection, handle) =
        Connection::new(UnixStream::from_std(ours).expect("inside a runtime"), Side::Supervisor);
    let (origin, version) = ("http://localhost", HttpVersion::Http11);
    let line = RequestLine {
        id: RequestId(1),
        method: "GET",
        origin,
        target: "/",
        version,
        depth: 0,
        entrypoint: None,
    };
    let (_sender, receiver) =
        handle.open(&Head::Request(line), 0, std::iter::empty(), true).expect("a short head");
    (connection, handle, receiver, peer)
}

/// Passes all bytes of the worker to the connection, even if the socket takes few at once.
async fn pour(connection: &mut Connection, peer: &mut StdUnixStream, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match peer.write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
        }
        tokio::task::yield_now().await;
        let polled = connection.poll_next(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending(), "{polled:?}");
    }
}

#[test]
fn a_body_that_nobody_reads_takes_its_window_however_it_is_cut() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for cut in [1, 2, 7, 100, 1023, 1024, 2047, 2049, 4095, 4096, MAX_BODY_CHUNK] {
        let mut head = BytesMut::new();
        codec::encode(&StatusLine { status: 200 }, &mut head).unwrap();
        let mut bytes = frame(Kind::ResponseHead, &head);
        for _ in 0..STREAM_WINDOW / cut {
            bytes.extend(frame(Kind::BodyChunk, &vec![7; cut]));
        }
        let peak = peak_of(|| {
            runtime.block_on(async {
                let (mut connection, handle, receiver, mut peer) = supervisor();
                pour(&mut connection, &mut peer, &bytes).await;
                let mut noop = Context::from_waker(Waker::noop());
                while connection.poll_next(&mut noop).is_pending() && handle.streams() == 1 {
                    if receiver.try_chunk().is_some() {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            });
        });
        // The window, the old buffers left by its growth, and read buffers that its chunks keep alive.
        let bound = 3 * STREAM_WINDOW + 4 * READ_BUFFER;
        assert!(peak <= bound, "cut every {cut} bytes: {peak} of {bound} bytes");
    }
}

/// Returns the next stream that the peer has opened.
fn accept(connection: &mut Connection<Pipe>) -> (Sender, Receiver) {
    match connection.poll_next(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(Some(Incoming::Stream { sender, receiver, .. }))) => (sender, receiver),
        other => panic!("no stream: {other:?}"),
    }
}

/// Writes what is queued and reads what has arrived.
fn drive(connection: &mut Connection<Pipe>) {
    let polled = connection.poll_next(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending(), "{polled:?}");
}

#[test]
fn streams_of_either_side_take_few_allocations() {
    let (one, other) = Pipe::pair(1 << 20);
    let (mut supervisor, ours) = Connection::new(one, Side::Supervisor);
    let (mut worker, theirs) = Connection::new(other, Side::Worker);
    let (origin, version) = ("http://localhost", HttpVersion::Http11);
    let line = RequestLine {
        id: RequestId(1),
        method: "GET",
        origin,
        target: "/",
        version,
        depth: 0,
        entrypoint: None,
    };
    let mut request = || {
        let (_sender, receiver) = ours.open(&Head::Request(line), 0, std::iter::empty(), true).unwrap();
        drive(&mut supervisor);
        accept(&mut worker).0.respond(200, 0, std::iter::empty(), true).unwrap();
        drive(&mut worker);
        drive(&mut supervisor);
        assert!(receiver.poll_head(&mut Context::from_waker(Waker::noop())).is_ready());
    };
    // After a while, buffers and tables no longer grow.
    (0..1000).for_each(|_| request());
    let requests = allocations_of(|| (0..1000).for_each(|_| request()));
    let mut call = || {
        let head = Head::Call(Call::Keep { name: 1 });
        let (_sender, receiver) = theirs.open(&head, 0, std::iter::empty(), true).unwrap();
        drive(&mut worker);
        accept(&mut supervisor).0.respond(200, 0, std::iter::empty(), true).unwrap();
        drive(&mut supervisor);
        drive(&mut worker);
        assert!(receiver.poll_head(&mut Context::from_waker(Waker::noop())).is_ready());
    };
    (0..1000).for_each(|_| call());
    let calls = allocations_of(|| (0..1000).for_each(|_| call()));
    // Each end allocates the stream and the bytes of a head, and a read buffer now and then.
    let most = 5 * 1000;
    assert!(requests <= most && calls <= most, "{requests} and {calls} of {most}");
}
