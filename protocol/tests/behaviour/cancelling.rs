//! Streams that either side cancels while the connection goes on.

use std::future::poll_fn;

use nano_protocol::message::{StreamError, StreamErrorKind};
use nano_protocol::{Failure, Side};

use crate::frames::{Sent, opening};
use crate::pair::{Pair, Raw, body, call, chunk, head, open, respond, send, some_bytes};

#[tokio::test]
async fn dropping_the_receiver_cancels_the_request_at_the_worker() {
    let mut pair = Pair::new();
    let (handle, worker) = (pair.supervisor.handle.clone(), pair.worker.arrived.clone());
    let (sender, receiver) = open(&handle, false);
    pair.run(async {
        let request = worker.stream().await;
        drop(receiver);
        assert_eq!(poll_fn(|cx| request.receiver.poll_over(cx)).await, Failure::Over);
        assert_eq!(poll_fn(|cx| request.sender.poll_over(cx)).await, Failure::Over);
        assert_eq!(body(&request.receiver).await, Err(Failure::Over));
        assert_eq!(send(&request.sender, &mut some_bytes(9, 0), true).await, Err(Failure::Over));
    })
    .await;
    assert!(sender.is_over());
    assert_eq!((handle.streams(), pair.worker.handle.streams()), (0, 0));
    assert_eq!(pair.worker.handle.unsent(), 0, "nothing is said about it");
}

#[tokio::test]
async fn an_upload_that_breaks_off_cancels_the_request_at_the_worker() {
    let mut pair = Pair::new();
    let (sender, receiver) = open(&pair.supervisor.handle, false);
    let worker = pair.worker.arrived.clone();
    pair.run(async {
        let request = worker.stream().await;
        send(&sender, &mut some_bytes(10, 0), false).await.unwrap();
        sender.cancel();
        assert_eq!(chunk(&request.receiver).await.unwrap().unwrap(), some_bytes(10, 0));
        assert_eq!(body(&request.receiver).await, Err(Failure::Over), "and not the end of the body");
    })
    .await;
    assert_eq!(head(&receiver).await, Err(Failure::Over));
}

#[tokio::test]
async fn a_request_is_cancelled_once_and_not_after_its_response() {
    let mut raw = Raw::new(Side::Supervisor);
    let handle = raw.end.handle.clone();
    let (cancelled, complete) = (open(&handle, false), open(&handle, true));
    raw.send(&[Sent::Response { stream: 3, end: true, status: 204, fields: vec![] }]);
    raw.run(head(&complete.1)).await.unwrap();
    cancelled.0.cancel();
    cancelled.0.cancel();
    drop((cancelled, complete));
    raw.run(async {}).await;
    assert_eq!(raw.received()[2..], [Sent::Cancel { stream: 1 }]);
}

#[tokio::test]
async fn a_workers_error_reaches_the_supervisor_before_the_head() {
    let mut pair = Pair::new();
    let (sender, receiver) = open(&pair.supervisor.handle, false);
    let worker = pair.worker.arrived.clone();
    let error = StreamError::new(StreamErrorKind::Watchdog, "too long");
    let failure = Failure::Peer(error.clone());
    pair.run(async {
        worker.stream().await.sender.fail(&error);
        assert_eq!(head(&receiver).await, Err(failure.clone()));
        assert_eq!(body(&receiver).await, Err(failure.clone()));
        assert_eq!(send(&sender, &mut some_bytes(1, 0), true).await, Err(failure.clone()));
        assert_eq!(poll_fn(|cx| sender.poll_over(cx)).await, failure);
    })
    .await;
}

#[tokio::test]
async fn a_workers_error_reaches_the_supervisor_after_what_was_sent_before() {
    let mut pair = Pair::new();
    let (_sender, receiver) = open(&pair.supervisor.handle, true);
    let worker = pair.worker.arrived.clone();
    let error = StreamError::new(StreamErrorKind::BodyFailed, "stream");
    pair.run(async {
        let request = worker.stream().await;
        respond(&request.sender, 200, &vec![], false);
        send(&request.sender, &mut some_bytes(100, 0), false).await.unwrap();
        request.sender.fail(&error);
        assert_eq!(poll_fn(|cx| receiver.poll_over(cx)).await, Failure::Peer(error.clone()));
        assert_eq!(head(&receiver).await.unwrap().status, 200);
        assert_eq!(chunk(&receiver).await.unwrap().unwrap(), some_bytes(100, 0));
        assert_eq!(chunk(&receiver).await.unwrap(), Err(Failure::Peer(error)));
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_drops_a_request_has_failed_it() {
    let mut pair = Pair::new();
    let (_sender, receiver) = open(&pair.supervisor.handle, true);
    let worker = pair.worker.arrived.clone();
    let failure = pair
        .run(async {
            drop(worker.stream().await);
            head(&receiver).await.unwrap_err()
        })
        .await;
    let Failure::Peer(error) = failure else { panic!("{failure:?}") };
    assert_eq!(error.kind, StreamErrorKind::HandlerFailed);
    assert_eq!(pair.worker.handle.streams(), 0);
}

/// Returns every frame that a peer may have sent for a stream, opened by us or by the peer, before it learned of its end.
fn late(stream: u64, is_ours: bool) -> Vec<Sent> {
    let error = StreamError::new(StreamErrorKind::HandlerFailed, "late");
    let common = [
        Sent::Body { stream, end: false, data: vec![0; 5000] },
        Sent::Body { stream, end: true, data: vec![0] },
        Sent::End { stream, trailers: vec![] },
        Sent::Credit { stream, bytes: u32::MAX },
    ];
    let own = match is_ours {
        true => vec![
            Sent::Response { stream, end: false, status: 200, fields: vec![] },
            Sent::Response { stream, end: false, status: 200, fields: vec![] },
            Sent::Error { stream, error },
        ],
        false => vec![Sent::Cancel { stream }, Sent::Cancel { stream }],
    };
    own.into_iter().chain(common).collect()
}

#[tokio::test]
async fn frames_for_streams_that_are_over_are_dropped() {
    for side in [Side::Supervisor, Side::Worker] {
        let mut raw = Raw::new(side);
        // A stream that this side has cancelled, and a stream that it has answered.
        let own = match side {
            Side::Supervisor => open(&raw.end.handle, false),
            Side::Worker => call(&raw.end.handle, false).unwrap(),
        };
        drop(own);
        raw.send(&late(if side == Side::Supervisor { 1 } else { 2 }, true));
        let theirs = if side == Side::Supervisor { 2 } else { 1 };
        raw.send(&[opening(theirs)]);
        let arrived = raw.end.arrived.clone();
        respond(&raw.run(arrived.stream()).await.sender, 200, &vec![], true);
        raw.send(&late(theirs, false));
        raw.take_in().await;
        assert!(!raw.end.handle.is_closed());
    }
}

#[tokio::test]
async fn a_cancelled_stream_does_not_disturb_its_neighbour() {
    let mut pair = Pair::new();
    let (handle, worker) = (pair.supervisor.handle.clone(), pair.worker.arrived.clone());
    let given_up = open(&handle, true);
    let (_sender, kept) = open(&handle, true);
    pair.run(async {
        let (first, second) = (worker.stream().await, worker.stream().await);
        respond(&first.sender, 200, &vec![], false);
        respond(&second.sender, 200, &vec![], false);
        send(&first.sender, &mut some_bytes(100_000, 1), false).await.unwrap();
        send(&second.sender, &mut some_bytes(100_000, 2), true).await.unwrap();
        drop(given_up);
        assert!(body(&kept).await.unwrap() == some_bytes(100_000, 2));
        poll_fn(|cx| first.receiver.poll_over(cx)).await;
    })
    .await;
}
