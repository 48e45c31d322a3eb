//! Queueing and writing: one write per tick, nothing earlier, and nothing is lost.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use nano_protocol::frame::HEADER_LEN;
use nano_protocol::limits::{INLINE_BELOW, MAX_BODY_CHUNK, MAX_ERROR, MAX_HEAD, STREAM_WINDOW};
use nano_protocol::message::{Control, StreamError, StreamErrorKind};
use nano_protocol::outbox::Outbox;
use nano_protocol::{Failure, Side};

use crate::frames::Sent;
use crate::pair::{Pair, Raw, borrow, head, open, open_with, respond, send, some_bytes, within};

#[tokio::test]
async fn nothing_leaves_before_the_connection_is_polled_and_then_everything_does() {
    let mut raw = Raw::new(Side::Supervisor);
    let handle = raw.end.handle.clone();
    raw.writable().await;
    let first = open(&handle, false);
    let after_one = handle.unsent();
    assert!(after_one > HEADER_LEN);
    let second = open(&handle, true);
    handle.control(&Control::Ping(5)).unwrap();
    send(&first.0, &mut some_bytes(5000, 0), true).await.unwrap();
    assert_eq!(handle.unsent(), 2 * after_one + HEADER_LEN + 1 + HEADER_LEN + 5000);
    assert_eq!(raw.received(), [], "no byte has left");
    raw.flush().await;
    assert_eq!(handle.unsent(), 0);
    let received = raw.received();
    assert!(
        matches!(
            received[..],
            [
                Sent::Request { stream: 1, end: false, .. },
                Sent::Request { stream: 3, end: true, .. },
                Sent::Control(Control::Ping(5)),
                Sent::Body { stream: 1, end: true, .. },
                ..
            ]
        ),
        "{received:?}"
    );
    drop(second);
    assert_eq!(handle.unsent(), HEADER_LEN, "its cancel waits for the next tick");
}

#[derive(Debug, Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn queueing_wakes_the_driver_once_per_tick() {
    for side in [Side::Supervisor, Side::Worker] {
        let mut raw = Raw::new(side);
        raw.writable().await;
        let count = Arc::new(Count::default());
        let waker = Waker::from(count.clone());
        let connection = raw.end.connection.as_mut().unwrap();
        assert!(connection.poll_next(&mut Context::from_waker(&waker)).is_pending());
        for tick in 1..=3 {
            for number in 0..10 {
                raw.end.handle.control(&Control::Ping(number)).unwrap();
            }
            assert_eq!(count.0.load(Ordering::Relaxed), tick, "{side:?}");
            let connection = raw.end.connection.as_mut().unwrap();
            assert!(connection.poll_next(&mut Context::from_waker(&waker)).is_pending());
            assert_eq!(raw.end.handle.unsent(), 0);
        }
    }
}

#[tokio::test]
async fn what_is_queued_leaves_although_the_peer_never_pauses() {
    let mut raw = Raw::new(Side::Supervisor);
    raw.writable().await;
    raw.end.handle.control(&Control::Ping(1)).unwrap();
    let noise = vec![Sent::Control(Control::Pong(0)); 4000];
    raw.send(&noise);
    let connection = raw.end.connection.as_mut().unwrap();
    for _ in 0..noise.len() {
        assert!(within(connection.next()).await.unwrap().is_some());
    }
    assert_eq!(raw.end.handle.unsent(), 0, "the socket was never found empty, and yet");
}

#[tokio::test]
async fn a_flush_waits_for_a_peer_that_does_not_read() {
    let mut raw = Raw::new(Side::Supervisor);
    let handle = raw.end.handle.clone();
    let mut streams = Vec::new();
    for number in 0..7 {
        let (sender, receiver) = open(&handle, false);
        send(&sender, &mut some_bytes(STREAM_WINDOW, number), true).await.unwrap();
        streams.push((sender, receiver));
    }
    let queued = handle.unsent();
    raw.run(async {}).await;
    let mut received = Vec::new();
    while received.len() < queued {
        let connection = raw.end.connection.as_mut().unwrap();
        let flushed = poll_fn(|cx| Poll::Ready(connection.poll_flush(cx).is_ready())).await;
        assert_eq!(flushed, handle.unsent() == 0);
        received.extend(raw.received_bytes());
        tokio::task::yield_now().await;
    }
    let frames = crate::frames::joined(crate::frames::arrive(&received, &[]).unwrap());
    for (number, frame) in frames.iter().filter(|frame| matches!(frame, Sent::Body { .. })).enumerate() {
        let Sent::Body { data, end: true, .. } = frame else { panic!("a whole body: {frame:?}") };
        assert!(*data == some_bytes(STREAM_WINDOW, number));
    }
}

#[test]
fn a_large_chunk_is_written_from_where_it_is() {
    let (small, large) = (Bytes::from(vec![1; INLINE_BELOW - 1]), Bytes::from(vec![2; INLINE_BELOW]));
    let mut outbox = Outbox::default();
    outbox.chunk(1, false, small);
    outbox.chunk(1, false, large.clone());
    outbox.chunk(1, true, Bytes::new());
    let mut slices = Outbox::empty_slices();
    assert_eq!(outbox.slices(&mut slices), 3, "what is before it, itself, what is behind it");
    assert_eq!(slices[1].as_ptr(), large.as_ptr());
    assert_eq!(slices[0].len(), HEADER_LEN + INLINE_BELOW - 1 + HEADER_LEN);
}

#[tokio::test]
async fn a_body_is_cut_into_frames_within_the_limit() {
    let mut raw = Raw::new(Side::Supervisor);
    let (sender, _receiver) = open(&raw.end.handle, false);
    let mut data = some_bytes(2 * MAX_BODY_CHUNK, 0);
    send(&sender, &mut data, true).await.unwrap();
    let mut seen = Vec::new();
    while raw.end.handle.unsent() > 0 {
        raw.run(async {}).await;
        seen.extend(raw.received_bytes());
        tokio::task::yield_now().await;
    }
    let bodies = crate::frames::arrive(&seen, &[]).unwrap().into_iter().filter_map(|frame| match frame {
        Sent::Body { end, data, .. } => Some((end, data.len())),
        _ => None,
    });
    assert_eq!(bodies.collect::<Vec<_>>(), [(false, MAX_BODY_CHUNK), (true, MAX_BODY_CHUNK)]);
}

#[tokio::test]
async fn a_request_head_that_is_too_large_is_refused_without_a_trace() {
    let raw = Raw::new(Side::Supervisor);
    let handle = raw.end.handle.clone();
    let refused = open_with(&handle, &[(b"x".to_vec(), vec![0; MAX_HEAD])], true).unwrap_err();
    assert!(refused.to_string().contains("over the limit"), "{refused}");
    assert_eq!((handle.streams(), handle.unsent()), (0, 0));
    open(&handle, true);
}

#[tokio::test]
async fn a_response_head_that_is_too_large_leaves_the_stream_to_be_failed() {
    let mut pair = Pair::new();
    let (_sender, receiver) = open(&pair.supervisor.handle, true);
    let worker = pair.worker.arrived.clone();
    let error = StreamError::new(StreamErrorKind::NotAResponse, "too large");
    let seen = pair
        .run(async {
            let request = worker.stream().await;
            let fields = [(b"x".to_vec(), vec![0; MAX_HEAD])];
            assert_eq!(request.sender.respond(200, 1, borrow(&fields), false), Err(Failure::Over));
            assert!(!request.sender.is_over());
            request.sender.fail(&error);
            assert!(request.sender.is_over());
            head(&receiver).await
        })
        .await;
    assert_eq!(seen, Err(Failure::Peer(error)));
}

#[tokio::test]
async fn an_error_whose_text_is_too_long_arrives_without_it() {
    let mut pair = Pair::new();
    let (_sender, receiver) = open(&pair.supervisor.handle, true);
    let worker = pair.worker.arrived.clone();
    let seen = pair
        .run(async {
            let request = worker.stream().await;
            let message = "x".repeat(MAX_ERROR);
            request.sender.fail(&StreamError::new(StreamErrorKind::HandlerFailed, message));
            head(&receiver).await
        })
        .await;
    let bare = StreamError::new(StreamErrorKind::HandlerFailed, "");
    assert_eq!(seen, Err(Failure::Peer(bare)));
}

#[tokio::test]
async fn a_message_that_is_too_long_does_not_harm_the_connection() {
    let mut pair = Pair::new();
    let (handle, worker) = (pair.supervisor.handle.clone(), pair.worker.arrived.clone());
    let log = nano_protocol::message::Loaded::Failed("x".repeat(2 << 20));
    assert!(handle.control(&Control::Loaded(log)).is_err());
    handle.control(&Control::Drain).unwrap();
    assert_eq!(pair.run(worker.message()).await, Control::Drain);
}

#[tokio::test]
async fn everything_sent_for_a_stream_that_is_over_is_dropped_here() {
    let mut pair = Pair::new();
    let (_sender, receiver) = open(&pair.supervisor.handle, true);
    let worker = pair.worker.arrived.clone();
    pair.run(async {
        let request = worker.stream().await;
        respond(&request.sender, 200, &vec![], true);
        head(&receiver).await.unwrap();
        assert_eq!(send(&request.sender, &mut some_bytes(1, 0), true).await, Err(Failure::Over));
        assert_eq!(request.sender.end(&request.receiver.trailers()), Err(Failure::Over));
        assert_eq!(request.sender.respond(200, 0, borrow(&[]), true), Err(Failure::Over));
        request.sender.fail(&StreamError::new(StreamErrorKind::BodyFailed, ""));
    })
    .await;
    assert_eq!(pair.worker.handle.unsent(), 0);
}
