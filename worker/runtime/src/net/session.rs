//! Sessions between two apps: each is one stream, on which a call of a method and all that comes of it are sent as messages: further
//! calls of what was returned, and calls of what was given. In each direction a message is its length (u32, little-endian) and as many
//! bytes, which only the scripts of both sides read.
//!
//! The caller opens a session with its first call. The answer has the status 200 and begins with the first message of the app that is
//! called. The session ends when either side ends it, at the latest with the request in whose course the call was made.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use deno_core::convert::Uint8Array;
use deno_core::{OpState, Resource, ResourceId, op2};
use nano_protocol::codec::HeaderBlock;
use nano_protocol::limits::MAX_MESSAGE;
use nano_protocol::message::{StreamError, StreamErrorKind, Thrown};
use nano_protocol::{Receiver, Sender};

use super::bindings::{Bindings, failed};
use super::failure::Failure;
use super::serialized;
use super::session_limits::SessionLimit;
use crate::requests::belongings::OfRequest;
use crate::requests::in_flight::{InFlight, in_flight};
use crate::requests::request::Request;

/// Bytes of messages that wait until the other app takes them, besides the latest message.
const MAX_UNSENT: usize = MAX_MESSAGE;

/// How long a session that the caller has closed may take to end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The length of a message, before it.
const LENGTH: usize = size_of::<u32>();

/// One side of a session.
pub(crate) struct Session {
    side: SessionSide,
    /// Messages that wait for credit.
    unsent: RefCell<VecDeque<Bytes>>,
    unsent_bytes: Cell<usize>,
    /// Whether a task sends them.
    is_sending: Cell<bool>,
    /// Whether this side has nothing more to say.
    has_ended: Cell<bool>,
    /// What has been received of the next message.
    received: RefCell<BytesMut>,
    /// What the other app has thrown as a whole.
    thrown: RefCell<Vec<u8>>,
    /// Whether JavaScript has closed it.
    is_closed: Cell<bool>,
    /// Wakes whoever waits for the next message, when it is closed.
    reader: Cell<Option<Waker>>,
}

/// Which side it is.
enum SessionSide {
    Caller {
        sender: Sender,
        receiver: Receiver,
        /// Whether the head of the answer has come.
        is_answered: Cell<bool>,
        /// What the other app is called in errors.
        what: String,
        /// Whether the request in whose course the call was made is over.
        is_over: Cell<bool>,
    },
    Called {
        /// The id of the request in JavaScript.
        id: u32,
        request: Rc<Request>,
        in_flight: Rc<InFlight>,
        /// Whether the head of the answer was sent.
        is_answered: Cell<bool>,
    },
}

impl Session {
    fn new(side: SessionSide) -> Rc<Self> {
        Rc::new(Self {
            side,
            unsent: RefCell::default(),
            unsent_bytes: Cell::new(0),
            is_sending: Cell::new(false),
            has_ended: Cell::new(false),
            received: RefCell::default(),
            thrown: RefCell::default(),
            is_closed: Cell::new(false),
            reader: Cell::new(None),
        })
    }

    fn sender(&self) -> &Sender {
        match &self.side {
            SessionSide::Caller { sender, .. } => sender,
            SessionSide::Called { request, .. } => &request.sender,
        }
    }

    fn receiver(&self) -> &Receiver {
        match &self.side {
            SessionSide::Caller { receiver, .. } => receiver,
            SessionSide::Called { request, .. } => &request.receiver,
        }
    }

    /// Sends a message, or keeps it until the other app takes it. With `is_last`, nothing follows. Returns false if too much waits.
    fn send(self: &Rc<Self>, message: &[u8], is_last: bool) -> bool {
        if self.has_ended.get() {
            return true;
        }
        if self.sender().is_over() {
            // Nobody waits for it any more.
            self.end();
            return true;
        }
        if self.unsent_bytes.get() > MAX_UNSENT {
            return false;
        }
        if let SessionSide::Called { request, is_answered, .. } = &self.side
            && !is_answered.replace(true)
        {
            // Cannot fail: the head is short.
            let _ = request.sender.respond(200, 0, std::iter::empty(), false);
        }
        // The scripts send no message that is longer than `MAX_MESSAGE`.
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
        let message: Bytes = [&length.to_le_bytes(), message].concat().into();
        self.unsent_bytes.set(self.unsent_bytes.get() + message.len());
        self.unsent.borrow_mut().push_back(message);
        self.has_ended.set(is_last);
        self.drive();
        true
    }

    /// Ends this side once everything has been sent.
    fn end(self: &Rc<Self>) {
        if !self.has_ended.replace(true) {
            self.drive();
        }
    }

    /// Ends the stream of a caller. Usually the other app has ended it as well, with its last message.
    async fn give_up(&self) {
        let rest = async { while let Some(Ok(_)) = poll_fn(|cx| self.receiver().poll_chunk(cx)).await {} };
        let _ = tokio::time::timeout(LAST_WORDS, rest).await;
        self.sender().cancel();
    }

    /// Sends what waits, now as far as possible.
    fn drive(self: &Rc<Self>) {
        if self.is_sending.get() || self.poll_send(&mut Context::from_waker(Waker::noop())).is_ready() {
            return;
        }
        self.is_sending.set(true);
        let session = self.clone();
        deno_core::unsync::spawn(async move {
            poll_fn(|cx| session.poll_send(cx)).await;
            session.is_sending.set(false);
        });
    }

    /// Sends what waits. Ready when nothing does.
    fn poll_send(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut unsent = self.unsent.borrow_mut();
        while !unsent.is_empty() {
            let is_last = self.has_ended.get() && unsent.len() == 1;
            let Some(message) = unsent.front_mut() else { break };
            let before = message.len();
            let polled = self.sender().poll_send(cx, message, is_last);
            self.unsent_bytes.set(self.unsent_bytes.get() - (before - message.len()));
            match polled {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) => _ = unsent.pop_front(),
                Poll::Ready(Err(_)) => {
                    unsent.clear();
                    self.unsent_bytes.set(0);
                }
            }
        }
        if self.has_ended.get() {
            match &self.side {
                // There is no answer that could end.
                SessionSide::Called { is_answered, request, .. } if !is_answered.get() => {
                    request
                        .sender
                        .fail(&StreamError::new(StreamErrorKind::HandlerFailed, "the call has no answer"));
                }
                _ if self.sender().is_complete() => {}
                _ => _ = self.sender().end(&HeaderBlock::default()),
            }
            if let SessionSide::Called { id, in_flight, .. } = &self.side {
                in_flight.answer(*id);
            }
        }
        Poll::Ready(())
    }

    /// Returns the next message; none if nothing is to come because this side has closed it, or whoever has begun it is no more.
    async fn next(&self) -> Result<Option<Vec<u8>>, Failure> {
        if let SessionSide::Caller { receiver, is_answered, .. } = &self.side
            && !is_answered.get()
        {
            match self.unless_closed(|cx| receiver.poll_head(cx)).await {
                Some(Ok(_)) => is_answered.set(true),
                Some(Err(failure)) => return self.fails(failure),
                None => return Ok(None),
            }
        }
        loop {
            if let Some(message) = take(&mut self.received.borrow_mut())
                .map_err(|length| Failure::invalid(format!("a message of {length} bytes is too long")))?
            {
                serialized::check(&message).map_err(Failure::invalid)?;
                return Ok(Some(message));
            }
            match self.unless_closed(|cx| self.receiver().poll_chunk(cx)).await {
                Some(Some(Ok(chunk))) => self.received.borrow_mut().extend_from_slice(&chunk),
                Some(Some(Err(failure))) => return self.fails(failure),
                Some(None) => {
                    return match &self.side {
                        SessionSide::Caller { what, .. } => Err(Failure::invalid(format!(
                            "{what} did not come: the other app has ended the call"
                        ))),
                        SessionSide::Called { .. } => Ok(None),
                    };
                }
                None => return Ok(None),
            }
        }
    }

    /// Waits for something until the session is closed: only one task at a time can wait for the stream.
    async fn unless_closed<T>(&self, mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Option<T> {
        poll_fn(|cx| {
            if self.is_closed.get() {
                return Poll::Ready(None);
            }
            self.reader.set(Some(cx.waker().clone()));
            poll(cx).map(Some)
        })
        .await
    }

    /// Returns the error of a stream that has ended too early; none if that was because a request is over.
    fn fails(&self, mut failure: nano_protocol::Failure) -> Result<Option<Vec<u8>>, Failure> {
        if let nano_protocol::Failure::Peer(StreamError { thrown: Some(thrown), .. }) = &mut failure
            && serialized::check(&thrown.value).is_ok()
        {
            *self.thrown.borrow_mut() = std::mem::take(&mut thrown.value);
        }
        match &self.side {
            SessionSide::Caller { is_over, .. } if is_over.get() => Ok(None),
            SessionSide::Caller { is_answered, what, .. } => Err(match failure {
                nano_protocol::Failure::Peer(StreamError { thrown: None, .. }) if is_answered.get() => {
                    let message = format!(
                        "{what} broke off: the worker of the other app has ended, or has given up the call"
                    );
                    let (class, name) = ("Error".to_owned(), "Error".to_owned());
                    Failure::remote(Thrown { class, name, message, value: Vec::new() })
                }
                failure => failed(failure, what),
            }),
            SessionSide::Called { .. } => Ok(None),
        }
    }
}

/// Takes the next message, if all of it is there. Returns its length if it is too long.
fn take(received: &mut BytesMut) -> Result<Option<Vec<u8>>, usize> {
    let Some(length) = received.first_chunk::<LENGTH>() else { return Ok(None) };
    let length = u32::from_le_bytes(*length) as usize;
    if length > MAX_MESSAGE {
        return Err(length);
    }
    if received.len() < LENGTH + length {
        return Ok(None);
    }
    received.advance(LENGTH);
    Ok(Some(received.split_to(length).to_vec()))
}

impl Resource for Session {
    fn name(&self) -> Cow<'_, str> {
        "session".into()
    }

    fn close(self: Rc<Self>) {
        self.end();
        self.is_closed.set(true);
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        if let SessionSide::Caller { sender, .. } = &self.side
            && !sender.is_over()
        {
            let session = self.clone();
            deno_core::unsync::spawn(async move { session.give_up().await });
        }
    }
}

impl OfRequest for Session {
    fn end_with_request(&self) {
        if let SessionSide::Caller { is_over, sender, .. } = &self.side {
            is_over.set(true);
            sender.cancel();
        }
    }
}

fn session(state: &OpState, rid: ResourceId) -> Result<Rc<Session>, Failure> {
    state.resource_table.get::<Session>(rid).map_err(|_| Failure::invalid("the session is over"))
}

/// Opens a session with what a binding stands for, in the course of the request with the id `of`. `target` is what people call the
/// first call: a path.
#[op2(fast)]
#[smi]
pub(crate) fn op_session_open(
    state: &mut OpState,
    #[smi] binding: u32,
    #[string] target: &str,
    #[smi] of: u32,
) -> Result<ResourceId, Failure> {
    let bindings = state.borrow::<Rc<Bindings>>().clone();
    let in_flight = in_flight(state);
    let (sender, receiver, name) = bindings.call(binding, target, of, &in_flight)?;
    let what = format!("the answer of env.{name}");
    let (is_answered, is_over) = (Cell::new(false), Cell::new(false));
    let session = Session::new(SessionSide::Caller { sender, receiver, is_answered, what, is_over });
    in_flight.opened(of, Rc::downgrade(&session) as Weak<dyn OfRequest>);
    Ok(state.resource_table.add_rc(session))
}

/// Accepts the session that the request with this id is.
#[op2(fast)]
#[smi]
pub(crate) fn op_session_accept(state: &mut OpState, #[smi] id: u32) -> Result<ResourceId, Failure> {
    let in_flight = in_flight(state);
    let request = in_flight.find(id).ok_or_else(|| Failure::invalid("the app that has called has gone"))?;
    let is_answered = Cell::new(false);
    Ok(state.resource_table.add_rc(Session::new(SessionSide::Called { id, request, in_flight, is_answered })))
}

/// Sends a message. With `is_last`, nothing follows. Returns false if too much waits already.
#[op2(fast)]
pub(crate) fn op_session_send(
    state: &OpState,
    #[smi] rid: ResourceId,
    #[buffer] message: &[u8],
    is_last: bool,
) -> Result<bool, Failure> {
    let is_sent = session(state, rid)?.send(message, is_last);
    if !is_sent {
        state.borrow::<Rc<Bindings>>().sessions.count(SessionLimit::Bytes);
    }
    Ok(is_sent)
}

/// Counts a stub (true) or a call (false) of which a session has too many.
#[op2(fast)]
pub(crate) fn op_session_full(state: &OpState, is_stub: bool) {
    let limit = if is_stub { SessionLimit::Stubs } else { SessionLimit::Calls };
    state.borrow::<Rc<Bindings>>().sessions.count(limit);
}

/// Returns the next message; none after the last one.
#[op2]
pub(crate) async fn op_session_next(
    state: Rc<RefCell<OpState>>,
    #[smi] rid: ResourceId,
) -> Result<Option<Uint8Array>, Failure> {
    let session = session(&state.borrow(), rid)?;
    Ok(session.next().await?.map(Uint8Array::from))
}

/// Returns what the other app has thrown, if that was the end of the session; empty otherwise.
#[op2]
pub(crate) fn op_session_thrown(state: &OpState, #[smi] rid: ResourceId) -> Result<Uint8Array, Failure> {
    Ok(session(state, rid)?.thrown.take().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_found_in_any_parts() {
        let sent =
            [&3_u32.to_le_bytes()[..], b"abc", &0_u32.to_le_bytes(), &1_u32.to_le_bytes(), b"d"].concat();
        let mut received = BytesMut::new();
        let mut found = Vec::new();
        for byte in sent {
            received.extend_from_slice(&[byte]);
            while let Some(message) = take(&mut received).unwrap() {
                found.push(message);
            }
        }
        assert_eq!(found, [b"abc".to_vec(), b"".to_vec(), b"d".to_vec()]);
        let too_long = u32::try_from(MAX_MESSAGE + 1).unwrap();
        assert_eq!(take(&mut BytesMut::from(&too_long.to_le_bytes()[..])), Err(MAX_MESSAGE + 1));
    }
}
