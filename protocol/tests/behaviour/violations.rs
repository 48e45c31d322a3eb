//! A peer that violates the protocol ends the connection, and every stream on it is told.

use std::future::poll_fn;

use nano_protocol::connection::poll_control;
use nano_protocol::frame::{FrameHeader, HEADER_LEN, Kind, MAX_STREAM_ID};
use nano_protocol::limits::MAX_STREAMS;
use nano_protocol::message::{Control, StreamError, StreamErrorKind};
use nano_protocol::{Failure, ProtocolError, Side};
use strum::VariantArray as _;

use crate::frames::{Line, Sent, wire};
use crate::pair::{Raw, body, head, open, within};

fn request(stream: u64, end: bool) -> Sent {
    let line = Line {
        id: 0,
        method: "GET".into(),
        origin: "http://localhost".into(),
        target: "/".into(),
        depth: 0,
        entrypoint: None,
    };
    Sent::Request { stream, end, line, fields: vec![] }
}

fn keep(stream: u64) -> Sent {
    Sent::Keep { stream, end: true, name: 0 }
}

fn response(stream: u64, end: bool) -> Sent {
    Sent::Response { stream, end, status: 200, fields: vec![] }
}

fn chunk(stream: u64, end: bool) -> Sent {
    Sent::Body { stream, end, data: vec![0; 10] }
}

fn end(stream: u64) -> Sent {
    Sent::End { stream, trailers: vec![] }
}

fn error(stream: u64) -> Sent {
    let error = StreamError::new(StreamErrorKind::HandlerFailed, "");
    Sent::Error { stream, error }
}

/// Returns the error of a supervisor with open streams that receives these bytes from a worker.
async fn supervisor_says(bytes: &[u8]) -> String {
    let mut raw = Raw::new(Side::Supervisor);
    let handle = raw.end.handle.clone();
    let (_first, _second) = (open(&handle, false), open(&handle, false));
    let (_other, untouched) = open(&handle, true);
    raw.flush().await;
    raw.write(bytes);
    let error = raw.ended().await.expect_err("a violation");
    assert!(handle.is_closed());
    assert_eq!(handle.streams(), 0);
    assert_eq!(head(&untouched).await, Err(Failure::Closed { reached: true }));
    error.to_string()
}

/// Returns the error of a worker with a request body in flight on stream 1 that receives these bytes from a supervisor.
async fn worker_says(bytes: &[u8]) -> String {
    let mut raw = Raw::new(Side::Worker);
    raw.send(&[request(1, false)]);
    let arrived = raw.end.arrived.clone();
    let untouched = raw.run(arrived.stream()).await;
    raw.write(bytes);
    let error = raw.ended().await.expect_err("a violation");
    assert!(raw.end.handle.is_closed());
    // Both halves of a stream are told, whatever the violation was about.
    let over = within(poll_fn(|cx| untouched.sender.poll_over(cx))).await;
    assert!(matches!(over, Failure::Closed { .. }), "{over:?}");
    error.to_string()
}

/// The headers of the longest frames of all kinds that only this side sends, without their payloads: whoever refuses one refuses it
/// before it takes any memory.
fn longest_of(side: Side) -> Vec<(&'static str, [u8; HEADER_LEN])> {
    let kinds = Kind::VARIANTS.iter().copied().filter(|kind| kind.sender() == Some(side));
    let header = |kind: Kind| {
        let stream = u64::from(kind.is_stream());
        FrameHeader { length: kind.limit(), kind, end: false, stream }.to_bytes()
    };
    kinds.map(|kind| (kind.name(), header(kind))).collect()
}

#[tokio::test]
async fn a_worker_may_not_send_what_only_supervisors_send() {
    assert_eq!(supervisor_says(&wire(&[request(9, true)])).await, "unexpected request head");
    let event = Sent::Health { stream: 2, end: true, id: 0, path: "/".into() };
    assert_eq!(supervisor_says(&wire(&[event])).await, "unexpected event head");
    assert_eq!(supervisor_says(&wire(&[Sent::Cancel { stream: 1 }])).await, "unexpected cancel");
    for (name, header) in longest_of(Side::Supervisor) {
        assert_eq!(supervisor_says(&header).await, format!("unexpected {name}"));
    }
    assert_eq!(supervisor_says(&wire(&[keep(2), response(2, true)])).await, "unexpected response head");
    assert_eq!(supervisor_says(&wire(&[keep(2), error(2)])).await, "unexpected error");
}

#[tokio::test]
async fn a_supervisor_may_not_send_what_only_workers_send() {
    assert_eq!(worker_says(&wire(&[response(1, true)])).await, "unexpected response head");
    assert_eq!(worker_says(&wire(&[error(1)])).await, "unexpected error");
    let call = Sent::Keep { stream: 3, end: true, name: 0 };
    assert_eq!(worker_says(&wire(&[call])).await, "unexpected call head");
    for (name, header) in longest_of(Side::Worker) {
        assert_eq!(worker_says(&header).await, format!("unexpected {name}"));
    }
}

#[tokio::test]
async fn frames_of_a_response_come_in_order_and_once() {
    for (frames, said) in [
        (vec![chunk(1, false)], "unexpected body chunk before the head"),
        (vec![chunk(1, true)], "unexpected body chunk before the head"),
        (vec![end(1)], "unexpected body end before the head"),
        (vec![response(1, false), response(1, false)], "unexpected second response head"),
        (vec![response(1, false), chunk(1, false), response(1, true)], "unexpected second response head"),
    ] {
        assert_eq!(supervisor_says(&wire(&frames)).await, said, "{frames:?}");
    }
}

#[tokio::test]
async fn frames_of_a_request_come_in_order_and_once() {
    for (frames, said) in [
        (vec![chunk(1, true), chunk(1, false)], "unexpected body chunk after the end"),
        (vec![end(1), chunk(1, false)], "unexpected body chunk after the end"),
        (vec![end(1), end(1)], "unexpected second body end"),
        (vec![chunk(1, true), end(1)], "unexpected second body end"),
        (vec![request(3, true), chunk(3, false)], "unexpected body chunk after the end"),
        (vec![request(3, true), end(3)], "unexpected second body end"),
    ] {
        assert_eq!(worker_says(&wire(&frames)).await, said, "{frames:?}");
    }
}

#[tokio::test]
async fn ids_of_streams_come_in_order_once_and_from_who_may_use_them() {
    // Ids that were used before, that skip one, that repeat within one read, that belong to the other side, or were never opened.
    let said = "unexpected id of a new stream";
    assert_eq!(worker_says(&wire(&[request(1, true)])).await, said);
    assert_eq!(worker_says(&wire(&[request(5, true)])).await, said);
    assert_eq!(worker_says(&wire(&[request(3, true), request(3, true)])).await, said);
    assert_eq!(worker_says(&wire(&[request(2, true)])).await, said);
    assert_eq!(supervisor_says(&wire(&[keep(2), keep(2)])).await, said);
    assert_eq!(supervisor_says(&wire(&[keep(4)])).await, said);
    assert_eq!(supervisor_says(&wire(&[keep(7)])).await, said);
    let said = "unexpected frame of a stream that was never opened";
    for stream in [7, 2, MAX_STREAM_ID] {
        assert_eq!(supervisor_says(&wire(&[chunk(stream, false)])).await, said, "{stream}");
        assert_eq!(supervisor_says(&wire(&[Sent::Credit { stream, bytes: 1 }])).await, said, "{stream}");
    }
    assert_eq!(supervisor_says(&wire(&[error(7)])).await, said);
    assert_eq!(worker_says(&wire(&[Sent::Cancel { stream: 3 }])).await, said);
}

#[tokio::test]
async fn a_stream_id_is_not_used_again_after_its_end() {
    let mut raw = Raw::new(Side::Worker);
    let arrived = raw.end.arrived.clone();
    for stream in [1, 3, 5] {
        raw.send(&[request(stream, true)]);
        let request = raw.run(arrived.stream()).await;
        crate::pair::respond(&request.sender, 200, &vec![], true);
        assert_eq!(raw.end.handle.streams(), 0);
    }
    raw.send(&[request(3, true)]);
    let ended = raw.ended().await;
    assert!(matches!(ended, Err(ProtocolError::Unexpected("id of a new stream"))), "{ended:?}");
}

#[tokio::test]
async fn more_streams_than_allowed_end_the_connection() {
    let mut raw = Raw::new(Side::Worker);
    let arrived = raw.end.arrived.clone();
    let mut requests = Vec::new();
    for block in 0..MAX_STREAMS / 256 {
        let frames: Vec<Sent> =
            (1..=256).map(|number| request(2 * (block * 256 + number) as u64 - 1, true)).collect();
        raw.send(&frames);
        for _ in 0..256 {
            requests.push(raw.run(arrived.stream()).await);
        }
    }
    assert_eq!(raw.end.handle.streams(), MAX_STREAMS);
    raw.send(&[request(2 * MAX_STREAMS as u64 + 1, true)]);
    let ended = raw.ended().await;
    assert!(matches!(ended, Err(ProtocolError::TooManyStreams)), "{ended:?}");
    assert!(requests.iter().all(|request| request.sender.is_over()));
}

#[tokio::test]
async fn a_supervisor_does_not_open_more_streams_than_allowed() {
    let raw = Raw::new(Side::Supervisor);
    let handle = raw.end.handle.clone();
    let mut streams: Vec<_> = (0..MAX_STREAMS).map(|_| open(&handle, true)).collect();
    let refused = crate::pair::open_with(&handle, &[], true);
    assert!(matches!(refused, Err(ProtocolError::TooManyStreams)));
    streams.pop();
    open(&handle, true);
}

#[tokio::test]
async fn headers_that_make_no_sense_end_the_connection() {
    let header = |kind, length, stream| FrameHeader { length, kind, end: false, stream }.to_bytes();
    for &kind in Kind::VARIANTS {
        let stream = u64::from(kind.is_stream());
        let too_long = header(kind, kind.limit() + 1, stream);
        let said = supervisor_says(&too_long).await;
        assert!(said.ends_with(&format!("over the limit of {}", kind.limit())), "{said}");
        assert_eq!(worker_says(&too_long).await, said);
        assert_eq!(supervisor_says(&header(kind, 0, 1 - stream)).await, "unexpected stream id");
    }
    let mut unknown = header(Kind::Drain, 0, 0);
    unknown[4] = 99;
    assert_eq!(supervisor_says(&unknown).await, "unknown frame kind 0x63");
    let mut reserved = header(Kind::Drain, 0, 0);
    reserved[5] = 2;
    assert_eq!(supervisor_says(&reserved).await, "frame header with reserved bits set");
}

#[tokio::test]
async fn payloads_that_make_no_sense_end_the_connection() {
    let frame = |kind: Kind, payload: &[u8]| {
        let stream = u64::from(kind.is_stream());
        let header = FrameHeader { length: payload.len(), kind, end: false, stream };
        [&header.to_bytes()[..], payload].concat()
    };
    let text_without_end: &[u8] = &[0, 253, 255, 255, 255, 255, 255, 255, 255, 255];
    for (kind, payload, said) in [
        (Kind::Welcome, &[][..], "malformed welcome"),
        (Kind::Welcome, &[1, 2, 0xff, 0xff, 3], "malformed welcome"),
        (Kind::Loaded, &[2], "malformed loaded"),
        (Kind::Pong, &[255], "malformed pong"),
        (Kind::Pong, &[1, 1], "malformed pong: trailing bytes"),
        (Kind::Log, text_without_end, "malformed log"),
        (Kind::Stats, &[0; 4], "malformed stats"),
        (Kind::ResponseHead, &[], "malformed response head"),
        (Kind::Credit, &[], "malformed credit"),
        (Kind::Error, &[200, 0], "malformed error"),
    ] {
        let heard = supervisor_says(&frame(kind, payload)).await;
        assert!(heard.starts_with(said), "{kind:?}: {heard}");
    }
}

#[tokio::test]
async fn a_handshake_takes_control_frames_and_nothing_else() {
    let mut raw = Raw::new(Side::Worker);
    raw.send(&[Sent::Control(Control::Ping(1)), request(1, true)]);
    let mut connection = raw.end.connection.take().unwrap();
    assert_eq!(within(poll_fn(|cx| poll_control(&mut connection, cx))).await.unwrap(), Control::Ping(1));
    let refused = within(poll_fn(|cx| poll_control(&mut connection, cx))).await;
    assert!(matches!(refused, Err(ProtocolError::Unexpected("request head"))));

    let mut raw = Raw::new(Side::Worker);
    raw.peer.shutdown(std::net::Shutdown::Both).unwrap();
    let mut connection = raw.end.connection.take().unwrap();
    let refused = within(poll_fn(|cx| poll_control(&mut connection, cx))).await;
    assert!(matches!(refused, Err(ProtocolError::Disconnected)));
}

#[tokio::test]
async fn a_response_without_trouble_is_none_of_these() {
    let mut raw = Raw::new(Side::Supervisor);
    let (_sender, receiver) = open(&raw.end.handle, false);
    raw.send(&[
        response(1, false),
        chunk(1, false),
        Sent::Body { stream: 1, end: false, data: vec![] },
        end(1),
    ]);
    assert_eq!(raw.run(body(&receiver)).await.unwrap(), [0; 10]);
    assert!(!raw.end.handle.is_closed());
}
