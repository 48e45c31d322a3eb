//! The socket of one client as hyper sees it: tells [`Client`] what happens on it, gives hyper's own answers our form, and
//! closes without losing the last answer.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use nano_protocol::message::RequestId;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Client;
use super::frames::{PREFACE, is_http2};
use crate::model::refusal::Refusal;

/// Answers up to this length go out as one buffer: copying them costs less than a vectored write.
const FLAT: usize = 1024;

/// How long what a client still sends is read after the last answer.
const LINGER: Duration = Duration::from_secs(2);

/// The socket of a client, for what is left to do when hyper has let go of it.
#[derive(Debug, Clone)]
pub(crate) struct ClientSocket(Rc<RefCell<TokioIo<TcpStream>>>);

impl ClientSocket {
    /// Sends as much of `bytes` as the kernel takes at once.
    pub(crate) fn last_word(&self, bytes: &[u8]) {
        let _ = self.0.borrow().inner().try_write(bytes);
    }

    /// Says that nothing more will come, and reads what does come, until the client has closed or its time is over: a
    /// socket that is closed over unread bytes resets the connection, and takes the answer with it.
    pub(crate) async fn linger(self, client: &Client) {
        let Some(socket) = Rc::into_inner(self.0) else { return };
        let mut socket = socket.into_inner().into_inner();
        let read = async {
            let _ = socket.shutdown().await;
            while socket.readable().await.is_ok() {
                let read = socket.try_read(&mut client.crowd.scratch());
                match read {
                    // However much there is, others have their turn.
                    Ok(1..) => tokio::task::yield_now().await,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Ok(0) | Err(_) => return,
                }
            }
        };
        let _ = timeout(LINGER, read).await;
    }
}

/// The socket as hyper sees it.
#[derive(Debug)]
pub(crate) struct ClientIo {
    socket: ClientSocket,
    client: Rc<Client>,
    /// Read to see how it goes on, and still to be given on: what HTTP/2 begins with.
    begun: &'static [u8],
    /// An answer of ours that replaces one of hyper's, and how many of hyper's bytes it stands for.
    refusal: Option<(Vec<u8>, usize)>,
}

impl ClientIo {
    /// Wraps an accepted socket.
    pub(crate) fn new(socket: TcpStream, client: Rc<Client>) -> Self {
        let socket = ClientSocket(Rc::new(RefCell::new(TokioIo::new(socket))));
        Self { socket, client, begun: &[], refusal: None }
    }

    /// The socket beneath.
    pub(crate) fn socket(&self) -> ClientSocket {
        self.socket.clone()
    }

    /// Waits for the first bytes, which stay there: whether they begin HTTP/2.
    pub(crate) fn poll_is_http2(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        loop {
            let mut start = [0; PREFACE.len()];
            let mut start = tokio::io::ReadBuf::new(&mut start);
            let socket = self.socket.0.borrow();
            // What is wrong with it shows again when it is read.
            let _ = ready!(socket.inner().poll_peek(cx, &mut start));
            if let Some(is_http2) = is_http2(self.begun.len(), start.filled()) {
                return Poll::Ready(is_http2);
            }
            // So few bytes are taken away, or they would be all that is seen, again and again.
            match socket.inner().try_read(&mut start.filled_mut()[..]) {
                Ok(1..) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Ok(0) | Err(_) => return Poll::Ready(false),
            }
            drop(socket);
            self.begun = &PREFACE[..self.begun.len() + start.filled().len()];
            self.client.has_read(start.filled());
        }
    }

    fn poll<T>(&self, poll: impl FnOnce(Pin<&mut TokioIo<TcpStream>>) -> T) -> T {
        poll(Pin::new(&mut self.socket.0.borrow_mut()))
    }

    /// Writes our own answer in place of hyper's, then reports hyper's bytes as written.
    fn poll_refusal(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Some((bytes, stands_for)) = &mut self.refusal else { return Poll::Ready(Ok(0)) };
        while !bytes.is_empty() {
            match Pin::new(&mut *self.socket.0.borrow_mut()).poll_write(cx, bytes) {
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

impl Read for ClientIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.begun.is_empty() {
            let (given, rest) = self.begun.split_at(self.begun.len().min(cursor.remaining()));
            cursor.put_slice(given);
            self.begun = rest;
            return Poll::Ready(Ok(()));
        }
        if !self.client.is_watched() {
            return self.poll(|socket| socket.poll_read(cx, cursor));
        }
        if self.client.has_had_its_turn() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.client.is_held_up(cx) {
            return Poll::Pending;
        }
        // hyper's buffer shows nobody what is in it. Heads and frames are small, and bodies of HTTP/1 do not come this way.
        let mut scratch = self.client.crowd.scratch();
        let length = scratch.len().min(cursor.remaining());
        let mut buffer = ReadBuf::new(&mut scratch[..length]);
        ready!(self.poll(|socket| socket.poll_read(cx, buffer.unfilled())))?;
        cursor.put_slice(buffer.filled());
        self.client.has_read(buffer.filled());
        Poll::Ready(Ok(()))
    }
}

impl Write for ClientIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        if self.refusal.is_some() {
            return self.poll_refusal(cx);
        }
        if self.client.is_refused()
            && let Some(refusal) = automatic_answer(buffer)
        {
            self.client.leaves_unread.set(true);
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
        true
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
