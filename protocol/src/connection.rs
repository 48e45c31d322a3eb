//! The multiplexer: drives all streams over one Unix-domain socket.
//!
//! Everything lives on one thread. Sending only queues; all frames of one tick of the event loop leave in one vectored
//! write when the [`Connection`] is polled next. Queueing wakes the task that polls it, unless that is at work anyway:
//! between its reading and its writing.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncWrite;
use tokio::net::UnixStream;
use tokio_util::io::poll_read_buf;

use crate::ProtocolError;
use crate::budget::{Bounds, Budget};
use crate::codec::{self, HeaderBlock};
use crate::decoder::Decoder;
use crate::frame::{Frame, Kind};
pub use crate::inner::Side;
use crate::inner::{Inner, Owned};
use crate::limits::{FRAMES_PER_TURN, MAX_STREAMS, READ_BUFFER};
use crate::message::{Control, RequestLine, StatusLine};
use crate::outbox::Outbox;
use crate::stream::{Failure, Receiver, ResponseHead, Sender, State, finish};
use crate::witness::Begun;

/// Reads in one tick before others get their turn.
const READS_PER_TICK: usize = 16;

/// Room below which the read buffer is renewed.
const MIN_READ: usize = 32 * 1024;

/// What a connection hands to its owner.
#[derive(Debug)]
pub enum Event {
    /// A frame that is not about a stream.
    Control(Control),
    /// Worker: a request. The payload is the window of the response, a [`RequestLine`] and a header block, see [`split_request_head`].
    Request {
        /// The encoded head.
        head: Bytes,
        /// For the response.
        sender: Sender,
        /// For the request body.
        receiver: Receiver,
    },
}

/// Splits the payload of a request head, behind the window of its response, into its line and its header block.
///
/// # Errors
/// [`ProtocolError::Malformed`].
pub fn split_request_head(head: &Bytes) -> Result<(RequestLine<'_>, HeaderBlock), ProtocolError> {
    let ((_window, line), used) = codec::decode_prefix::<(u32, _)>("request head", head)?;
    Ok((line, HeaderBlock::new(head.slice(used..))))
}

/// Sends on a connection from anywhere on its thread.
#[derive(Debug, Clone)]
pub struct Handle {
    inner: Rc<RefCell<Inner>>,
}

impl Handle {
    /// Supervisor: opens a stream for one request. `count` is the number of fields that `fields` yields; `end` says
    /// that the request has no body.
    ///
    /// # Errors
    /// [`ProtocolError::Torn`] if the connection has ended or is finishing, or why the head cannot be sent.
    pub fn open<'a>(
        &self,
        line: &RequestLine<'_>,
        count: usize,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
        end: bool,
    ) -> Result<(Sender, Receiver), ProtocolError> {
        self.open_for(None, line, count, fields, end)
    }

    /// The same, for a client that may hold so much.
    ///
    /// # Errors
    /// As for [`Handle::open`].
    pub fn open_for<'a>(
        &self,
        client: Option<Rc<Budget>>,
        line: &RequestLine<'_>,
        count: usize,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
        end: bool,
    ) -> Result<(Sender, Receiver), ProtocolError> {
        let mut inner = self.inner.borrow_mut();
        if inner.closed || inner.finishing {
            return Err(ProtocolError::Torn);
        }
        if inner.streams.len() >= MAX_STREAMS {
            return Err(ProtocolError::TooManyStreams);
        }
        if inner.is_behind() {
            return Err(ProtocolError::Behind);
        }
        let id = inner.next_id();
        let head_at = inner.outbox.position();
        let bounds = inner.budget.clone().map(|app| Bounds { app, client });
        let mut state = State::opened(id, head_at, inner.opened + 1, bounds);
        inner.put(Kind::RequestHead, end, id, |out| {
            codec::encode(&(state.window() as u32, line), out)?;
            codec::encode_headers(count, fields, out)
        })?;
        inner.opened += 1;
        state.head_len = (inner.outbox.position() - head_at) as usize;
        if end {
            state.mark_sent();
        }
        let state = Rc::new(RefCell::new(state));
        inner.streams.insert(id, state.clone());
        Ok((
            Sender { inner: self.inner.clone(), state: state.clone() },
            Receiver { inner: self.inner.clone(), state },
        ))
    }

    /// Supervisor: what the responses to further requests may hold.
    pub fn set_budget(&self, budget: Arc<Budget>) {
        self.inner.borrow_mut().budget = Some(budget);
    }

    /// Queues a control frame. Nothing happens if the connection has ended.
    ///
    /// # Errors
    /// [`ProtocolError::TooLong`] if the message is over the limit of its kind.
    pub fn control(&self, message: &Control) -> Result<(), ProtocolError> {
        let mut inner = self.inner.borrow_mut();
        if inner.closed {
            return Ok(());
        }
        inner.outbox.control(message)?;
        if matches!(message, Control::Ping(_)) {
            inner.idle.asked();
        }
        inner.wake_driver();
        Ok(())
    }

    /// Opens no further stream: the connection ends, without an error, when the last one under way is over. The peer then
    /// sees its end after everything that was ever sent.
    pub fn finish(&self) {
        let mut inner = self.inner.borrow_mut();
        inner.finishing = true;
        inner.wake_driver();
    }

    /// Whether [`Handle::finish`] was called.
    pub fn is_finishing(&self) -> bool {
        self.inner.borrow().finishing
    }

    /// Queued bytes that the kernel has not taken yet.
    pub fn unsent(&self) -> usize {
        self.inner.borrow().outbox.len()
    }

    /// Streams under way.
    pub fn streams(&self) -> usize {
        self.inner.borrow().streams.len()
    }

    /// Whether the connection has ended.
    pub fn is_closed(&self) -> bool {
        self.inner.borrow().closed
    }
}

/// Drives the socket. Dropping it ends the connection and fails every stream on it.
#[derive(Debug)]
pub struct Connection {
    socket: UnixStream,
    inner: Owned,
    decoder: Decoder,
    buffer: BytesMut,
    /// Frames taken in during this turn.
    frames: usize,
}

impl Connection {
    /// Wraps a connected socket.
    pub fn new(socket: UnixStream, side: Side) -> (Self, Handle) {
        let inner = Rc::new(RefCell::new(Inner::new(side)));
        let handle = Handle { inner: inner.clone() };
        (
            Self {
                socket,
                inner: Owned::new(inner),
                decoder: Decoder::default(),
                buffer: BytesMut::new(),
                frames: 0,
            },
            handle,
        )
    }

    /// The same, to a peer that tells which streams it has begun with.
    pub fn witnessed(self, begun: Begun) -> Self {
        self.inner.borrow_mut().begun = Some(begun);
        self
    }

    /// Gives the socket back after a handshake, to be driven on another thread.
    ///
    /// # Errors
    /// [`ProtocolError::Unexpected`] if the peer has already sent more than the handshake, [`ProtocolError::Io`] if the
    /// socket cannot leave this thread's reactor.
    pub fn into_socket(self) -> Result<std::os::unix::net::UnixStream, ProtocolError> {
        let is_idle = self.decoder.is_between_frames() && self.buffer.is_empty();
        if !is_idle || !self.inner.borrow().outbox.is_empty() {
            return Err(ProtocolError::Unexpected("frame after the handshake"));
        }
        Ok(self.socket.into_std()?)
    }

    /// The next event; `None` when the peer has closed between frames, or when the connection has finished. Sends what is queued before it reads and before it
    /// waits. After `None` or an error the connection is closed.
    ///
    /// # Errors
    /// Any [`ProtocolError`].
    pub async fn next(&mut self) -> Result<Option<Event>, ProtocolError> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Poll form of [`Connection::next`].
    ///
    /// # Errors
    /// Any [`ProtocolError`].
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Event>, ProtocolError>> {
        let polled = self.poll_both(cx);
        if let Poll::Ready(Err(error)) = &polled {
            self.inner.close(error.is_of_a_peer_that_is_gone());
        }
        polled
    }

    fn poll_both(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Event>, ProtocolError>> {
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

    /// As [`Connection::poll_next`], for an owner who sends what is queued by [`Connection::poll_flush`] at the end of its
    /// tick.
    ///
    /// # Errors
    /// Any [`ProtocolError`].
    pub fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Event>, ProtocolError>> {
        self.inner.borrow_mut().driver_waits = false;
        let polled = self.poll_frames(cx);
        match &polled {
            Poll::Ready(Ok(None)) => self.inner.close(true),
            Poll::Ready(Err(error)) => self.inner.close(error.is_of_a_peer_that_is_gone()),
            Poll::Ready(Ok(Some(_))) | Poll::Pending => {}
        }
        polled
    }

    fn poll_frames(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Event>, ProtocolError>> {
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
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(ProtocolError::Torn)),
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

    /// Writes what is queued, as far as the socket takes it now.
    ///
    /// # Errors
    /// [`ProtocolError::Io`].
    pub fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<(), ProtocolError> {
        let mut inner = self.inner.borrow_mut();
        while !inner.outbox.is_empty() {
            let mut slices = Outbox::empty_slices();
            let used = inner.outbox.slices(&mut slices);
            match Pin::new(&mut self.socket).poll_write_vectored(cx, &slices[..used]) {
                Poll::Ready(Ok(written)) => inner.outbox.advance(written),
                // The peer is gone. What it sent before is still to be read, and its end shows there.
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
    /// [`ProtocolError::Io`].
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ProtocolError>> {
        self.poll_write(cx)?;
        if self.inner.borrow().outbox.is_empty() { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    fn on_frame(&mut self, frame: Frame) -> Result<Option<Event>, ProtocolError> {
        let side = self.inner.borrow().side;
        match frame {
            Frame::Control(message) => {
                // What is logged has a limit of its own.
                if side == Side::Supervisor && !matches!(message, Control::Log(_)) {
                    self.inner.borrow_mut().idle.frame()?;
                }
                return Ok(Some(Event::Control(message)));
            }
            Frame::RequestHead { stream, end, payload } if side == Side::Worker => {
                return self.accept(stream, end, payload).map(Some);
            }
            Frame::RequestHead { .. } => return Err(ProtocolError::Unexpected("request head")),
            Frame::ResponseHead { stream, end, payload } if side == Side::Supervisor => {
                let (StatusLine { status }, used) = codec::decode_prefix("response head", &payload)?;
                let head = ResponseHead { status, headers: HeaderBlock::new(payload.slice(used..)), end };
                self.with(stream, false, |state| state.on_head(head))?;
            }
            Frame::ResponseHead { .. } => return Err(ProtocolError::Unexpected("response head")),
            Frame::BodyChunk { stream, end, data } => {
                self.with(stream, data.is_empty() && !end, |state| {
                    if side == Side::Supervisor && !state.has_head() {
                        return Err(ProtocolError::Unexpected("body chunk before the head"));
                    }
                    state.on_chunk(data, end)
                })?
            }
            Frame::BodyEnd { stream, trailers } => self.with(stream, false, |state| {
                if side == Side::Supervisor && !state.has_head() {
                    return Err(ProtocolError::Unexpected("body end before the head"));
                }
                state.on_end(trailers)
            })?,
            Frame::Credit { stream, bytes } => {
                self.with(stream, bytes == 0, |state| state.on_credit(bytes as usize))?;
            }
            Frame::Cancel { stream } if side == Side::Worker => self.fail(stream, Failure::Over)?,
            Frame::Cancel { .. } => return Err(ProtocolError::Unexpected("cancel")),
            Frame::Error { stream, error } if side == Side::Supervisor => {
                self.fail(stream, Failure::Worker(error))?;
            }
            Frame::Error { .. } => return Err(ProtocolError::Unexpected("error")),
        }
        Ok(None)
    }

    fn accept(&mut self, stream: u32, end: bool, head: Bytes) -> Result<Event, ProtocolError> {
        let mut inner = self.inner.borrow_mut();
        if inner.streams.len() >= MAX_STREAMS {
            return Err(ProtocolError::TooManyStreams);
        }
        if inner.streams.contains_key(&stream) {
            return Err(ProtocolError::Unexpected("second request head"));
        }
        let (window, _) = codec::decode_prefix::<u32>("request head", &head)?;
        let mut state = State::accepted(stream, window as usize);
        if end {
            state.mark_empty();
        }
        let state = Rc::new(RefCell::new(state));
        inner.streams.insert(stream, state.clone());
        let sender = Sender { inner: self.inner.clone(), state: state.clone() };
        let receiver = Receiver { inner: self.inner.clone(), state };
        Ok(Event::Request { head, sender, receiver })
    }

    /// Applies a frame to its stream. Frames for a stream that is over were sent before the peer knew: they are dropped, unless
    /// there are too many of them, or of those that change nothing.
    fn with(
        &mut self,
        stream: u32,
        is_idle: bool,
        apply: impl FnOnce(&mut State) -> Result<(), ProtocolError>,
    ) -> Result<(), ProtocolError> {
        let mut inner = self.inner.borrow_mut();
        let Some(state) = inner.streams.get(&stream).cloned() else { return inner.idle.frame() };
        if is_idle {
            inner.idle.frame()?;
        } else {
            inner.idle.forgive();
        }
        let side = inner.side;
        drop(inner);
        apply(&mut state.borrow_mut())?;
        if side == Side::Supervisor && state.borrow().incoming_ended() {
            finish(&self.inner, &state, Failure::Over);
        }
        Ok(())
    }

    fn fail(&mut self, stream: u32, failure: Failure) -> Result<(), ProtocolError> {
        let mut inner = self.inner.borrow_mut();
        let Some(state) = inner.streams.get(&stream).cloned() else { return inner.idle.frame() };
        inner.idle.forgive();
        drop(inner);
        finish(&self.inner, &state, failure);
        Ok(())
    }
}

/// Waits for a control frame, as in a handshake, where no request may come yet.
///
/// # Errors
/// [`ProtocolError::Torn`] if the peer closes instead, [`ProtocolError::Unexpected`] for a request.
pub fn poll_control(
    connection: &mut Connection,
    cx: &mut Context<'_>,
) -> Poll<Result<Control, ProtocolError>> {
    match ready!(connection.poll_next(cx))? {
        Some(Event::Control(message)) => Poll::Ready(Ok(message)),
        Some(Event::Request { .. }) => Poll::Ready(Err(ProtocolError::Unexpected("request head"))),
        None => Poll::Ready(Err(ProtocolError::Torn)),
    }
}
