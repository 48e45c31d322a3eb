//! Two ends that follow the protocol never break each other, in any order of events: everything that was sent arrives in order,
//! and nothing is left at the end.

use std::collections::HashMap;
use std::iter::empty;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use nano_protocol::limits::{FIRST_WINDOW, MAX_CALLS, MOST_WINDOW};
use nano_protocol::message::{HttpVersion, RequestId, RequestLine, StreamError, StreamErrorKind, UPGRADED};
use nano_protocol::{
    Budget, Call, Connection, Event, Handle, Head, Incoming, ProtocolError, Receiver, Sender, Side,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::pipe::Pipe;

/// The next thing that happens at one end.
#[derive(Debug, Clone)]
enum Step {
    /// Opens a stream, with or without a body.
    Open { is_event: bool, has_body: bool },
    /// Performs an action on a stream.
    Act { stream: usize, act: Act },
    /// Reads what has arrived and writes what is queued.
    Drive,
    /// Stops opening streams.
    Finish,
}

#[derive(Debug, Clone)]
enum Act {
    Respond { is_upgrade: bool, end: bool },
    Send { length: usize, end: bool },
    End,
    Read,
    Fail,
    Cancel,
    DropSender,
    DropReceiver,
}

/// A stream at one end: what was sent and received, and how that ended.
#[derive(Debug, Default)]
struct Stream {
    sender: Option<Sender>,
    receiver: Option<Receiver>,
    is_ours: bool,
    has_answered: bool,
    sent: usize,
    has_ended: bool,
    received: usize,
    is_received: bool,
}

struct End {
    side: Side,
    connection: Option<Connection<Pipe>>,
    ended: Option<Result<(), ProtocolError>>,
    handle: Handle,
    streams: Vec<Stream>,
    /// Indexes into `streams` of the streams that each end has opened, in the order of opening.
    ours: Vec<usize>,
    theirs: Vec<usize>,
}

/// Returns the byte at a position of a body, which is the same in every stream.
fn byte(at: usize) -> u8 {
    (at.wrapping_mul(31) ^ (at >> 8)) as u8
}

impl End {
    fn new(pipe: Pipe, side: Side) -> Self {
        let (connection, handle) = Connection::new(pipe, side);
        let connection = Some(connection);
        let (streams, ours, theirs) = (Vec::new(), Vec::new(), Vec::new());
        Self { side, connection, ended: None, handle, streams, ours, theirs }
    }

    fn drive(&mut self) {
        let mut noop = Context::from_waker(Waker::noop());
        // Enough iterations for everything that fits into the pipe.
        for _ in 0..10_000 {
            let Some(connection) = &mut self.connection else { return };
            match connection.poll_next(&mut noop) {
                Poll::Ready(Ok(Some(Incoming::Stream { sender, receiver, .. }))) => {
                    self.theirs.push(self.streams.len());
                    self.streams.push(Stream {
                        sender: Some(sender),
                        receiver: Some(receiver),
                        ..Stream::default()
                    });
                }
                Poll::Ready(Ok(Some(Incoming::Control(_)))) => {}
                Poll::Ready(Ok(None)) => self.ended = Some(Ok(())),
                Poll::Ready(Err(error)) => self.ended = Some(Err(error)),
                Poll::Pending => return,
            }
            if self.ended.is_some() {
                self.connection = None;
            }
        }
        panic!("it never pauses");
    }

    fn open(&mut self, is_event: bool, has_body: bool) {
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
        let head = match self.side {
            Side::Supervisor if is_event => Head::Event(Event::Health { id: RequestId(1), path: "/" }),
            Side::Supervisor => Head::Request(line),
            Side::Worker => Head::Call(Call::Keep { name: 1 }),
        };
        match self.handle.open(&head, 0, empty(), !has_body) {
            Ok((sender, receiver)) => {
                self.ours.push(self.streams.len());
                self.streams.push(Stream {
                    sender: Some(sender),
                    receiver: Some(receiver),
                    is_ours: true,
                    has_ended: !has_body,
                    ..Stream::default()
                });
            }
            Err(ProtocolError::Disconnected) => {
                assert!(self.handle.is_finishing() || self.handle.is_closed())
            }
            Err(ProtocolError::TooManyStreams) => {
                assert!(self.side == Side::Worker && self.ours.len() >= MAX_CALLS);
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn act(&mut self, stream: usize, act: &Act) {
        if self.streams.is_empty() {
            return;
        }
        let count = self.streams.len();
        let stream = &mut self.streams[stream % count];
        let may_send = stream.is_ours || stream.has_answered;
        match act {
            Act::Respond { is_upgrade, end } => {
                let Some(sender) = stream.sender.as_ref().filter(|_| !may_send) else { return };
                let status = if *is_upgrade { UPGRADED } else { 200 };
                if sender.respond(status, 0, empty(), *end).is_ok() {
                    (stream.has_answered, stream.has_ended) = (true, *end);
                }
            }
            Act::Send { length, end } => {
                let Some(sender) = stream.sender.as_ref().filter(|_| may_send && !stream.has_ended) else {
                    return;
                };
                let mut data: Bytes = (stream.sent..stream.sent + length).map(byte).collect();
                let sent = sender.poll_send(&mut Context::from_waker(Waker::noop()), &mut data, *end);
                if !matches!(sent, Poll::Ready(Err(_))) {
                    stream.sent += length - data.len();
                    stream.has_ended = *end && sent.is_ready();
                }
            }
            Act::End => {
                let Some(sender) = stream.sender.as_ref().filter(|_| may_send && !stream.has_ended) else {
                    return;
                };
                stream.has_ended = sender.end(&Default::default()).is_ok();
            }
            Act::Read => stream.read(),
            Act::Fail => {
                let error = StreamError::new(StreamErrorKind::HandlerFailed, "failed");
                stream.sender.iter().for_each(|sender| sender.fail(&error));
            }
            Act::Cancel => stream.sender.iter().for_each(Sender::cancel),
            Act::DropSender => stream.sender = None,
            Act::DropReceiver => {
                stream.read();
                stream.receiver = None;
            }
        }
    }
}

impl Stream {
    /// Reads what is available and checks that it is what was sent.
    fn read(&mut self) {
        let Some(receiver) = &self.receiver else { return };
        let mut noop = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(Ok(chunk))) = receiver.poll_chunk(&mut noop) {
            assert!(!self.is_received);
            assert!(chunk.iter().enumerate().all(|(at, got)| *got == byte(self.received + at)));
            self.received += chunk.len();
        }
        self.is_received = receiver.is_done();
    }
}

fn act() -> impl Strategy<Value = Act> {
    let length = prop_oneof![4 => 1..2000_usize, 2 => 10_000..70_000_usize, 1 => Just(MOST_WINDOW)];
    prop_oneof![
        5 => (prop::bool::weighted(0.3), prop::bool::weighted(0.3))
            .prop_map(|(is_upgrade, end)| Act::Respond { is_upgrade, end }),
        6 => (length, prop::bool::weighted(0.3)).prop_map(|(length, end)| Act::Send { length, end }),
        2 => Just(Act::End),
        5 => Just(Act::Read),
        1 => Just(Act::Fail),
        1 => Just(Act::Cancel),
        1 => Just(Act::DropSender),
        1 => Just(Act::DropReceiver),
    ]
}

fn step() -> impl Strategy<Value = (bool, Step)> {
    let step = prop_oneof![
        20 => any::<(bool, bool)>().prop_map(|(is_event, has_body)| Step::Open { is_event, has_body }),
        100 => (any::<usize>(), act()).prop_map(|(stream, act)| Step::Act { stream, act }),
        60 => Just(Step::Drive),
        1 => Just(Step::Finish),
    ];
    (any::<bool>(), step)
}

fn run(capacity: usize, budget: usize, steps: &[(bool, Step)]) {
    let (one, other) = Pipe::pair(capacity);
    let mut ends = [End::new(one, Side::Supervisor), End::new(other, Side::Worker)];
    let budget = Arc::new(Budget::new(budget, None));
    ends[0].handle.set_budget(budget.clone());
    for (is_worker, step) in steps {
        let end = &mut ends[usize::from(*is_worker)];
        match step {
            Step::Open { is_event, has_body } => end.open(*is_event, *has_body),
            Step::Act { stream, act } => end.act(*stream, act),
            Step::Drive => end.drive(),
            Step::Finish => end.handle.finish(),
        }
        for end in &ends {
            assert!(!matches!(end.ended, Some(Err(_))), "{:?}: {:?}", end.side, end.ended);
        }
    }
    // Everything that is queued or waits for credit arrives once everybody reads.
    let mut quiet = 0;
    while quiet < 4 {
        for end in &mut ends {
            end.drive();
            end.streams.iter_mut().for_each(Stream::read);
        }
        let is_quiet = ends.iter().all(|end| end.handle.unsent() == 0 || end.handle.is_closed());
        quiet = if is_quiet { quiet + 1 } else { 0 };
    }
    let has_ended = ends.iter().any(|end| end.ended.is_some());
    let [supervisor, worker] = &ends;
    for (opener, acceptor) in [(supervisor, worker), (worker, supervisor)] {
        let pairs: HashMap<_, _> = opener.ours.iter().zip(&acceptor.theirs).collect();
        assert!(has_ended || pairs.len() == opener.ours.len(), "each stream that was opened was accepted");
        for (ours, theirs) in pairs {
            let (ours, theirs) = (&opener.streams[*ours], &acceptor.streams[*theirs]);
            for (from, to) in [(ours, theirs), (theirs, ours)] {
                assert!(to.received <= from.sent);
                if to.is_received {
                    assert_eq!(to.received, from.sent, "an end comes after all that was sent");
                    assert!(from.has_ended);
                }
            }
            // An answer arrives unless it was cancelled.
            let is_whole = theirs.has_ended && ours.receiver.is_some() && theirs.has_answered;
            let is_given_up = ours.sender.as_ref().is_none_or(Sender::is_over) && !ours.is_received;
            assert!(has_ended || !is_whole || is_given_up || ours.is_received);
        }
    }
    // Once nobody holds the streams, none is left.
    for _ in 0..100_000 {
        for end in &mut ends {
            end.streams.clear();
            end.drive();
        }
        if ends.iter().all(|end| end.handle.streams() == 0) {
            break;
        }
    }
    for end in &ends {
        assert_eq!(end.handle.streams(), 0, "{:?}", end.side);
        assert!(!matches!(end.ended, Some(Err(_))), "{:?}: {:?}", end.side, end.ended);
    }
    // Bytes that a connection could not send count until the stream is dropped.
    drop(ends);
    assert_eq!(budget.held(), 0);
    assert_eq!(budget.fair(), MOST_WINDOW, "nothing is promised");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_order_of_events_breaks_a_connection(
        capacity in prop_oneof![Just(64_usize), Just(5000), Just(1 << 20)],
        budget in prop_oneof![Just(4 * FIRST_WINDOW), Just(64 << 20)],
        steps in vec(step(), 1..300),
    ) {
        run(capacity, budget, &steps);
    }
}
