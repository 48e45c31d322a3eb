//! An upgraded stream as a transport of bytes, between two real ends: what is written is read in order, within the windows, and
//! whatever becomes of either side is known to the other one.

use std::future::poll_fn;
use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::BytesMut;
use nano_protocol::codec::HeaderBlock;
use nano_protocol::limits::{CALL_WINDOW, MOST_WINDOW, STREAM_WINDOW};
use nano_protocol::message::{StreamError, StreamErrorKind};
use nano_protocol::{Failure, StreamIo};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite as _, AsyncWriteExt as _};

use crate::pair::{Accepted, Pair, some_bytes, upgraded};

/// More than the windows of both directions together.
const LONG: usize = 3 * MOST_WINDOW;

/// Returns the two ends of a stream, the opener's first. A worker has opened it if `is_call` says so.
async fn ends(is_call: bool) -> (Pair, StreamIo, StreamIo) {
    let (pair, opener, acceptor) = upgraded(is_call).await;
    let io = |Accepted { sender, receiver, .. }| StreamIo::new(sender, receiver);
    (pair, io(opener), io(acceptor))
}

/// Writes as much as is taken without anybody reading.
fn fill(io: &mut StreamIo, bytes: &[u8]) -> usize {
    let mut cx = Context::from_waker(Waker::noop());
    let mut written = 0;
    while let Poll::Ready(taken) = Pin::new(&mut *io).poll_write(&mut cx, &bytes[written..]) {
        let taken = taken.expect("a stream takes everything");
        assert!(taken > 0);
        written += taken;
    }
    written
}

fn is_pending(io: &mut StreamIo) -> bool {
    let mut buffer = [0; 1];
    let mut buffer = tokio::io::ReadBuf::new(&mut buffer);
    Pin::new(io).poll_read(&mut Context::from_waker(Waker::noop()), &mut buffer).is_pending()
}

async fn all_of(io: &mut StreamIo) -> std::io::Result<Vec<u8>> {
    let mut read = Vec::new();
    io.read_to_end(&mut read).await.map(|_| read)
}

#[tokio::test]
async fn what_is_written_is_read_on_the_other_side_both_ways_at_once() {
    for is_call in [false, true] {
        let (mut pair, opener, acceptor) = ends(is_call).await;
        let (mut from_opener, mut to_opener) = tokio::io::split(opener);
        let (mut from_acceptor, mut to_acceptor) = tokio::io::split(acceptor);
        let [one, two] = [some_bytes(LONG, 1), some_bytes(LONG, 2)];
        let (there, back) = pair
            .run(async {
                let write = async {
                    to_opener.write_all(&one).await.unwrap();
                    to_opener.shutdown().await.unwrap();
                };
                let answer = async {
                    to_acceptor.write_all(&two).await.unwrap();
                    to_acceptor.shutdown().await.unwrap();
                };
                let read = async |io: &mut (dyn AsyncRead + Unpin)| {
                    let mut read = Vec::new();
                    io.read_to_end(&mut read).await.unwrap();
                    read
                };
                let (_, _, there, back) =
                    tokio::join!(write, answer, read(&mut from_acceptor), read(&mut from_opener));
                (there, back)
            })
            .await;
        assert!(there == one && back == two, "{is_call}");
        assert_eq!([pair.supervisor.handle.streams(), pair.worker.handle.streams()], [0, 0]);
    }
}

#[tokio::test]
async fn a_read_gives_what_there_is_and_keeps_what_does_not_fit() {
    let (mut pair, mut opener, mut acceptor) = ends(true).await;
    pair.run(async {
        opener.write_all(b"hello").await.unwrap();
        let mut three = [0; 3];
        assert_eq!(acceptor.read(&mut three).await.unwrap(), 3);
        assert_eq!(&three, b"hel");
        assert_eq!(acceptor.read(&mut three).await.unwrap(), 2);
        assert_eq!(&three[..2], b"lo");
        assert!(is_pending(&mut acceptor));
        // A buffer without room is no end.
        opener.write_all(b"!").await.unwrap();
        assert_eq!(acceptor.read(&mut three).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn slices_are_written_in_their_order_and_a_write_says_how_much_it_took() {
    let (mut pair, mut opener, mut acceptor) = ends(false).await;
    assert!(opener.is_write_vectored());
    let parts = [some_bytes(10, 1), some_bytes(0, 0), some_bytes(20_000, 2), some_bytes(20_000, 3)];
    let expected = parts.concat();
    let mut slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
    let mut at = &mut slices[..];
    let read = pair
        .run(async {
            let write = async {
                while !at.is_empty() {
                    let written =
                        poll_fn(|cx| Pin::new(&mut opener).poll_write_vectored(cx, at)).await.unwrap();
                    IoSlice::advance_slices(&mut at, written);
                }
                opener.shutdown().await.unwrap();
            };
            tokio::join!(write, all_of(&mut acceptor)).1.unwrap()
        })
        .await;
    assert!(read == expected);
}

#[tokio::test]
async fn whoever_is_not_read_can_write_as_much_as_the_window_allows_and_is_woken_for_more() {
    for is_call in [false, true] {
        let (mut pair, mut opener, mut acceptor) = ends(is_call).await;
        let bytes = some_bytes(LONG, 1);
        let written = fill(&mut opener, &bytes);
        assert_eq!(written, if is_call { CALL_WINDOW } else { STREAM_WINDOW });
        // That it has arrived changes nothing, as nobody reads it.
        pair.run(async {}).await;
        assert_eq!(fill(&mut opener, &bytes[written..]), 0);
        let read = pair
            .run(async {
                let write = async {
                    opener.write_all(&bytes[written..]).await.unwrap();
                    opener.shutdown().await.unwrap();
                };
                tokio::join!(write, all_of(&mut acceptor)).1.unwrap()
            })
            .await;
        assert!(read == bytes, "{is_call}");
    }
}

#[tokio::test]
async fn an_end_is_read_behind_all_that_was_written_and_the_other_direction_goes_on() {
    let (mut pair, mut opener, mut acceptor) = ends(true).await;
    pair.run(async {
        opener.write_all(b"last").await.unwrap();
        opener.shutdown().await.unwrap();
        // A second time, nothing happens.
        opener.shutdown().await.unwrap();
        assert_eq!(all_of(&mut acceptor).await.unwrap(), b"last");
        assert_eq!(acceptor.read(&mut [0; 8]).await.unwrap(), 0, "it stays the end");
        acceptor.write_all(b"answer").await.unwrap();
        acceptor.shutdown().await.unwrap();
        assert_eq!(all_of(&mut opener).await.unwrap(), b"answer");
        for io in [&mut opener, &mut acceptor] {
            assert!(poll_fn(|cx| Poll::Ready(io.is_over(cx))).await);
            // What nobody reads any more is accepted and lost.
            io.write_all(b"late").await.unwrap();
            io.flush().await.unwrap();
        }
    })
    .await;
    assert_eq!([pair.supervisor.handle.streams(), pair.worker.handle.streams()], [0, 0]);
}

#[tokio::test]
async fn a_transport_that_is_dropped_leaves_what_it_has_written_and_tells_that_it_is_gone() {
    for is_call in [false, true] {
        for is_opener in [false, true] {
            let (mut pair, opener, acceptor) = ends(is_call).await;
            let (mut dropped, mut left) = if is_opener { (opener, acceptor) } else { (acceptor, opener) };
            pair.run(async {
                dropped.write_all(b"farewell").await.unwrap();
                left.write_all(b"unread").await.unwrap();
                drop(dropped);
                let mut read = [0; 8];
                left.read_exact(&mut read).await.unwrap();
                assert_eq!(&read, b"farewell");
                poll_fn(|cx| if left.is_over(cx) { Poll::Ready(()) } else { Poll::Pending }).await;
                // Nobody reads it, and nobody waits for room.
                left.write_all(&some_bytes(LONG, 1)).await.unwrap();
                let _ = all_of(&mut left).await;
            })
            .await;
            let streams = [pair.supervisor.handle.streams(), pair.worker.handle.streams()];
            assert_eq!(streams, [0, 0], "{is_call} {is_opener}");
            assert!(!pair.supervisor.handle.is_closed() && !pair.worker.handle.is_closed());
        }
    }
}

#[tokio::test]
async fn a_transport_that_is_dropped_while_its_writer_waits_wakes_it() {
    let (mut pair, mut opener, acceptor) = ends(true).await;
    let bytes = some_bytes(LONG, 1);
    let written = fill(&mut opener, &bytes);
    assert!(written < bytes.len());
    pair.run(async {
        tokio::join!(
            async {
                tokio::task::yield_now().await;
                drop(acceptor);
            },
            async { opener.write_all(&bytes[written..]).await.unwrap() },
        );
    })
    .await;
    assert_eq!([pair.supervisor.handle.streams(), pair.worker.handle.streams()], [0, 0]);
}

#[tokio::test]
async fn a_stream_that_is_reset_is_an_error_for_the_reader_and_not_an_end() {
    // The acceptor fails it, behind what it has sent.
    let (mut pair, opener, acceptor) = upgraded(true).await;
    let mut io = StreamIo::new(opener.sender, opener.receiver);
    pair.run(async {
        crate::pair::send(&acceptor.sender, &mut some_bytes(5, 1), false).await.unwrap();
        acceptor.sender.fail(&StreamError::new(StreamErrorKind::BodyFailed, "it broke"));
        let mut read = BytesMut::new();
        let failed = loop {
            match io.read_buf(&mut read).await {
                Ok(length) => assert_ne!(length, 0, "an end"),
                Err(error) => break error,
            }
        };
        assert_eq!(failed.to_string(), "it broke");
        assert_eq!(read, some_bytes(5, 1));
        io.write_all(b"lost").await.unwrap();
    })
    .await;
    // The opener cancels it.
    let (mut pair, opener, acceptor) = upgraded(false).await;
    let mut io = StreamIo::new(acceptor.sender, acceptor.receiver);
    pair.run(async {
        opener.sender.cancel();
        assert_eq!(all_of(&mut io).await.unwrap_err().to_string(), Failure::Over.to_string());
        assert!(poll_fn(|cx| Poll::Ready(io.is_over(cx))).await);
    })
    .await;
}

#[tokio::test]
async fn the_end_of_the_connection_ends_what_it_carries() {
    let (mut pair, mut opener, mut acceptor) = ends(true).await;
    pair.run(opener.write_all(b"first")).await.unwrap();
    pair.run(async {}).await;
    pair.worker.connection = None;
    let failed = pair.run(async {
        let mut first = [0; 5];
        acceptor.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"first");
        all_of(&mut acceptor).await.unwrap_err()
    });
    assert_eq!(failed.await.to_string(), "the connection ended");
    assert_eq!(all_of(&mut opener).await.unwrap_err().to_string(), "the connection ended");
    for io in [&mut opener, &mut acceptor] {
        io.write_all(&some_bytes(LONG, 1)).await.unwrap();
        io.shutdown().await.unwrap();
        assert!(poll_fn(|cx| Poll::Ready(io.is_over(cx))).await);
    }
}

#[tokio::test]
async fn an_end_with_trailers_is_an_end() {
    let (mut pair, opener, acceptor) = upgraded(false).await;
    let mut io = StreamIo::new(acceptor.sender, acceptor.receiver);
    pair.run(async {
        let trailers: HeaderBlock = crate::frames::block(&vec![(b"a".to_vec(), b"b".to_vec())]);
        opener.sender.end(&trailers).unwrap();
        assert_eq!(all_of(&mut io).await.unwrap(), b"");
    })
    .await;
}
