//! The multiplexer: drives all streams, whichever side has opened them, over one socket.
//!
//! A connection is used on one thread. Sending only queues; all frames of one tick of the event loop leave in one vectored
//! write when the [`Connection`] is polled next. Queueing wakes the task that polls it, unless that task is between its read
//! and its write, as it will write anyway.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio_util::io::poll_read_buf;

use crate::ProtocolError;
use crate::budget::Bounds;
use crate::codec::{self, HeaderBlock};
use crate::decoder::Decoder;
use crate::frame::Frame;
use crate::handle::Handle;
use crate::head::{EncodedHead, HeadKind};
use crate::inner::{Inner, Owned};
use crate::limits::{COPY_BELOW, FRAMES_PER_TURN, MOST_WINDOW, READ_BUFFER};
use crate::message::{Control, StatusLine};
use crate::outbox::Outbox;
use crate::side::{Side, number_of};
use crate::stream::{Failure, Receiver, ResponseHead, Sender, State, finish, give_up};
use crate::witness::Begun;

/// How many times the socket is read in one tick before other tasks run.
const READS_PER_TICK: usize = 16;

/// Free bytes of the read buffer below which a new one is allocated.
const MIN_READ: usize = 32 * 1024;

/// Something that a connection has received and its owner has to handle.
#[derive(Debug)]
pub enum Incoming {
    /// A frame that is not about a stream.
    Control(Control),
    /// The peer has opened a stream.
    Stream {
        /// The head with which the peer has opened it.
        head: EncodedHead,
        /// Sends the answer.
        sender: Sender,
        /// Receives the body, and reports a cancel.
        receiver: Receiver,
    },
}

/// Drives the socket. Dropping it ends the connection and fails every stream on it.
#[derive(Debug)]
pub struct Connection<T = UnixStream> {
    socket: T,
    inner: Owned,
    decoder: Decoder,
    buffer: BytesMut,
    /// Frames received in this turn, at most [`FRAMES_PER_TURN`].
    frames: usize,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Connection<T> {
    /// Wraps a connected socket.
    pub fn new(socket: T, side: Side) -> (Self, Handle) {
        let inner = Rc::new(RefCell::new(Inner::new(side)));
        let handle = Handle { inner: inner.clone() };
        (
            Self {
                socket,
                inner: Owned::new(inner),
                decoder: Decoder::of(side.peer()),
                buffer: BytesMut::new(),
                frames: 0,
            },
            handle,
        )
    }

    /// Sets the counter by which the peer says which streams it has begun to process.
    pub fn witnessed(self, begun: Begun) -> Self {
        self.inner.borrow_mut().begun = Some(begun);
        self
    }

    /// Waits for the next thing that the peer sends; `None` when the peer has closed between frames, or when the connection has
    /// finished. Sends what is queued before it reads and before it waits. After `None` or an error the connection is closed.
    ///
    /// # Errors
    /// Any [`ProtocolError`].
    pub async fn next(&mut self) -> Result<Option<Incoming>, ProtocolError> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Polls for what [`Connection::next`] waits for.
    ///
    /// # Errors
    /// Any [`ProtocolError`].
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Incoming>, ProtocolError>> {
        let polled = self.poll_both(cx);
        if let Poll::Ready(Err(error)) = &polled {
            self.inner.close(error.is_of_a_peer_that_is_gone());
        }
        polled
    }

    fn poll_both(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Incoming>, ProtocolError>> {
        // A peer that never pauses must not hold up what is queued.
        if !self.inner.borrow().outbox.is_empty() {
            self.poll_write(cx)?;
        }
        let polled = self.poll_event(cx);
        if polled.is_pending() {
            self.poll_write(cx)?;
            if self.inner.borrow().is_finished() {
                self.inner.close(false);
                return Poll::Ready(Ok(None));
            }
        }
        polled
    }

    /// Polls as [`Connection::poll_next`] does, but sends nothing: the owner calls [`Connection::poll_flush`] at the end
    /// of its tick.
    ///
    /// # Errors
    /// Any [`ProtocolError`].
    pub fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Incoming>, ProtocolError>> {
        self.inner.borrow_mut().driver_waits = false;
        let polled = self.poll_frames(cx);
        match &polled {
            Poll::Ready(Ok(None)) => self.inner.close(true),
            Poll::Ready(Err(error)) => self.inner.close(error.is_of_a_peer_that_is_gone()),
            Poll::Ready(Ok(Some(_))) | Poll::Pending => {}
        }
        polled
    }

    fn poll_frames(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Incoming>, ProtocolError>> {
        for _ in 0..READS_PER_TICK {
            while self.frames < FRAMES_PER_TURN
                && let Some(frame) = self.decoder.next(&mut self.buffer)?
            {
                self.frames += 1;
                if let Some(event) = self.on_frame(frame)? {
                    return Poll::Ready(Ok(Some(event)));
                }
            }
            if self.frames == FRAMES_PER_TURN {
                break;
            }
            match self.poll_read(cx) {
                Poll::Ready(Ok(0)) if self.decoder.is_between_frames() && self.buffer.is_empty() => {
                    return Poll::Ready(Ok(None));
                }
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(ProtocolError::Disconnected)),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error.into())),
                Poll::Pending => {
                    self.frames = 0;
                    return Poll::Pending;
                }
            }
        }
        self.frames = 0;
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<usize>> {
        if self.buffer.capacity() - self.buffer.len() < MIN_READ.max(self.decoder.wanted()) {
            self.buffer.reserve(READ_BUFFER.max(self.decoder.wanted()));
        }
        poll_read_buf(Pin::new(&mut self.socket), cx, &mut self.buffer)
    }

    /// Writes as much of what is queued as the socket takes now.
    ///
    /// # Errors
    /// [`ProtocolError::Io`] if the socket fails.
    pub fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<(), ProtocolError> {
        let mut inner = self.inner.borrow_mut();
        while !inner.outbox.is_empty() {
            let mut slices = Outbox::empty_slices();
            let used = inner.outbox.slices(&mut slices);
            match Pin::new(&mut self.socket).poll_write_vectored(cx, &slices[..used]) {
                Poll::Ready(Ok(written)) => inner.outbox.advance(written),
                // The peer has closed its socket. What it sent before is still read, and the read reports the end.
                Poll::Ready(Err(error)) if error.kind() == ErrorKind::BrokenPipe => inner.outbox.discard(),
                Poll::Ready(Err(error)) => return Err(error.into()),
                Poll::Pending => {
                    inner.written();
                    return Ok(());
                }
            }
        }
        inner.written();
        if !inner.driver.as_ref().is_some_and(|driver| driver.will_wake(cx.waker())) {
            inner.driver = Some(cx.waker().clone());
        }
        inner.driver_waits = true;
        Ok(())
    }

    /// Waits until everything queued has been written.
    ///
    /// # Errors
    /// [`ProtocolError::Io`] if the socket fails.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ProtocolError>> {
        self.poll_write(cx)?;
        if self.inner.borrow().outbox.is_empty() { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    fn on_frame(&mut self, frame: Frame) -> Result<Option<Incoming>, ProtocolError> {
        let side = self.inner.borrow().side;
        match frame {
            Frame::Control(message) => {
                // Log records are limited elsewhere.
                if side == Side::Supervisor && !matches!(message, Control::Log(_)) {
                    self.inner.borrow_mut().idle.frame()?;
                }
                return Ok(Some(Incoming::Control(message)));
            }
            Frame::Head { stream, end, head } => return self.accept(stream, end, head).map(Some),
            Frame::ResponseHead { stream, end, payload } if side.opens(stream) => {
                let (StatusLine { status }, used) = codec::decode_prefix("response head", &payload)?;
                let head = ResponseHead { status, headers: HeaderBlock::new(payload.slice(used..)), end };
                self.with(stream, false, |state| state.on_head(head))?;
            }
            Frame::ResponseHead { .. } => return Err(ProtocolError::Unexpected("response head")),
            Frame::BodyChunk { stream, end, data } => {
                self.with(stream, data.is_empty() && !end, |state| {
                    if side.opens(stream) && !state.has_head() {
                        return Err(ProtocolError::Unexpected("body chunk before the head"));
                    }
                    state.on_chunk(data, end)
                })?
            }
            Frame::BodyEnd { stream, trailers } => self.with(stream, false, |state| {
                if side.opens(stream) && !state.has_head() {
                    return Err(ProtocolError::Unexpected("body end before the head"));
                }
                state.on_end(trailers)
            })?,
            Frame::Credit { stream, bytes } => {
                self.with(stream, bytes == 0, |state| state.on_credit(bytes as usize))?;
            }
            Frame::Cancel { stream } if !side.opens(stream) => {
                if self.fail(stream, Failure::Over)?.is_some_and(|is_fetch| !is_fetch)
                    && side == Side::Supervisor
                {
                    self.inner.borrow_mut().idle.cancelled()?;
                }
            }
            Frame::Cancel { .. } => return Err(ProtocolError::Unexpected("cancel")),
            Frame::Error { stream, error } if side.opens(stream) => {
                self.fail(stream, Failure::Peer(error))?;
            }
            Frame::Error { .. } => return Err(ProtocolError::Unexpected("error")),
        }
        Ok(None)
    }

    fn accept(&mut self, stream: u64, end: bool, mut head: EncodedHead) -> Result<Incoming, ProtocolError> {
        let mut inner = self.inner.borrow_mut();
        let (side, peer) = (inner.side, inner.side.peer());
        // Ids have no gaps, so no id is used twice.
        if side.opens(stream) || number_of(stream) != inner.accepted + 1 {
            return Err(ProtocolError::Unexpected("id of a new stream"));
        }
        if inner.theirs >= Side::max_open(head.kind) {
            return Err(ProtocolError::TooManyStreams);
        }
        // The answers to fetches wait until the peer has read others.
        if head.kind != HeadKind::Fetch && inner.is_behind() {
            return Err(ProtocolError::Behind);
        }
        let window = head.window()?;
        if window > MOST_WINDOW {
            return Err(ProtocolError::Unexpected("credit beyond the window"));
        }
        let bounds = inner.budget.clone().map(|app| Bounds { app, client: None });
        let mut state = State::accepted(stream, window, bounds, (peer, head.kind));
        if end {
            state.mark_empty();
        }
        if side == Side::Supervisor && head.payload.len() >= COPY_BELOW {
            // The head of a call that waits must not keep the whole read buffer alive.
            head.payload = Bytes::copy_from_slice(&head.payload);
        }
        inner.accepted += 1;
        inner.theirs += 1;
        let state = Rc::new(RefCell::new(state));
        inner.streams.insert(stream, state.clone());
        let sender = Sender { inner: self.inner.clone(), state: state.clone() };
        let receiver = Receiver { inner: self.inner.clone(), state };
        Ok(Incoming::Stream { head, sender, receiver })
    }

    /// Applies a frame to its stream. A frame for a stream that is over was sent before the peer knew of the end, and is
    /// dropped. Too many of these, or too many that have no effect (`is_idle`), are an error.
    fn with(
        &mut self,
        stream: u64,
        is_idle: bool,
        apply: impl FnOnce(&mut State) -> Result<(), ProtocolError>,
    ) -> Result<(), ProtocolError> {
        let mut inner = self.inner.borrow_mut();
        let Some(state) = inner.streams.get(&stream).cloned() else { return inner.late(stream) };
        if is_idle {
            inner.idle.frame()?;
        } else {
            inner.idle.forgive();
        }
        drop(inner);
        apply(&mut state.borrow_mut())?;
        let (is_complete, is_abandoned) = {
            let state = state.borrow();
            (state.is_complete(), state.is_abandoned())
        };
        if is_complete {
            finish(&self.inner, &state, Failure::Over);
        } else if is_abandoned {
            give_up(&self.inner, &state);
        }
        Ok(())
    }

    /// Ends a stream that the peer has given up. Returns whether it was a fetch of the peer; `None` if it was not open.
    fn fail(&mut self, stream: u64, failure: Failure) -> Result<Option<bool>, ProtocolError> {
        let mut inner = self.inner.borrow_mut();
        let Some(state) = inner.streams.get(&stream).cloned() else {
            return inner.late(stream).map(|()| None);
        };
        inner.idle.forgive();
        // The peer knows of the end, so no late frames of this stream are to be expected.
        inner.forget(stream);
        drop(inner);
        let mut state = state.borrow_mut();
        state.finish(failure);
        Ok(Some(state.is_fetch))
    }
}

impl Connection {
    /// Returns the socket after a handshake, so that another thread can drive it.
    ///
    /// # Errors
    /// [`ProtocolError::Unexpected`] if the peer has already sent more than the handshake, [`ProtocolError::Io`] if the
    /// socket cannot leave this thread's reactor.
    pub fn into_socket(self) -> Result<std::os::unix::net::UnixStream, ProtocolError> {
        let inner = self.inner.borrow();
        // The next connection over this socket counts its stream ids from the start.
        let is_unused = inner.opened == 0 && inner.accepted == 0 && inner.outbox.is_empty();
        drop(inner);
        if !is_unused || !self.decoder.is_between_frames() || !self.buffer.is_empty() {
            return Err(ProtocolError::Unexpected("frame after the handshake"));
        }
        Ok(self.socket.into_std()?)
    }
}

/// Waits for a control frame. For handshakes, in which no stream may be opened yet.
///
/// # Errors
/// [`ProtocolError::Disconnected`] if the peer closes instead, [`ProtocolError::Unexpected`] for a stream.
pub fn poll_control(
    connection: &mut Connection,
    cx: &mut Context<'_>,
) -> Poll<Result<Control, ProtocolError>> {
    match ready!(connection.poll_next(cx))? {
        Some(Incoming::Control(message)) => Poll::Ready(Ok(message)),
        Some(Incoming::Stream { head, .. }) => Poll::Ready(Err(ProtocolError::Unexpected(head.kind.name()))),
        None => Poll::Ready(Err(ProtocolError::Disconnected)),
    }
}
