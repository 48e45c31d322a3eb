//! A WebSocket, from the answer to the handshake to its end: what passes between its client and its worker.
//!
//! Nothing is read from the client while the worker has no room for more, and nothing from the worker while the client has not
//! taken what was there. What is kept of a message counts against the window of its stream.
//!
//! The closing handshake is between the client and the app, whose closing frames are passed on. The supervisor closes by itself when
//! the client breaks a rule, when the worker ends or is replaced, and when the listening address is closed.

use std::collections::VecDeque;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use nano_protocol::codec::HeaderBlock;
use nano_protocol::socket::{PieceKind, Pieces, read_close};
use nano_protocol::{Chunk, Failure, Receiver, Sender};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};
use tracing::warn;

use super::deflate::{DEFLATE_FROM, deflate};
use super::frame::{Opcode, Violation};
use super::message::{Said, SocketMessages, close_contents};
use super::outbox::Outbox;
use super::silence::{Silence, SilenceDue};
use crate::edge::client::serving::Serving;
use crate::edge::proxy::body::Tail;
use crate::edge::proxy::opened::Terms;
use crate::telemetry::traffic::TrafficCounts;

/// Bytes that are read from a client at once.
const READ: usize = 16 * 1024;

/// How often a WebSocket looks for more to do before others have their turn.
const TURN: usize = 64;

/// How long the other side may take to close, once one of us has.
const CLOSING: Duration = Duration::from_secs(10);

/// Contents of a piece below which it is sent in one frame with its header.
const JOIN_BELOW: usize = 1024;

/// Close codes (RFC 6455, 7.4.1, and the registry of IANA).
const INTERNAL_ERROR: u16 = 1011;
pub(super) const SERVICE_RESTART: u16 = 1012;

/// The reason for that one.
pub(super) const WORKER_ENDS: &str = "the app's worker has ended";

/// What a WebSocket can be carried over.
pub(crate) trait SocketTransport: AsyncRead + AsyncWrite + Unpin {
    /// Polled while nothing is read.
    fn poll_ahead(&mut self, _cx: &mut Context<'_>) {}

    /// Returns whether the other side is known to be gone, without reading, which else tells of it. If not, the task is woken then.
    fn poll_gone(&mut self, _cx: &mut Context<'_>) -> bool {
        false
    }
}

/// What has become of the direction from the client to the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inbound {
    Open,
    /// Nothing more is passed on but what waits already, the last of which is an end.
    Ending,
    Ended,
}

pub(super) struct Talk<T> {
    pub(super) io: T,
    /// Received from the client, and not read yet.
    input: BytesMut,
    messages: SocketMessages,
    /// Pieces that wait for room in the worker.
    waiting: VecDeque<Bytes>,
    is_stalled: bool,
    sender: Sender,
    inbound: Inbound,
    receiver: Receiver,
    pieces: Pieces,
    /// Received from the worker, and not passed on yet.
    rest: Chunk,
    /// Whether the next part of a message of the worker is not its first.
    is_continued: bool,
    /// How far compressed messages to the client refer back. None if it takes none.
    deflate_window: Option<usize>,
    /// Whether the message of the worker that is under way is compressed.
    is_deflated: bool,
    /// The worker's closing frame as far as it has arrived.
    farewell: Vec<u8>,
    /// Whether the worker sends nothing more.
    has_worker_ended: bool,
    outbox: Outbox,
    /// Whether the client has sent a closing frame.
    has_client_closed: bool,
    /// Whether the client has broken a rule. What it sends from then on is not read.
    pub(super) has_failed: bool,
    /// Whether the connection to the client has ended.
    is_gone: bool,
    silence: Silence,
    /// Set once one side has closed.
    deadline: Option<Pin<Box<Sleep>>>,
    tail: Tail,
}

impl<T: SocketTransport> Talk<T> {
    pub(super) fn new(
        io: T,
        read: Bytes,
        (sender, receiver): (Sender, Receiver),
        terms: &Terms,
        tail: Tail,
    ) -> Self {
        tail.serving.iter().for_each(Serving::upgraded);
        Self {
            io,
            input: BytesMut::from(read),
            messages: SocketMessages::new(
                terms.max_message,
                terms.compression.as_ref().map(|(_, places)| places.clone()),
            ),
            waiting: VecDeque::new(),
            is_stalled: false,
            sender,
            inbound: Inbound::Open,
            receiver,
            pieces: Pieces::default(),
            rest: Chunk::default(),
            is_continued: false,
            deflate_window: terms.compression.as_ref().map(|(agreed, _)| agreed.window()),
            is_deflated: false,
            farewell: Vec::new(),
            has_worker_ended: false,
            outbox: Outbox::default(),
            has_client_closed: false,
            has_failed: false,
            is_gone: false,
            silence: Silence::new(terms.ping, terms.timeout),
            deadline: None,
            tail,
        }
    }

    /// Works until nothing more can be done now. Ready when the WebSocket is over.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..TURN {
            self.poll_write(cx);
            let mut has_more = self.poll_worker(cx);
            has_more |= self.poll_pass_on(cx);
            has_more |= self.poll_client(cx);
            self.poll_time(cx);
            if self.is_over() {
                return Poll::Ready(());
            }
            if !has_more {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Returns whether both sides have closed, and the client has got all that it was to get.
    pub(super) fn is_closed(&self) -> bool {
        (self.has_client_closed || self.has_failed) && self.outbox.has_close() && self.outbox.is_empty()
    }

    fn is_over(&self) -> bool {
        (self.is_gone || self.is_closed()) && self.has_worker_ended && self.inbound == Inbound::Ended
    }

    pub(super) fn set_cut_off(&mut self, is_cut_off: bool) {
        if let Some(record) = self.tail.record.get() {
            record.cut_off = is_cut_off;
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) {
        if !self.is_gone
            && let Poll::Ready(Err(_)) = self.outbox.poll_write(cx, Pin::new(&mut self.io))
        {
            self.loses_client();
        }
    }

    /// Takes messages from the worker. Returns whether anything was done.
    fn poll_worker(&mut self, cx: &mut Context<'_>) -> bool {
        let mut has_more = false;
        while !self.has_worker_ended && (self.outbox.has_room() || self.is_deaf()) {
            match self.pieces.next(&mut self.rest) {
                Ok(Some(part)) => {
                    let contents = self.rest.split_to(part.length);
                    self.answer(part.kind, contents, part.is_last);
                }
                Ok(None) => match self.receiver.poll_part(cx) {
                    Poll::Pending => break,
                    Poll::Ready(Some(Ok(chunk))) => self.rest = chunk,
                    Poll::Ready(Some(Err(failure))) => self.loses_worker(&failure),
                    Poll::Ready(None) => {
                        self.has_worker_ended = true;
                        if !self.outbox.has_close() {
                            // It has ended without a closing frame.
                            self.close(INTERNAL_ERROR, "");
                        }
                    }
                },
                Err(error) => {
                    warn!(request_id = %self.tail.id, %error, "a worker breaks the rules of WebSockets");
                    self.sender.cancel();
                    self.loses_worker(&Failure::Over);
                }
            }
            has_more = true;
        }
        has_more
    }

    /// Whether what the worker sends goes nowhere.
    fn is_deaf(&self) -> bool {
        self.is_gone || self.outbox.has_close()
    }

    fn answer(&mut self, kind: PieceKind, contents: Chunk, is_last: bool) {
        let opcode = match kind {
            PieceKind::Text => Opcode::Text,
            PieceKind::Binary => Opcode::Binary,
            PieceKind::Close | PieceKind::Failed => {
                self.farewell.extend_from_slice(bytes::Buf::chunk(&contents));
                if is_last {
                    let contents = std::mem::take(&mut self.farewell);
                    // A worker is not trusted with what other apps, or clients, have to make sense of.
                    let is_sound = read_close(&contents).is_ok();
                    self.outbox.close(if is_sound { contents } else { close_contents(INTERNAL_ERROR, "") });
                    self.begin_closing();
                }
                return;
            }
        };
        if self.is_deaf() || (contents.is_empty() && !is_last) {
            return;
        }
        let bytes = contents.len();
        if let Some(upstream) = &self.tail.upstream {
            upstream.count(|counts| counts.sent_message(bytes, is_last));
        }
        if let Some(record) = self.tail.record.get() {
            record.bytes += bytes as u64;
        }
        if !self.is_continued {
            self.is_deflated = !is_last || bytes >= DEFLATE_FROM;
        }
        let opcode = if self.is_continued { Opcode::Continuation } else { opcode };
        self.is_continued = !is_last;
        match self.deflate_window.filter(|_| self.is_deflated) {
            Some(window) => {
                let deflated = deflate(bytes::Buf::chunk(&contents), window, is_last);
                self.outbox.deflated_part(opcode, is_last, &deflated, contents);
            }
            None => self.outbox.part(opcode, is_last, contents),
        }
    }

    /// Sends what waits for the worker. Returns whether anything was done.
    fn poll_pass_on(&mut self, cx: &mut Context<'_>) -> bool {
        let mut has_more = false;
        while let Some(piece) = self.waiting.front_mut() {
            match self.sender.poll_send(cx, piece, false) {
                Poll::Pending => {
                    self.stalls();
                    return has_more;
                }
                Poll::Ready(Ok(())) => _ = self.waiting.pop_front(),
                // Taking from the worker tells why.
                Poll::Ready(Err(_)) => {
                    self.waiting.clear();
                    self.inbound = Inbound::Ended;
                }
            }
            has_more = true;
        }
        self.is_stalled = false;
        if self.inbound == Inbound::Ending {
            let _ = self.sender.end(&HeaderBlock::default());
            self.inbound = Inbound::Ended;
            has_more = true;
        }
        has_more
    }

    /// The worker has no room for more.
    fn stalls(&mut self) {
        if !std::mem::replace(&mut self.is_stalled, true)
            && let Some(upstream) = &self.tail.upstream
        {
            upstream.count(TrafficCounts::stalled);
        }
    }

    /// Takes what the client says. Returns whether anything was done.
    fn poll_client(&mut self, cx: &mut Context<'_>) -> bool {
        let mut has_more = false;
        while !self.is_gone && !self.has_client_closed && !self.has_failed {
            if !self.waiting.is_empty() && self.inbound == Inbound::Open {
                self.silence.is_unread();
                self.io.poll_ahead(cx);
                break;
            }
            match self.messages.next(&mut self.input) {
                Ok(Some(said)) => self.hear(said),
                Ok(None) => match self.poll_read(cx) {
                    Poll::Pending => break,
                    Poll::Ready(0) => self.loses_client(),
                    Poll::Ready(_) => self.silence.ends(),
                },
                Err(violation) => self.fail(violation),
            }
            has_more = true;
        }
        // Nothing is read behind a closing frame, either. What came before may still be taken and answered.
        let is_unread = self.has_client_closed || !self.waiting.is_empty();
        if is_unread && !self.is_gone && self.io.poll_gone(cx) {
            self.begin_closing();
        }
        if self.input.is_empty() {
            // Many WebSockets are idle most of the time.
            self.input = BytesMut::new();
        }
        has_more
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<usize> {
        let mut buffer = [const { MaybeUninit::uninit() }; READ];
        let mut buffer = ReadBuf::uninit(&mut buffer);
        Pin::new(&mut self.io).poll_read(cx, &mut buffer).map(|read| {
            let filled = if read.is_ok() { buffer.filled() } else { &[] };
            self.input.extend_from_slice(filled);
            filled.len()
        })
    }

    fn hear(&mut self, said: Said) {
        match said {
            Said::Part { kind, bytes, is_last } if self.inbound == Inbound::Open => {
                if let Some(upstream) = &self.tail.upstream {
                    upstream.count(|counts| counts.received_message(bytes.len(), is_last));
                }
                self.pass_on(kind, is_last, bytes);
            }
            Said::Part { .. } | Said::Pong => {}
            Said::Ping(contents) if !self.outbox.has_close() => self.outbox.pong(contents),
            Said::Ping(_) => {}
            Said::Close(contents) => {
                self.has_client_closed = true;
                self.end_inbound(PieceKind::Close, contents);
                if self.has_worker_ended {
                    self.outbox.close(Vec::new());
                }
            }
        }
    }

    fn pass_on(&mut self, kind: PieceKind, is_last: bool, contents: Bytes) {
        let header = kind.header(is_last, contents.len());
        if contents.len() < JOIN_BELOW {
            self.waiting.push_back([&header[..], &contents].concat().into());
        } else {
            self.waiting.push_back(Bytes::copy_from_slice(&header));
            self.waiting.push_back(contents);
        }
    }

    /// Tells the worker that nothing more comes, and why.
    fn end_inbound(&mut self, kind: PieceKind, contents: Bytes) {
        if self.inbound == Inbound::Open {
            self.pass_on(kind, true, contents);
            self.inbound = Inbound::Ending;
        }
    }

    /// Closes the WebSocket towards both sides, as far as it is open.
    pub(super) fn close(&mut self, code: u16, reason: &str) {
        let contents = close_contents(code, reason);
        self.outbox.close(contents.clone());
        self.end_inbound(PieceKind::Close, contents.into());
        self.begin_closing();
    }

    /// Closes it because the client breaks a rule.
    fn fail(&mut self, Violation { code, why }: Violation) {
        self.has_failed = true;
        self.outbox.close(close_contents(code, why));
        self.end_inbound(PieceKind::Failed, why.into());
        self.begin_closing();
    }

    fn begin_closing(&mut self) {
        self.deadline.get_or_insert_with(|| Box::pin(sleep(CLOSING)));
    }

    /// The connection to the client has ended.
    fn loses_client(&mut self) {
        self.is_gone = true;
        if self.has_client_closed {
            return self.begin_closing();
        }
        self.give_up();
    }

    /// Lets the worker know that the client is gone, without a closing frame.
    fn give_up(&mut self) {
        self.waiting.clear();
        self.sender.cancel();
        (self.inbound, self.has_worker_ended) = (Inbound::Ended, true);
    }

    fn loses_worker(&mut self, failure: &Failure) {
        self.has_worker_ended = true;
        self.waiting.clear();
        self.inbound = Inbound::Ended;
        let (code, reason) = match failure {
            Failure::Closed { .. } => (SERVICE_RESTART, WORKER_ENDS),
            Failure::Peer(_) | Failure::Over => (INTERNAL_ERROR, ""),
        };
        self.close(code, reason);
    }

    fn poll_time(&mut self, cx: &mut Context<'_>) {
        if let Some(deadline) = &mut self.deadline
            && deadline.as_mut().poll(cx).is_ready()
        {
            self.deadline = None;
            self.is_gone = true;
            return self.give_up();
        }
        if self.is_gone || self.outbox.has_close() {
            return;
        }
        while let Poll::Ready(due) = self.silence.poll_due(cx) {
            match due {
                SilenceDue::Ping => {
                    self.outbox.ping();
                    self.poll_write(cx);
                }
                SilenceDue::End => {
                    self.is_gone = true;
                    return self.give_up();
                }
            }
        }
    }
}
