//! What messages of all WebSockets hold that the app has opened, by `fetch` or `new WebSocket()`: those that have not arrived
//! completely, and those that have not left. A server, or another app, may send a part of a message and no more, or take nothing; what
//! all of them cost together is limited.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, ready};

use deno_core::{CancelHandle, v8};
use nano_protocol::message::LogLevel;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf, Take};

use super::handshake::Io;
use crate::requests::in_flight::InFlight;

/// Most bytes that are read at once. As many may be left over behind a frame, which do not count.
const READ: u64 = 16 * 1024;

/// What a message that waits takes besides its bytes: an app may send very many short ones.
const MESSAGE: usize = 256;

/// Most bytes that are read and forgotten behind a closing frame.
const DISCARDED: usize = 64 * 1024 * 1024;

/// The code with which a WebSocket is closed whose message finds no room.
const TRY_AGAIN_LATER: u16 = 1013;

/// How much the WebSockets that the app has opened may hold.
#[derive(Debug)]
pub struct SocketShare {
    /// Longest message that is received, in bytes.
    max_message: usize,
    most: usize,
    held: Cell<usize>,
    open: RefCell<Vec<Weak<Holdings>>>,
}

impl SocketShare {
    /// Creates a share of which at most so many bytes are held, in messages of at most `max_message` bytes.
    pub fn new(max_message: usize, most: usize) -> Rc<Self> {
        // Whatever the limit is, a text has to become a string.
        let max_message = max_message.min(v8::String::MAX_LENGTH);
        Rc::new(Self { max_message, most, held: Cell::new(0), open: RefCell::default() })
    }

    /// Returns how many bytes are held.
    pub fn held(&self) -> usize {
        self.held.get()
    }

    /// Ends the WebSockets that hold most, until all together hold no more than they may.
    fn make_room(&self) {
        while self.held.get() > self.most {
            let open = self.open.borrow();
            let Some(most) = open.iter().filter_map(Weak::upgrade).max_by_key(|open| open.held()) else {
                return;
            };
            if most.held() == 0 {
                return;
            }
            most.give_up();
        }
    }
}

/// What one WebSocket holds, and how it is ended.
pub(super) struct Holdings {
    share: Rc<SocketShare>,
    in_flight: Rc<InFlight>,
    /// The request in whose course it was opened; zero for none.
    request: u32,
    /// Bytes that the app has sent and that have not left, and what their messages take besides.
    unsent: Cell<usize>,
    /// The bytes of those messages alone, which JavaScript sees as `bufferedAmount`.
    buffered: Cell<usize>,
    /// Bytes of the frame that arrives, and of the frames before it that are of the same message.
    frame: Cell<usize>,
    message: Cell<usize>,
    is_given_up: Cell<bool>,
    /// Cancels the wait for the next message.
    pub(super) end: Rc<CancelHandle>,
    /// Why it has ended.
    pub(super) why: Cell<&'static str>,
    /// The code with which it is closed then; zero for none.
    pub(super) code: Cell<u16>,
}

impl std::fmt::Debug for Holdings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Holdings").field("held", &self.held()).finish_non_exhaustive()
    }
}

impl Holdings {
    pub(super) fn new(share: &Rc<SocketShare>, in_flight: Rc<InFlight>, request: u32) -> Rc<Self> {
        let holdings = Rc::new(Self {
            share: share.clone(),
            in_flight,
            request,
            unsent: Cell::new(0),
            buffered: Cell::new(0),
            frame: Cell::new(0),
            message: Cell::new(0),
            is_given_up: Cell::new(false),
            end: CancelHandle::new_rc(),
            why: Cell::new("the WebSocket was closed"),
            code: Cell::new(0),
        });
        let mut open = share.open.borrow_mut();
        open.retain(|open| open.strong_count() > 0);
        open.push(Rc::downgrade(&holdings));
        drop(open);
        holdings
    }

    fn held(&self) -> usize {
        self.unsent.get() + self.frame.get() + self.message.get()
    }

    /// Returns how many bytes of messages wait to be sent.
    pub(super) fn buffered(&self) -> usize {
        self.buffered.get()
    }

    /// Returns the longest message that is received, in bytes.
    pub(super) fn max_message(&self) -> usize {
        self.share.max_message
    }

    /// Returns whether it was ended because all together held too much: nothing is kept any more.
    pub(super) fn is_given_up(&self) -> bool {
        self.is_given_up.get()
    }

    /// Counts a message that waits to be sent, until [`Self::sent`].
    pub(super) fn sends(&self, length: usize) {
        self.buffered.set(self.buffered.get() + length);
        self.set(&self.unsent, self.unsent.get() + length + MESSAGE);
        self.share.make_room();
    }

    pub(super) fn sent(&self, length: usize) {
        self.buffered.set(self.buffered.get() - length);
        self.set(&self.unsent, self.unsent.get().saturating_sub(length + MESSAGE));
    }

    /// Counts bytes of a frame that arrives.
    fn receives(&self, length: usize) {
        self.set(&self.frame, self.frame.get() + length);
        self.share.make_room();
    }

    /// Notes that a frame is complete, and that so many bytes of its message are kept.
    pub(super) fn received(&self, kept: usize) {
        self.set(&self.frame, 0);
        self.set(&self.message, kept);
    }

    fn set(&self, count: &Cell<usize>, bytes: usize) {
        let bytes = if self.is_given_up() { 0 } else { bytes };
        let before = count.replace(bytes);
        self.share.held.set(self.share.held.get() - before + bytes);
    }

    fn release(&self) {
        for count in [&self.unsent, &self.frame, &self.message] {
            self.set(count, 0);
        }
    }

    /// Ends the WebSocket, and loses what it holds.
    fn give_up(&self) {
        if self.unsent.get() == 0 {
            // Otherwise a frame may have left in part.
            self.code.set(TRY_AGAIN_LATER);
        }
        let why = if self.unsent.get() > self.frame.get() + self.message.get() {
            "the other side does not take what is sent to it (`max_websocket_buffered`)"
        } else {
            "too many messages wait (`max_websocket_buffered`)"
        };
        let message = format!("a WebSocket that the app has opened was closed: {why}");
        self.in_flight.log(LogLevel::Warn, self.request, message);
        self.is_given_up.set(true);
        self.release();
        self.why.set(why);
        self.end.cancel();
    }
}

impl Drop for Holdings {
    fn drop(&mut self) {
        self.release();
    }
}

/// What frames go over, which counts what is read. All clones are of the same one.
#[derive(Clone)]
pub(super) struct CountedIo {
    io: Rc<RefCell<Take<Io>>>,
    holdings: Rc<Holdings>,
}

impl CountedIo {
    pub(super) fn new(io: Io, holdings: Rc<Holdings>) -> Self {
        Self { io: Rc::new(RefCell::new(io.take(READ))), holdings }
    }

    /// Reads what still comes and forgets it: closing a connection over unread bytes would reset it, and what was sent last with it.
    pub(super) async fn discard(self) {
        let mut left = DISCARDED;
        while left > 0 {
            let read = poll_fn(|cx| {
                let mut bytes = [MaybeUninit::uninit(); READ as usize];
                let mut bytes = ReadBuf::uninit(&mut bytes);
                let mut io = self.io.borrow_mut();
                io.set_limit(READ);
                Pin::new(&mut *io).poll_read(cx, &mut bytes).map_ok(|()| bytes.filled().len())
            });
            match read.await {
                Ok(length) if length > 0 => left = left.saturating_sub(length),
                _ => return,
            }
        }
    }
}

impl AsyncRead for CountedIo {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let mut io = self.io.borrow_mut();
        io.set_limit(READ);
        ready!(Pin::new(&mut *io).poll_read(cx, buffer))?;
        drop(io);
        self.holdings.receives(buffer.filled().len() - before);
        Poll::Ready(if self.holdings.is_given_up() { Err(io::ErrorKind::OutOfMemory.into()) } else { Ok(()) })
    }
}

impl AsyncWrite for CountedIo {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(self.io.borrow_mut().get_mut()).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(self.io.borrow_mut().get_mut()).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.borrow().get_ref().is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.io.borrow_mut().get_mut()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.io.borrow_mut().get_mut()).poll_shutdown(cx)
    }
}
