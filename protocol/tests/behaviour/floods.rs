//! A peer that sends frames without pause gets no more time than others. If its frames have no effect, its connection ends.

use std::task::{Context, Poll, Waker};

use nano_protocol::limits::{FRAMES_PER_TURN, MAX_IDLE_FRAMES, STREAM_WINDOW};
use nano_protocol::message::{Control, LogLevel, LogRecord, Stats, StreamError, StreamErrorKind};
use nano_protocol::{Incoming, ProtocolError, Side};

use crate::frames::Sent;
use crate::pair::{Raw, open, some_bytes};

/// Sends a frame up to `times` times. Returns how the connection has ended, or `None` if it is still open.
async fn flood(raw: &mut Raw, frame: &Sent, times: usize) -> Option<Result<(), ProtocolError>> {
    let mut left = times;
    while left > 0 && raw.end.connection.is_some() {
        let part = left.min(500);
        left -= part;
        raw.send(&vec![frame.clone(); part]);
        // The connection needs several turns for this many frames.
        for _ in 0..10 {
            raw.run(async {}).await;
            // Lets the runtime check for more input.
            tokio::task::yield_now().await;
        }
    }
    if raw.end.connection.is_some() { None } else { Some(raw.ended().await) }
}

fn error() -> StreamError {
    StreamError::new(StreamErrorKind::HandlerFailed, "")
}

fn idle_frames() -> Vec<Sent> {
    vec![
        Sent::Body { stream: 1, end: false, data: vec![] },
        Sent::Credit { stream: 1, bytes: 0 },
        Sent::Body { stream: 3, end: false, data: vec![] },
        Sent::Body { stream: 3, end: true, data: vec![1] },
        Sent::Response { stream: 3, end: false, status: 200, fields: vec![] },
        Sent::End { stream: 3, trailers: vec![] },
        Sent::Credit { stream: 3, bytes: 1 },
        Sent::Error { stream: 3, error: error() },
        Sent::Control(Control::Pong(1)),
        Sent::Control(Control::Stats(Stats::default())),
    ]
}

#[tokio::test]
async fn frames_without_end_that_change_nothing_end_the_connection() {
    for frame in idle_frames() {
        let mut raw = Raw::new(Side::Supervisor);
        let handle = raw.end.handle.clone();
        let (_sender, _receiver) = open(&handle, false);
        // A stream that has ended, so that no frames are expected for it.
        let _over = open(&handle, true);
        raw.send(&[Sent::Error { stream: 3, error: error() }]);
        raw.send(&[Sent::Response { stream: 1, end: false, status: 200, fields: vec![] }]);
        raw.run(async {}).await;
        let most = MAX_IDLE_FRAMES as usize;
        assert!(flood(&mut raw, &frame, most).await.is_none(), "{frame:?}");
        let ended = flood(&mut raw, &frame, 100).await;
        assert!(matches!(ended, Some(Err(ProtocolError::Flood))), "{frame:?}: {ended:?}");
        assert_eq!(handle.streams(), 0);
    }
}

#[tokio::test]
async fn what_was_on_its_way_when_a_stream_was_given_up_is_no_flood() {
    let mut raw = Raw::new(Side::Supervisor);
    let handle = raw.end.handle.clone();
    for _ in 0..3 {
        let (sender, _receiver) = open(&handle, true);
        raw.run(async {}).await;
        sender.cancel();
    }
    let frame = Sent::Body { stream: 1, end: false, data: some_bytes(1, 0).to_vec() };
    let ended = flood(&mut raw, &frame, 2 * MAX_IDLE_FRAMES as usize).await;
    assert!(ended.is_none(), "of {} bytes: {ended:?}", 3 * STREAM_WINDOW);
}

#[tokio::test]
async fn what_is_logged_is_no_flood_here() {
    let mut raw = Raw::new(Side::Supervisor);
    let record = LogRecord { level: LogLevel::Info, request_id: None, request: None, message: String::new() };
    assert!(
        flood(&mut raw, &Sent::Control(Control::Log(record)), 2 * MAX_IDLE_FRAMES as usize).await.is_none()
    );
}

#[tokio::test]
async fn after_so_many_frames_others_have_their_turn() {
    let mut raw = Raw::new(Side::Supervisor);
    raw.send(&vec![Sent::Control(Control::Pong(1)); 3 * FRAMES_PER_TURN]);
    let connection = raw.end.connection.as_mut().unwrap();
    let mut turns = Vec::new();
    while turns.iter().sum::<usize>() < 3 * FRAMES_PER_TURN {
        // The socket counts as readable only after the runtime has checked it.
        tokio::task::yield_now().await;
        let mut taken = 0;
        let mut noop = Context::from_waker(Waker::noop());
        while let Poll::Ready(event) = connection.poll_next(&mut noop) {
            assert!(matches!(event, Ok(Some(Incoming::Control(Control::Pong(1))))));
            taken += 1;
        }
        turns.push(taken);
    }
    turns.retain(|taken| *taken > 0);
    assert_eq!(turns, [FRAMES_PER_TURN; 3]);
}
