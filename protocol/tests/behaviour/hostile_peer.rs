//! A hostile peer, on either side, and an end that opens, accepts, answers and cancels streams at any moment. The fuzz target
//! drives [`speak`] without a limit, the tests for a bounded number of runs.

use std::iter::empty;
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use nano_protocol::codec::{self, HeaderBlock};
use nano_protocol::frame::{FrameHeader, Kind};
use nano_protocol::limits::{CALL_WINDOW, MAX_FETCHES, MAX_STREAMS, MAX_UNSENT_BODIES};
use nano_protocol::message::{HttpVersion, RequestId, RequestLine, StatusLine, StreamError, StreamErrorKind};
use nano_protocol::{Call, Connection, Event, Fetch, Handle, Head, Incoming, Receiver, Sender, Side};

use crate::pipe::Pipe;

/// Input bytes, each of which chooses what happens next.
struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    /// Returns the next byte, or zero after the end.
    fn byte(&mut self) -> u8 {
        self.0.split_off_first().copied().unwrap_or_default()
    }

    fn bytes(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte()).min(self.0.len());
        self.0.split_off(..length).unwrap_or_default()
    }
}

/// Does what `input` says. Nothing may panic, memory must stay bounded, and whoever waits for a stream must be told when its
/// connection has ended.
pub(crate) fn speak(input: &[u8]) {
    let mut script = Script(input);
    let side = if script.byte().is_multiple_of(2) { Side::Supervisor } else { Side::Worker };
    let (ours, peer) = Pipe::pair(16 * 1024);
    let (connection, handle) = Connection::new(ours, side);
    let mut end = End { side, connection: Some(connection), handle, peer, streams: Vec::new() };
    while !script.0.is_empty() && end.connection.is_some() {
        match script.byte() % 8 {
            0 => end.peer.send(script.bytes()),
            1..=4 => end.frame(&mut script),
            5 => end.open(&mut script),
            6 => end.act(&mut script),
            _ => end.peer.discard(),
        }
        end.poll();
    }
    end.connection = None;
    assert!(end.handle.is_closed());
    assert_eq!(end.handle.streams(), 0);
    let mut noop = Context::from_waker(Waker::noop());
    for (sender, receiver) in &end.streams {
        for over in [
            sender.as_ref().map(|sender| sender.poll_over(&mut noop)),
            receiver.as_ref().map(|receiver| receiver.poll_over(&mut noop)),
        ] {
            assert!(over.is_none_or(|over| over.is_ready()), "somebody still waits");
        }
    }
}

/// The end that the peer attacks.
struct End {
    side: Side,
    connection: Option<Connection<Pipe>>,
    handle: Handle,
    peer: Pipe,
    streams: Vec<(Option<Sender>, Option<Receiver>)>,
}

impl End {
    fn poll(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        let mut noop = Context::from_waker(Waker::noop());
        for _ in 0..64 {
            match connection.poll_next(&mut noop) {
                Poll::Ready(Ok(Some(Incoming::Control(_)))) => {}
                Poll::Ready(Ok(Some(Incoming::Stream { head, sender, receiver }))) => {
                    let _ = head.decode().map(|(_, fields)| fields.iter().map(Iterator::count));
                    self.streams.push((Some(sender), Some(receiver)));
                }
                Poll::Ready(Ok(None) | Err(_)) => {
                    self.connection = None;
                    return;
                }
                Poll::Pending => break,
            }
        }
        assert!(self.handle.streams() <= MAX_STREAMS + MAX_FETCHES);
        // Bodies and answers each have a limit, which one more of each may exceed.
        assert!(self.handle.unsent() <= 4 * MAX_UNSENT_BODIES, "{} bytes", self.handle.unsent());
    }

    /// Sends a well-formed frame from the peer, which need not make sense.
    fn frame(&mut self, script: &mut Script<'_>) {
        const KINDS: [Kind; 12] = [
            Kind::RequestHead,
            Kind::EventHead,
            Kind::CallHead,
            Kind::FetchHead,
            Kind::ResponseHead,
            Kind::BodyChunk,
            Kind::BodyChunk,
            Kind::BodyEnd,
            Kind::Credit,
            Kind::Cancel,
            Kind::Error,
            Kind::Pong,
        ];
        let choice = script.byte();
        let kind = KINDS[usize::from(choice) % KINDS.len()];
        let (stream, number) = (u64::from(script.byte()), script.byte());
        let window = if number == 255 { u32::MAX } else { u32::from(number) * 1024 };
        let mut payload = BytesMut::new();
        let encoded = match kind {
            Kind::RequestHead => Head::Request(LINE).encode(window, &mut payload),
            Kind::EventHead => {
                Head::Event(Event::Health { id: RequestId(1), path: "/" }).encode(window, &mut payload)
            }
            Kind::CallHead => Head::Call(Call::Keep { name: 1 }).encode(window, &mut payload),
            Kind::FetchHead => Head::Fetch(FETCH).encode(window, &mut payload),
            Kind::ResponseHead => codec::encode(&StatusLine { status: 93 + u16::from(number) }, &mut payload),
            Kind::BodyChunk => {
                payload.resize(usize::from(number) * 300 % kind.limit(), 7);
                Ok(())
            }
            Kind::Credit => codec::encode(&(u32::from(number) << (choice / 32)), &mut payload),
            Kind::Error => codec::encode(&error(), &mut payload),
            Kind::Pong => codec::encode(&u64::from(number), &mut payload),
            _ => Ok(()),
        };
        encoded.expect("short contents");
        if matches!(
            kind,
            Kind::RequestHead | Kind::EventHead | Kind::CallHead | Kind::FetchHead | Kind::ResponseHead
        ) {
            codec::encode_headers(0, empty(), &mut payload).expect("no fields");
        }
        let end = kind.may_end() && choice >= 128;
        let stream = if kind.is_stream() { stream } else { 0 };
        let header = FrameHeader { length: payload.len(), kind, end, stream };
        self.peer.send(&header.to_bytes());
        self.peer.send(&payload);
    }

    fn open(&mut self, script: &mut Script<'_>) {
        let head = match (self.side, script.byte() % 2) {
            (Side::Supervisor, 0) => Head::Request(LINE),
            (Side::Supervisor, _) => Head::Event(Event::Health { id: RequestId(1), path: "/" }),
            (Side::Worker, 0) => Head::Fetch(FETCH),
            (Side::Worker, _) => Head::Call(Call::Keep { name: 1 }),
        };
        if let Ok((sender, receiver)) = self.handle.open(&head, 0, empty(), script.byte().is_multiple_of(2)) {
            self.streams.push((Some(sender), Some(receiver)));
        }
    }

    /// Performs an action of the app on one of the streams.
    fn act(&mut self, script: &mut Script<'_>) {
        let (choice, action) = (usize::from(script.byte()), script.byte());
        let count = self.streams.len();
        let Some((sender, receiver)) = (count > 0).then(|| &mut self.streams[choice % count]) else { return };
        let mut noop = Context::from_waker(Waker::noop());
        match (action % 12, &*sender, &*receiver) {
            (0, ..) => *sender = None,
            (1, ..) => *receiver = None,
            (2, Some(sender), _) => sender.cancel(),
            (3, Some(sender), _) => sender.fail(&error()),
            (4, Some(sender), _) => {
                let _ = sender.end(&HeaderBlock::default());
            }
            (5 | 6, Some(sender), _) => {
                let status = if action % 12 == 5 { 101 } else { 200 };
                let _ = sender.respond(status, 0, empty(), action >= 128);
            }
            (7 | 8, Some(sender), _) => {
                let mut data = Bytes::from(vec![7; CALL_WINDOW]);
                let _ = sender.poll_send(&mut noop, &mut data, action >= 128);
            }
            (9, _, Some(receiver)) => {
                let _ = receiver.poll_head(&mut noop);
            }
            (_, _, Some(receiver)) => while receiver.try_chunk().is_some() {},
            _ => {}
        }
    }
}

const FETCH: Fetch<'static> = Fetch {
    binding: "B",
    request: RequestId(1),
    depth: 1,
    method: "GET",
    origin: "http://x",
    target: "/",
    is_call: false,
};

const LINE: RequestLine<'static> = RequestLine {
    id: RequestId(1),
    method: "GET",
    origin: "http://localhost",
    target: "/",
    version: HttpVersion::Http11,
    depth: 0,
    entrypoint: None,
};

fn error() -> StreamError {
    StreamError::new(StreamErrorKind::HandlerFailed, "failed")
}
