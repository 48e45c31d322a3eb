//! How connections end, and what their streams learn of it.

use std::future::poll_fn;
use std::task::Poll;

use nano_protocol::message::Control;
use nano_protocol::{Failure, ProtocolError, Side};

use crate::frames::{Sent, wire};
use crate::pair::{Pair, Raw, body, chunk, head, open, open_with, respond, send, some_bytes, within};

const UNREACHED: Failure = Failure::Closed { reached: false };
const REACHED: Failure = Failure::Closed { reached: true };

#[tokio::test]
async fn a_request_of_which_no_byte_was_written_has_not_reached_the_worker() {
    let mut raw = Raw::new(Side::Supervisor);
    let (sender, receiver) = open(&raw.end.handle, true);
    assert!(!sender.is_reached());
    raw.end.connection = None;
    assert_eq!(head(&receiver).await, Err(UNREACHED));
    assert_eq!(raw.received(), []);
}

#[tokio::test]
async fn a_request_that_was_written_may_have_reached_the_worker() {
    let mut raw = Raw::new(Side::Supervisor);
    let handle = raw.end.handle.clone();
    let written = open(&handle, true);
    raw.flush().await;
    let queued = open(&handle, true);
    assert!(written.0.is_reached() && !queued.0.is_reached());
    raw.end.connection = None;
    assert_eq!(head(&written.1).await, Err(REACHED));
    assert_eq!(head(&queued.1).await, Err(UNREACHED));
}

#[tokio::test]
async fn one_byte_is_enough_to_have_reached_the_worker() {
    let mut raw = Raw::new(Side::Supervisor);
    let handle = raw.end.handle.clone();
    raw.writable().await;
    // More than fits into the socket, so that one request is cut.
    let fields = [(b"x".to_vec(), vec![b'x'; 100_000])];
    let streams: Vec<_> = (0..20).map(|_| open_with(&handle, &fields, true).unwrap()).collect();
    raw.run(async {}).await;
    let unsent = handle.unsent();
    raw.end.connection = None;
    let written = raw.received_bytes();
    let each = (written.len() + unsent) / streams.len();
    assert_ne!(written.len() % each, 0, "a request is cut");
    for (number, (_, receiver)) in streams.iter().enumerate() {
        let expected = if number * each < written.len() { REACHED } else { UNREACHED };
        assert_eq!(head(receiver).await, Err(expected), "request {number}");
    }
}

#[tokio::test]
async fn a_peer_that_closes_between_frames_ends_the_connection_cleanly() {
    let mut pair = Pair::new();
    let (_sender, receiver) = open(&pair.supervisor.handle, true);
    let (supervisor, worker) = (pair.supervisor.arrived.clone(), pair.worker.arrived.clone());
    let request = pair.run(worker.stream()).await;
    pair.worker.connection = None;
    assert!(request.sender.is_over(), "its own streams are over as well");
    assert!(pair.run(supervisor.end()).await.is_ok());
    assert_eq!(head(&receiver).await, Err(REACHED));
}

#[tokio::test]
async fn a_peer_that_closes_inside_a_frame_tears_it() {
    let body = Sent::Body { stream: 1, end: true, data: vec![0; 5000] };
    let head = Sent::Response { stream: 1, end: true, status: 200, fields: vec![] };
    for (frame, cut) in
        [(&head, 1), (&head, 11), (&head, 12), (&head, 13), (&body, 12), (&body, 13), (&body, 5000)]
    {
        let mut raw = Raw::new(Side::Supervisor);
        let handle = raw.end.handle.clone();
        let (_sender, _receiver) = open(&handle, true);
        raw.send(&[Sent::Response { stream: 1, end: false, status: 200, fields: vec![] }]);
        raw.run(async {}).await;
        raw.write(&wire(std::slice::from_ref(frame))[..cut]);
        raw.peer.shutdown(std::net::Shutdown::Both).unwrap();
        let ended = raw.ended().await;
        assert!(matches!(ended, Err(ProtocolError::Disconnected)), "{frame:?} cut at {cut}: {ended:?}");
        assert!(handle.is_closed());
    }
}

#[tokio::test]
async fn what_was_sent_before_the_end_arrives_before_the_end() {
    let mut raw = Raw::new(Side::Supervisor);
    let (_sender, receiver) = open(&raw.end.handle, true);
    raw.flush().await;
    raw.received();
    raw.send(&[
        Sent::Response { stream: 1, end: false, status: 200, fields: vec![] },
        Sent::Body { stream: 1, end: true, data: vec![1; 100] },
        Sent::Control(Control::Pong(1)),
    ]);
    raw.peer.shutdown(std::net::Shutdown::Both).unwrap();
    assert!(raw.ended().await.is_ok());
    assert_eq!(head(&receiver).await.unwrap().status, 200);
    assert_eq!(body(&receiver).await.unwrap(), [1; 100]);
    let arrived = raw.end.arrived.clone();
    assert_eq!(raw.run(arrived.message()).await, Control::Pong(1));
}

#[tokio::test]
async fn what_was_sent_before_the_end_arrives_although_a_write_fails_first() {
    // A peer that dies with unread bytes resets the connection. A peer that has read everything closes it.
    for resets in [false, true] {
        let mut raw = Raw::new(Side::Supervisor);
        let handle = raw.end.handle.clone();
        let (_sender, receiver) = open(&handle, true);
        raw.flush().await;
        if !resets {
            raw.received();
        }
        // From here on, the end assumes that its socket is writable and empty, until the reactor reports otherwise.
        let connection = raw.end.connection.as_mut().unwrap();
        assert!(poll_fn(|cx| Poll::Ready(connection.poll_next(cx).is_pending())).await);
        raw.send(&[
            Sent::Response { stream: 1, end: false, status: 200, fields: vec![] },
            Sent::Body { stream: 1, end: true, data: vec![1; 100] },
        ]);
        raw.die();
        let (_late, unreached) = open(&handle, true);
        let ended = raw.ended().await;
        assert!(if resets { matches!(ended, Err(ProtocolError::Io(_))) } else { ended.is_ok() });
        assert_eq!(head(&receiver).await.unwrap().status, 200);
        assert_eq!(body(&receiver).await.unwrap(), [1; 100]);
        assert_eq!(head(&unreached).await, Err(UNREACHED));
    }
}

#[tokio::test]
async fn a_connection_that_finishes_ends_after_its_last_stream() {
    let mut pair = Pair::new();
    let (supervisor, worker) = (pair.supervisor.arrived.clone(), pair.worker.arrived.clone());
    let handle = pair.supervisor.handle.clone();
    let (_sender, receiver) = open(&handle, true);
    let (_queued, last) = open(&handle, true);
    handle.finish();
    assert!(handle.is_finishing() && !handle.is_closed());
    assert!(matches!(open_with(&handle, &[], true), Err(ProtocolError::Disconnected)), "no further stream");
    // Both streams were opened before the end, so both arrive.
    let (first, second) = (pair.run(worker.stream()).await, pair.run(worker.stream()).await);
    respond(&first.sender, 200, &vec![], true);
    assert_eq!(pair.run(head(&receiver)).await.unwrap().status, 200);
    assert!(!handle.is_closed());
    respond(&second.sender, 201, &vec![], true);
    assert_eq!(pair.run(head(&last)).await.unwrap().status, 201);
    assert!(pair.run(supervisor.end()).await.is_ok());
    pair.supervisor.connection = None;
    assert!(pair.run(worker.end()).await.is_ok());
}

#[tokio::test]
async fn a_connection_that_finishes_without_a_stream_ends_at_once_and_says_what_was_queued() {
    let mut pair = Pair::new();
    let (supervisor, worker) = (pair.supervisor.arrived.clone(), pair.worker.arrived.clone());
    let (sender, _receiver) = open(&pair.supervisor.handle, true);
    let request = pair.run(worker.stream()).await;
    sender.cancel();
    pair.supervisor.handle.finish();
    assert!(pair.run(supervisor.end()).await.is_ok());
    pair.supervisor.connection = None;
    assert!(pair.run(worker.end()).await.is_ok());
    assert!(request.sender.is_over());
}

#[tokio::test]
async fn nothing_more_is_sent_on_a_connection_that_has_ended() {
    let mut raw = Raw::new(Side::Supervisor);
    let handle = raw.end.handle.clone();
    let (sender, _receiver) = open(&handle, false);
    raw.peer.shutdown(std::net::Shutdown::Both).unwrap();
    assert!(raw.ended().await.is_ok());
    let before = handle.unsent();
    assert!(matches!(open_with(&handle, &[], true), Err(ProtocolError::Disconnected)));
    assert!(matches!(send(&sender, &mut some_bytes(1, 0), true).await, Err(Failure::Closed { .. })));
    handle.control(&Control::Drain).unwrap();
    assert_eq!(handle.unsent(), before);
}

#[tokio::test]
async fn a_body_that_is_complete_stays_readable_and_one_that_is_not_fails() {
    let mut pair = Pair::new();
    let (handle, worker) = (pair.supervisor.handle.clone(), pair.worker.arrived.clone());
    let (_first, complete) = open(&handle, true);
    let (_second, partial) = open(&handle, true);
    let requests = pair
        .run(async {
            let requests = (worker.stream().await, worker.stream().await);
            for (request, end) in [(&requests.0, true), (&requests.1, false)] {
                respond(&request.sender, 200, &vec![], false);
                send(&request.sender, &mut some_bytes(1000, 0), end).await.unwrap();
            }
            head(&complete).await.unwrap();
            head(&partial).await.unwrap();
            poll_fn(|cx| complete.poll_over(cx)).await;
            requests
        })
        .await;
    pair.supervisor.connection = None;
    assert!(body(&complete).await.unwrap() == some_bytes(1000, 0));
    chunk(&partial).await.unwrap().unwrap();
    assert_eq!(chunk(&partial).await.unwrap(), Err(REACHED));
    drop(requests);
}

#[tokio::test]
async fn a_socket_is_given_back_after_the_handshake_and_only_then() {
    let mut raw = Raw::new(Side::Supervisor);
    raw.send(&[Sent::Control(Control::Pong(1))]);
    let connection = raw.end.connection.as_mut().unwrap();
    within(connection.next()).await.unwrap();
    let socket = raw.end.connection.take().unwrap().into_socket().unwrap();
    raw.end = crate::pair::End::new(socket, Side::Supervisor);
    raw.send(&[Sent::Control(Control::Pong(2))]);
    let arrived = raw.end.arrived.clone();
    assert_eq!(raw.run(arrived.message()).await, Control::Pong(2), "it works as before");
}

#[tokio::test]
async fn a_socket_is_not_given_back_while_frames_are_under_way() {
    let pong = wire(&[Sent::Control(Control::Pong(1))]);
    // A second frame follows the first one: whole, cut in its payload, or cut in its header.
    for more in [pong.len(), pong.len() - 1, 5] {
        let mut raw = Raw::new(Side::Supervisor);
        raw.write(&[&pong[..], &pong[..more]].concat());
        let arrived = raw.end.arrived.clone();
        let mut connection = raw.end.connection.take().unwrap();
        within(connection.next()).await.unwrap();
        if more < pong.len() {
            let polled = poll_fn(|cx| Poll::Ready(connection.poll_next(cx).is_ready())).await;
            assert!(!polled, "it waits for the rest");
        }
        let refused = connection.into_socket();
        assert!(matches!(refused, Err(ProtocolError::Unexpected("frame after the handshake"))), "{more}");
        drop(arrived);
    }
    let mut raw = Raw::new(Side::Supervisor);
    raw.end.handle.control(&Control::Ping(1)).unwrap();
    assert!(raw.end.connection.take().unwrap().into_socket().is_err(), "something is still queued");
}
