//! What carries the connection of a client, as hyper and h2 see it: tells [`Client`] what happens on it, gives hyper's own answers
//! our form, and closes without losing the last answer.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use nano_protocol::message::RequestId;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::time::timeout;

use crate::edge::client::Client;
use crate::edge::client::frames::PREFACE;
use crate::model::refusal::Refusal;

/// Answers up to this length go out as one buffer: copying them costs less than a vectored write.
const FLAT: usize = 1024;

/// How long what a client still sends is read after the last answer.
const LINGER: Duration = Duration::from_secs(2);

/// How much of that is read at once.
const DISCARDED: usize = 16 * 1024;

/// What can carry the connection of a client: TCP, what is encrypted on top of it, or memory. Its addresses are known to whoever
/// has accepted it.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Unpin + 'static> Transport for T {}

/// The transport of a client, for what is left to do when hyper or h2 has let go of it.
pub(crate) struct ClientSocket<T>(Rc<RefCell<T>>);

impl<T: Transport> ClientSocket<T> {
    /// Sends as much of `bytes` as the transport takes at once.
    pub(crate) fn last_word(&self, bytes: &[u8]) {
        let mut cx = Context::from_waker(Waker::noop());
        let mut transport = self.0.borrow_mut();
        let _ = Pin::new(&mut *transport).poll_write(&mut cx, bytes);
        let _ = Pin::new(&mut *transport).poll_flush(&mut cx);
    }

    /// Says that nothing more will come, and reads what does come, until the client has closed or its time is over: a
    /// socket that is closed over unread bytes resets the connection, and takes the answer with it.
    pub(crate) async fn linger(self) {
        let Some(transport) = Rc::into_inner(self.0) else { return };
        let mut transport = transport.into_inner();
        let read = async {
            let _ = transport.shutdown().await;
            while let Ok(1..) = poll_fn(|cx| poll_discard(Pin::new(&mut transport), cx)).await {
                // However much there is, others have their turn.
                tokio::task::yield_now().await;
            }
        };
        let _ = timeout(LINGER, read).await;
    }
}

/// Reads what nobody wants; how much that was.
fn poll_discard<T: Transport>(transport: Pin<&mut T>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
    let mut discarded = [const { MaybeUninit::uninit() }; DISCARDED];
    let mut buffer = ReadBuf::uninit(&mut discarded);
    ready!(transport.poll_read(cx, &mut buffer))?;
    Poll::Ready(Ok(buffer.filled().len()))
}

/// The first bytes of a connection, which have been read to see what it speaks.
#[derive(Debug, Default)]
struct Start {
    bytes: [u8; PREFACE.len()],
    read: usize,
    /// How many of them hyper or h2 has been given.
    given: usize,
}

/// The transport as hyper and h2 see it.
pub(crate) struct ClientIo<T> {
    socket: Rc<RefCell<T>>,
    client: Rc<Client>,
    start: Start,
    /// An answer of ours that replaces one of hyper's, and how many of hyper's bytes it stands for.
    refusal: Option<(Vec<u8>, usize)>,
}

impl<T: Transport> ClientIo<T> {
    /// Wraps an accepted connection.
    pub(crate) fn new(transport: T, client: Rc<Client>) -> Self {
        let socket = Rc::new(RefCell::new(transport));
        Self { socket, client, start: Start::default(), refusal: None }
    }

    /// The transport beneath.
    pub(crate) fn socket(&self) -> ClientSocket<T> {
        ClientSocket(self.socket.clone())
    }

    /// Waits for the first bytes: whether they begin HTTP/2.
    pub(crate) fn poll_is_http2(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        loop {
            let mut buffer = ReadBuf::new(&mut self.start.bytes[self.start.read..]);
            let read = ready!(Pin::new(&mut *self.socket.borrow_mut()).poll_read(cx, &mut buffer));
            // What is wrong with it shows again when it is read.
            if read.is_err() || buffer.filled().is_empty() {
                return Poll::Ready(false);
            }
            self.client.has_read(buffer.filled());
            self.start.read += buffer.filled().len();
            if let Some(is_http2) = self.client.speaks_http2() {
                return Poll::Ready(is_http2);
            }
        }
    }

    fn poll<R>(&self, poll: impl FnOnce(Pin<&mut T>) -> R) -> R {
        poll(Pin::new(&mut *self.socket.borrow_mut()))
    }

    fn poll_more(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.client.is_watched() {
            return self.poll(|socket| socket.poll_read(cx, buffer));
        }
        if self.client.has_had_its_turn() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.client.is_held_up(cx) {
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        ready!(self.poll(|socket| socket.poll_read(cx, buffer)))?;
        self.client.has_read(&buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }

    /// Writes our own answer in place of hyper's, then reports hyper's bytes as written.
    fn poll_refusal(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Some((bytes, stands_for)) = &mut self.refusal else { return Poll::Ready(Ok(0)) };
        while !bytes.is_empty() {
            match Pin::new(&mut *self.socket.borrow_mut()).poll_write(cx, bytes) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => {
                    bytes.drain(..written);
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.client.has_written(None);
                    return Poll::Pending;
                }
            }
        }
        self.client.has_written(Some(0));
        let stands_for = *stands_for;
        self.refusal = None;
        Poll::Ready(Ok(stands_for))
    }
}

/// hyper answers what it cannot parse by itself, with a bare head and no way to hook in.
fn automatic_answer(bytes: &[u8]) -> Option<Refusal> {
    match bytes.strip_prefix(b"HTTP/1.")?.get(2..5)? {
        b"400" => Some(Refusal::Malformed),
        b"414" => Some(Refusal::UriTooLong),
        b"431" => Some(Refusal::HeadersTooLarge),
        _ => None,
    }
}

impl<T: Transport> AsyncRead for ClientIo<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Start { bytes, read, given } = &mut self.start;
        if given == read {
            return self.poll_more(cx, buffer);
        }
        let length = (*read - *given).min(buffer.remaining());
        buffer.put_slice(&bytes[*given..*given + length]);
        *given += length;
        // With what has come behind them, so that a head which is there is parsed in one go.
        if buffer.remaining() > 0 {
            let _ = self.poll_more(cx, buffer);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: Transport> AsyncWrite for ClientIo<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        if self.refusal.is_some() {
            return self.poll_refusal(cx);
        }
        if self.client.is_refused()
            && let Some(refusal) = automatic_answer(buffer)
        {
            self.client.leave_unread();
            let refusal = match refusal {
                // hyper says the same of every head that is too large.
                Refusal::HeadersTooLarge if !self.client.has_request_line() => Refusal::UriTooLong,
                refusal => refusal,
            };
            let id = RequestId(fastrand::u128(..));
            self.refusal = Some((refusal.raw_response(id), buffer.len()));
            return self.poll_refusal(cx);
        }
        let written = self.poll(|socket| socket.poll_write(cx, buffer));
        self.client.has_written(taken(&written));
        written
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // hyper has this asked when its own buffer is empty.
        self.client.has_flushed();
        self.poll(|socket| socket.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(|socket| socket.poll_shutdown(cx))
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.borrow().is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // A bare head is one slice: hyper flattens heads into one buffer.
        if let [buffer] = buffers
            && self.client.is_refused()
        {
            return self.poll_write(cx, buffer);
        }
        let length: usize = buffers.iter().map(|buffer| buffer.len()).sum();
        let written = if length <= FLAT {
            let mut flat = [0; FLAT];
            let mut filled = 0;
            for buffer in buffers {
                flat[filled..filled + buffer.len()].copy_from_slice(buffer);
                filled += buffer.len();
            }
            self.poll(|socket| socket.poll_write(cx, &flat[..filled]))
        } else {
            self.poll(|socket| socket.poll_write_vectored(cx, buffers))
        };
        self.client.has_written(taken(&written));
        written
    }
}

/// How many bytes of an answer the client takes, if it takes any now. What has failed is no matter of its pace.
fn taken(written: &Poll<io::Result<usize>>) -> Option<usize> {
    match written {
        Poll::Ready(written) => Some(*written.as_ref().unwrap_or(&0)),
        Poll::Pending => None,
    }
}
