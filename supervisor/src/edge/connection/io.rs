//! The transport of a client connection, as hyper and h2 see it. Reports to [`Client`] what is read and written,
//! replaces hyper's own responses by ours, and closes without losing the last response.

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

use super::websocket::talk::SocketTransport;
use crate::edge::client::frames::PREFACE;
use crate::edge::client::{Client, LONG_READ};
use crate::model::refusal::Refusal;

/// Responses up to this length are written as one buffer: copying them costs less than a vectored write.
const FLAT: usize = 1024;

/// How long input is read and discarded after the last response.
const LINGER: Duration = Duration::from_secs(2);

/// Bytes of such input that are read at once.
const DISCARDED: usize = 16 * 1024;

/// A transport that can carry a client connection: TCP, TLS on top of it, or memory. The code that has accepted the
/// connection passes its addresses separately.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Unpin + 'static> Transport for T {}

/// The transport, for what remains to be done after hyper or h2 has dropped the [`ClientIo`].
pub(crate) struct ClientSocket<T>(Rc<RefCell<T>>);

impl<T: Transport> ClientSocket<T> {
    /// Writes as much of `bytes` as the transport takes without waiting.
    pub(crate) fn last_word(&self, bytes: &[u8]) {
        let mut cx = Context::from_waker(Waker::noop());
        let mut transport = self.0.borrow_mut();
        let _ = Pin::new(&mut *transport).poll_write(&mut cx, bytes);
        let _ = Pin::new(&mut *transport).poll_flush(&mut cx);
    }

    /// Shuts down writing, and discards input until the client has closed or `LINGER` has passed. The kernel resets a
    /// connection that is closed with unread input, and the client may then lose the response.
    pub(crate) async fn linger(self) {
        let Some(transport) = Rc::into_inner(self.0) else { return };
        let mut transport = transport.into_inner();
        let read = async {
            let _ = transport.shutdown().await;
            while let Ok(1..) = poll_fn(|cx| poll_discard(Pin::new(&mut transport), cx)).await {
                // Lets other connections run, however much input there is.
                tokio::task::yield_now().await;
            }
        };
        let _ = timeout(LINGER, read).await;
    }
}

/// Reads and discards input. Returns how many bytes.
fn poll_discard<T: Transport>(transport: Pin<&mut T>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
    let mut discarded = [const { MaybeUninit::uninit() }; DISCARDED];
    let mut buffer = ReadBuf::uninit(&mut discarded);
    ready!(transport.poll_read(cx, &mut buffer))?;
    Poll::Ready(Ok(buffer.filled().len()))
}

/// The first bytes of a connection, which were read to detect its protocol.
#[derive(Debug, Default)]
struct Preread {
    bytes: [u8; PREFACE.len()],
    read: usize,
    /// How many of these bytes were passed on.
    given: usize,
}

pub(crate) struct ClientIo<T> {
    socket: Rc<RefCell<T>>,
    client: Rc<Client>,
    preread: Preread,
    /// The remaining bytes of a response that replaces one of hyper's, and how many of hyper's bytes it replaces.
    refusal: Option<(Vec<u8>, usize)>,
}

impl<T: Transport> ClientIo<T> {
    pub(crate) fn new(transport: T, client: Rc<Client>) -> Self {
        let socket = Rc::new(RefCell::new(transport));
        Self { socket, client, preread: Preread::default(), refusal: None }
    }

    pub(crate) fn socket(&self) -> ClientSocket<T> {
        ClientSocket(self.socket.clone())
    }

    /// Reads the first bytes, and returns whether they begin HTTP/2.
    pub(crate) fn poll_is_http2(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        loop {
            let mut buffer = ReadBuf::new(&mut self.preread.bytes[self.preread.read..]);
            let read = ready!(Pin::new(&mut *self.socket.borrow_mut()).poll_read(cx, &mut buffer));
            // The next read reports an error again.
            if read.is_err() || buffer.filled().is_empty() {
                return Poll::Ready(false);
            }
            self.client.has_read(buffer.filled());
            self.preread.read += buffer.filled().len();
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
        match self.client.most_read().filter(|most| *most < buffer.remaining()) {
            None => ready!(self.poll(|socket| socket.poll_read(cx, buffer)))?,
            Some(most) => {
                let mut part = [const { MaybeUninit::uninit() }; LONG_READ];
                let mut part = ReadBuf::uninit(&mut part[..most]);
                ready!(self.poll(|socket| socket.poll_read(cx, &mut part)))?;
                buffer.put_slice(part.filled());
            }
        }
        self.client.has_read(&buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }

    /// Writes our response in place of hyper's, and then reports hyper's bytes as written.
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

/// Recognizes hyper's own response to input that it cannot parse, which is a head without a body. hyper has no hook for
/// it.
fn automatic_answer(bytes: &[u8]) -> Option<Refusal> {
    match bytes.strip_prefix(b"HTTP/1.")?.get(2..5)? {
        b"400" => Some(Refusal::Malformed),
        b"414" => Some(Refusal::UriTooLong),
        b"431" => Some(Refusal::HeadersTooLarge),
        _ => None,
    }
}

impl<T: Transport> SocketTransport for ClientIo<T> {}

impl<T: Transport> AsyncRead for ClientIo<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Preread { bytes, read, given } = &mut self.preread;
        if given == read {
            return self.poll_more(cx, buffer);
        }
        let length = (*read - *given).min(buffer.remaining());
        buffer.put_slice(&bytes[*given..*given + length]);
        *given += length;
        // Adds what has arrived since, so that a complete head is parsed in one go.
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
                // hyper sends the same status for a long request line as for a large head.
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
        // hyper calls this when its own buffer is empty.
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
        // A head without a body is one slice, since hyper flattens heads into one buffer.
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

/// Returns how many bytes the socket has taken, or `None` if it takes no more now. An error says nothing about the
/// client's pace.
fn taken(written: &Poll<io::Result<usize>>) -> Option<usize> {
    match written {
        Poll::Ready(written) => Some(*written.as_ref().unwrap_or(&0)),
        Poll::Pending => None,
    }
}
