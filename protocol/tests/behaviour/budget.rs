//! The memory that the bodies of an app hold is bounded, even if nobody reads them.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use nano_protocol::limits::{FIRST_WINDOW, LEAST_WINDOW, MAX_UNSENT_BODIES, MOST_WINDOW, STREAM_WINDOW};
use nano_protocol::{Budget, Chunk, ProtocolError, Receiver, Side};

use crate::frames::Sent;
use crate::pair::{Accepted, Pair, Raw, open, open_with, respond, send, some_bytes};

const LONG: usize = 4 * MOST_WINDOW;

/// Creates a pair whose supervisor has a budget of `max` bytes for responses.
fn pair(max: usize) -> (Pair, Arc<Budget>) {
    let (pair, budget) = (Pair::new(), Arc::new(Budget::new(max, None)));
    pair.supervisor.handle.set_budget(budget.clone());
    (pair, budget)
}

/// Lets the worker send as much as credit allows. Returns that number of bytes and the received parts.
async fn pour(pair: &mut Pair, request: &Accepted, receiver: &Receiver) -> (usize, Vec<Chunk>) {
    let mut data = some_bytes(LONG, 1);
    let mut noop = Context::from_waker(Waker::noop());
    pair.run(std::future::poll_fn(|cx| request.sender.poll_room(cx))).await;
    assert!(request.sender.poll_send(&mut noop, &mut data, true).is_pending());
    let sent = LONG - data.len();
    let mut parts = Vec::new();
    let mut received = 0;
    pair.run(std::future::poll_fn(|cx| {
        while received < sent {
            match receiver.poll_part(cx) {
                Poll::Ready(part) => parts.push(part.expect("no error").expect("not the end")),
                Poll::Pending => return Poll::Pending,
            }
            received += parts.last().map_or(0, Chunk::len);
        }
        Poll::Ready(())
    }))
    .await;
    (sent, parts)
}

/// Opens a stream whose response has begun.
async fn begin(pair: &mut Pair) -> (Accepted, Receiver) {
    let (_sender, receiver) = open(&pair.supervisor.handle, true);
    let arrived = pair.worker.arrived.clone();
    let request = pair.run(arrived.stream()).await;
    respond(&request.sender, 200, &vec![], false);
    (request, receiver)
}

#[tokio::test]
async fn bytes_count_until_who_passes_them_on_has_dropped_them() {
    let (mut pair, budget) = pair(64 * MOST_WINDOW);
    let (request, receiver) = begin(&mut pair).await;
    let (sent, mut parts) = pour(&mut pair, &request, &receiver).await;
    assert_eq!((sent, budget.held()), (FIRST_WINDOW, FIRST_WINDOW));
    // Nothing more arrives while the parts are held, and the rest of a part still counts.
    let mut first = parts.remove(0);
    drop(parts);
    let beginning = first.split_to(10);
    drop(first);
    assert_eq!(budget.held(), 10);
    drop(beginning);
    assert_eq!(budget.held(), 0);
    let (more, parts) = pour(&mut pair, &request, &receiver).await;
    assert!(more >= FIRST_WINDOW, "{more}");
    drop((parts, request, receiver));
    pair.run(async {}).await;
    assert_eq!(budget.held(), 0);
}

#[tokio::test]
async fn a_window_grows_for_a_reader_that_keeps_up() {
    let (mut pair, _budget) = pair(64 * MOST_WINDOW);
    let (request, receiver) = begin(&mut pair).await;
    let mut windows = Vec::new();
    for _ in 0..6 {
        let (sent, parts) = pour(&mut pair, &request, &receiver).await;
        drop(parts);
        windows.push(sent);
    }
    assert_eq!(windows[0], FIRST_WINDOW);
    assert!(windows.is_sorted() && windows[5] > FIRST_WINDOW && windows[5] <= MOST_WINDOW, "{windows:?}");
}

#[tokio::test]
async fn who_comes_when_much_is_promised_gets_the_least_and_it_is_enough() {
    let (mut pair, _budget) = pair(4 * FIRST_WINDOW);
    let mut streams = Vec::new();
    for _ in 0..5 {
        streams.push(begin(&mut pair).await);
    }
    let mut windows = Vec::new();
    for (request, receiver) in &streams {
        windows.push(pour(&mut pair, request, receiver).await);
    }
    let sent: Vec<_> = windows.iter().map(|(sent, _)| *sent).collect();
    assert_eq!(sent, [FIRST_WINDOW, FIRST_WINDOW, FIRST_WINDOW, LEAST_WINDOW, LEAST_WINDOW]);
    // The least window, too, is enough to transfer a whole body.
    drop(windows);
    pair.run(async {}).await;
    let (request, receiver) = streams.pop().unwrap();
    let mut data = some_bytes(LONG, 2);
    let (sent, received) = pair
        .run(async { tokio::join!(send(&request.sender, &mut data, true), crate::pair::body(&receiver)) })
        .await;
    sent.unwrap();
    assert_eq!(received.unwrap().len(), LONG);
}

#[tokio::test]
async fn bodies_for_a_worker_that_reads_nothing_wait_in_front_of_the_connection() {
    let mut raw = Raw::new(Side::Supervisor);
    let handle = raw.end.handle.clone();
    let budget = Arc::new(Budget::new(1 << 30, None));
    handle.set_budget(budget.clone());
    let streams: Vec<_> = (0..20).map(|_| open(&handle, false)).collect();
    let mut bodies = vec![some_bytes(STREAM_WINDOW, 0); streams.len()];
    let mut noop = Context::from_waker(Waker::noop());
    raw.run(async {}).await;
    for ((sender, _), body) in streams.iter().zip(&mut bodies) {
        let _ = sender.poll_send(&mut noop, body, true);
    }
    assert!(handle.unsent() < MAX_UNSENT_BODIES + STREAM_WINDOW, "{}", handle.unsent());
    assert!(streams.last().unwrap().0.poll_room(&mut noop).is_pending());
    raw.run(async {}).await;
    assert_eq!(budget.held(), handle.unsent());
    // The worker begins to read, and all bodies arrive.
    let all = async {
        for ((sender, _), body) in streams.iter().zip(&mut bodies) {
            send(sender, body, true).await.unwrap();
        }
    };
    let mut all = std::pin::pin!(all);
    let mut is_sent = false;
    let mut received = 0;
    let mut bytes = Vec::new();
    while received < streams.len() {
        raw.run(std::future::poll_fn(|cx| {
            is_sent = is_sent || all.as_mut().poll(cx).is_ready();
            Poll::Ready(())
        }))
        .await;
        bytes.extend(raw.received_bytes());
        let frames = crate::frames::joined(crate::frames::arrive(&bytes, &[]).unwrap_or_default());
        received = frames.iter().filter(|frame| matches!(frame, Sent::Body { end: true, .. })).count();
        tokio::task::yield_now().await;
    }
    raw.run(async {}).await;
    assert_eq!((handle.unsent(), budget.held()), (0, 0));
}

#[tokio::test]
async fn heads_that_were_given_up_are_kept_for_a_worker_that_reads_nothing_up_to_a_limit() {
    let mut raw = Raw::new(Side::Supervisor);
    let handle = raw.end.handle.clone();
    let fields = [(b"long".to_vec(), vec![b'a'; 30_000])];
    let try_open = || open_with(&handle, &fields, true);
    // The kernel takes some of them. Other limits bound the streams that wait for an answer.
    let waiting: Vec<_> = (0..200).map(|_| try_open().unwrap()).collect();
    raw.run(async {}).await;
    let before = handle.unsent();
    let mut given_up = 0;
    while let Ok((sender, _receiver)) = try_open() {
        sender.cancel();
        given_up += 1;
        assert!(given_up < 1000, "no end: {}", handle.unsent());
    }
    assert!(matches!(try_open(), Err(ProtocolError::Behind)));
    let kept = handle.unsent() - before;
    assert!((MAX_UNSENT_BODIES..MAX_UNSENT_BODIES + 64 * 1024).contains(&kept), "{kept}");
    // The worker reads again, which makes room.
    while handle.unsent() > 0 {
        raw.run(async {}).await;
        raw.received_bytes();
        tokio::task::yield_now().await;
    }
    assert_eq!(handle.streams(), waiting.len());
    try_open().unwrap();
}
