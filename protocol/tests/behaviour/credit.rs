//! A reader that stops reading blocks only its own sender.

use nano_protocol::limits::{MAX_BODY_CHUNK, STREAM_WINDOW};
use nano_protocol::{Failure, ProtocolError, Side};

use crate::frames::{Sent, opening};
use crate::pair::{Pair, Raw, body, chunk, head, open, respond, send, some_bytes};

const LONG: usize = 8 * STREAM_WINDOW;

/// Sends until `other` completes. Panics if the sending completes first.
async fn stalled(sending: impl Future<Output = Result<(), Failure>>, other: impl Future<Output = ()>) {
    let mut sending = std::pin::pin!(sending);
    let mut other = std::pin::pin!(other);
    std::future::poll_fn(|cx| {
        assert!(sending.as_mut().poll(cx).is_pending(), "the window is smaller than the body");
        other.as_mut().poll(cx)
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_does_not_read_a_body_stops_it_at_the_window_while_another_body_goes_on() {
    let mut pair = Pair::new();
    let (handle, worker) = (pair.supervisor.handle.clone(), pair.worker.arrived.clone());
    let (stopped, _first) = open(&handle, false);
    let (going, _second) = open(&handle, false);
    let mut data = some_bytes(LONG, 1);
    let unread = pair
        .run(async {
            let unread = worker.stream().await;
            let read = worker.stream().await;
            stalled(send(&stopped, &mut data, true), async {
                let mut other = some_bytes(LONG, 2);
                let (sent, received) = tokio::join!(send(&going, &mut other, true), body(&read.receiver));
                sent.unwrap();
                assert!(received.unwrap() == some_bytes(LONG, 2));
            })
            .await;
            unread
        })
        .await;
    assert_eq!(data.len(), LONG - STREAM_WINDOW, "exactly the window has been sent");
    pair.run(async {
        let (sent, received) = tokio::join!(send(&stopped, &mut data, true), body(&unread.receiver));
        sent.unwrap();
        assert!(received.unwrap() == some_bytes(LONG, 1), "and goes on when it is read");
    })
    .await;
}

#[tokio::test]
async fn a_client_that_does_not_read_a_response_stops_it_at_the_window_while_another_response_goes_on() {
    let mut pair = Pair::new();
    let (handle, worker) = (pair.supervisor.handle.clone(), pair.worker.arrived.clone());
    let (_slow, unread) = open(&handle, true);
    let (_fast, read) = open(&handle, true);
    let mut data = some_bytes(LONG, 3);
    let slow = pair
        .run(async {
            let slow = worker.stream().await;
            let fast = worker.stream().await;
            respond(&slow.sender, 200, &vec![], false);
            respond(&fast.sender, 200, &vec![], false);
            stalled(send(&slow.sender, &mut data, true), async {
                let mut other = some_bytes(LONG, 4);
                let (sent, received) = tokio::join!(send(&fast.sender, &mut other, true), body(&read));
                sent.unwrap();
                assert!(received.unwrap() == some_bytes(LONG, 4));
            })
            .await;
            slow
        })
        .await;
    assert_eq!(data.len(), LONG - STREAM_WINDOW, "exactly the window has been sent");
    let received = pair
        .run(async {
            let (sent, received) = tokio::join!(send(&slow.sender, &mut data, true), body(&unread));
            sent.unwrap();
            received.unwrap()
        })
        .await;
    assert!(received == some_bytes(LONG, 3), "and goes on when it is read");
}

/// Returns frames of a peer that carry `length` body bytes on a stream.
fn bodies(stream: u64, mut length: usize) -> Vec<Sent> {
    let mut frames = Vec::new();
    while length > 0 {
        let part = length.min(MAX_BODY_CHUNK);
        frames.push(Sent::Body { stream, end: false, data: vec![0; part] });
        length -= part;
    }
    frames
}

fn response(stream: u64) -> Sent {
    Sent::Response { stream, end: false, status: 200, fields: vec![] }
}

/// Sends a frame from the peer and waits until the end has read it: a whole window does not fit into the socket.
async fn take_in(raw: &mut Raw, frame: Sent) {
    raw.send(&[frame]);
    raw.take_in().await;
}

#[tokio::test]
async fn bytes_that_are_read_become_credit_half_a_window_at_a_time() {
    let mut raw = Raw::new(Side::Supervisor);
    let (_sender, receiver) = open(&raw.end.handle, true);
    raw.send(&[response(1)]);
    raw.send(&bodies(1, STREAM_WINDOW / 2));
    raw.run(async {
        let mut received = 0;
        while received < STREAM_WINDOW / 2 - 1 {
            received += chunk(&receiver).await.unwrap().unwrap().len();
        }
    })
    .await;
    raw.run(async {}).await;
    let received = raw.received();
    let credit = Sent::Credit { stream: 1, bytes: (STREAM_WINDOW / 2) as u32 };
    assert_eq!(received[1..], [credit]);
}

#[tokio::test]
async fn bytes_that_nobody_reads_become_no_credit() {
    let mut raw = Raw::new(Side::Supervisor);
    let (_sender, receiver) = open(&raw.end.handle, true);
    raw.send(&[response(1)]);
    for part in bodies(1, STREAM_WINDOW) {
        take_in(&mut raw, part).await;
    }
    assert_eq!(raw.run(head(&receiver)).await.unwrap().status, 200);
    assert_eq!(raw.received().len(), 1, "the request and nothing else");
}

#[tokio::test]
async fn a_worker_that_sends_beyond_its_credit_ends_the_connection_and_every_stream() {
    let mut raw = Raw::new(Side::Supervisor);
    let handle = raw.end.handle.clone();
    let streams = [open(&handle, true), open(&handle, false), open(&handle, true)];
    raw.flush().await;
    raw.send(&[response(1), response(3)]);
    for part in bodies(3, STREAM_WINDOW) {
        take_in(&mut raw, part).await;
    }
    raw.send(&bodies(3, 1));
    let ended = raw.ended().await;
    assert!(matches!(ended, Err(ProtocolError::CreditExceeded(3))), "{ended:?}");
    assert!(handle.is_closed());
    assert_eq!(handle.streams(), 0);
    let closed = Failure::Closed { reached: true };
    assert_eq!(head(&streams[0].1).await.unwrap().status, 200, "what has come before is there");
    assert_eq!(body(&streams[0].1).await, Err(closed.clone()));
    assert_eq!(body(&streams[1].1).await, Err(closed.clone()));
    assert_eq!(head(&streams[2].1).await, Err(closed.clone()));
    assert_eq!(send(&streams[1].0, &mut some_bytes(1, 0), true).await, Err(closed));
}

#[tokio::test]
async fn a_supervisor_that_sends_beyond_its_credit_ends_the_connection_and_every_stream() {
    let mut raw = Raw::new(Side::Worker);
    raw.send(&[opening(1), opening(3)]);
    let arrived = raw.end.arrived.clone();
    let first = raw.run(arrived.stream()).await;
    let second = raw.run(arrived.stream()).await;
    for part in bodies(1, STREAM_WINDOW) {
        take_in(&mut raw, part).await;
    }
    raw.send(&[Sent::Body { stream: 1, end: true, data: vec![0] }]);
    let ended = raw.ended().await;
    assert!(matches!(ended, Err(ProtocolError::CreditExceeded(1))), "{ended:?}");
    for request in [&first, &second] {
        assert!(request.sender.is_over());
        assert!(matches!(body(&request.receiver).await, Err(Failure::Closed { .. })));
    }
}

#[tokio::test]
async fn credit_beyond_the_window_is_refused() {
    for bytes in [1, STREAM_WINDOW as u32, u32::MAX] {
        let mut raw = Raw::new(Side::Supervisor);
        let (_sender, receiver) = open(&raw.end.handle, false);
        raw.send(&[Sent::Credit { stream: 1, bytes }]);
        let ended = raw.ended().await;
        assert!(matches!(ended, Err(ProtocolError::Unexpected("credit beyond the window"))), "{ended:?}");
        assert!(matches!(head(&receiver).await, Err(Failure::Closed { .. })));
    }
}

#[tokio::test]
async fn credit_lets_a_waiting_sender_go_on() {
    let mut raw = Raw::new(Side::Supervisor);
    let (sender, _receiver) = open(&raw.end.handle, false);
    let mut data = some_bytes(STREAM_WINDOW + 10, 0);
    let mut noop = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(sender.poll_send(&mut noop, &mut data, true).is_pending());
    assert_eq!(data.len(), 10);
    raw.send(&[Sent::Credit { stream: 1, bytes: 4 }, Sent::Credit { stream: 1, bytes: 6 }]);
    raw.run(send(&sender, &mut data, true)).await.unwrap();
    assert!(sender.is_complete());
}
