//! One client connection: what it is doing, how long it may, and what hyper says to it when it is not HTTP.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use nano_protocol::message::RequestId;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::proxy::answer::Refusal;

/// How often connections are looked at. Time is counted in these, so that no request costs a timer or a look at a clock.
pub const TICK: Duration = Duration::from_millis(250);

/// What a connection is doing, as far as time limits are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing, since this tick.
    Idle(u64),
    /// Part of a request head has come, since this tick.
    ReadingHead(u64),
    /// Requests are being answered.
    Serving,
}

/// The state of one client connection, shared by its I/O, its requests and the sweep of its thread.
#[derive(Debug)]
pub struct Client {
    phase: Cell<Phase>,
    requests: Cell<usize>,
    is_http2: Cell<bool>,
    clock: Rc<Cell<u64>>,
    overdue: Cell<Option<Overdue>>,
    close: Notify,
}

/// Why a connection is closed by the sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overdue {
    /// It was idle for too long.
    Idle,
    /// Its request head took too long.
    Head,
}

impl Client {
    /// A fresh connection; `clock` counts ticks.
    pub fn new(clock: &Rc<Cell<u64>>) -> Self {
        Self {
            // A connection that never says anything is one whose head does not come.
            phase: Cell::new(Phase::ReadingHead(clock.get())),
            requests: Cell::new(0),
            is_http2: Cell::new(false),
            clock: clock.clone(),
            overdue: Cell::new(None),
            close: Notify::new(),
        }
    }

    /// A request has been read.
    pub fn serve(self: &Rc<Self>) -> Serving {
        self.requests.set(self.requests.get() + 1);
        self.phase.set(Phase::Serving);
        Serving(self.clone())
    }

    /// Resolves when the sweep wants the connection closed.
    pub async fn overdue(&self) -> Overdue {
        loop {
            if let Some(why) = self.overdue.get() {
                return why;
            }
            self.close.notified().await;
        }
    }

    /// Closes the connection if it has been idle, or reading one head, for more than these many ticks.
    pub fn sweep(&self, idle: u64, head: u64) {
        let now = self.clock.get();
        let why = match self.phase.get() {
            Phase::Idle(since) if now - since > idle => Overdue::Idle,
            Phase::ReadingHead(since) if now - since > head => Overdue::Head,
            _ => return,
        };
        self.overdue.set(Some(why));
        self.close.notify_one();
    }

    /// The connection speaks HTTP/2: what comes between requests (pings, settings) is no head under way.
    pub fn speaks_http2(&self) {
        self.is_http2.set(true);
    }

    fn has_read(&self) {
        match self.phase.get() {
            Phase::Idle(_) if self.is_http2.get() => self.phase.set(Phase::Idle(self.clock.get())),
            Phase::Idle(_) => self.phase.set(Phase::ReadingHead(self.clock.get())),
            Phase::ReadingHead(_) | Phase::Serving => {}
        }
    }

    /// Whether what hyper writes now may be its own answer to bytes that are no request.
    fn may_be_refused(&self) -> bool {
        self.requests.get() == 0 && !self.is_http2.get()
    }
}

/// One request of a connection, until its response is complete.
#[derive(Debug)]
pub struct Serving(Rc<Client>);

impl Drop for Serving {
    fn drop(&mut self) {
        let client = &self.0;
        client.requests.set(client.requests.get() - 1);
        if client.requests.get() == 0 {
            client.phase.set(Phase::Idle(client.clock.get()));
        }
    }
}

/// The socket as hyper sees it.
#[derive(Debug)]
pub struct ClientIo {
    socket: TokioIo<TcpStream>,
    client: Rc<Client>,
    /// An answer of ours that replaces one of hyper's, and how many of hyper's bytes it stands for.
    refusal: Option<(Vec<u8>, usize)>,
}

impl ClientIo {
    /// Wraps an accepted socket.
    pub fn new(socket: TcpStream, client: Rc<Client>) -> Self {
        Self { socket: TokioIo::new(socket), client, refusal: None }
    }

    /// Writes our own answer in place of hyper's, then reports hyper's bytes as written.
    fn poll_refusal(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Some((bytes, stands_for)) = &mut self.refusal else { return Poll::Ready(Ok(0)) };
        while !bytes.is_empty() {
            match Pin::new(&mut self.socket).poll_write(cx, bytes) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => {
                    bytes.drain(..written);
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        let stands_for = *stands_for;
        self.refusal = None;
        Poll::Ready(Ok(stands_for))
    }
}

/// hyper answers what it cannot parse by itself, with an empty body and no way to hook in. Its answer is always the last
/// thing it writes, always a bare head, and recognisable by the request id that every answer of ours carries.
fn automatic_answer(buffer: &[u8]) -> Option<(usize, Refusal)> {
    let head = buffer.strip_suffix(b"\r\n\r\n")?;
    let start = head.windows(9).rposition(|window| window == b"HTTP/1.1 ")?;
    let head = &head[start..];
    let is_bare =
        head.len() < 160 && !head.windows(13).any(|window| window.eq_ignore_ascii_case(b"x-request-id:"));
    let refusal = match head.get(9..12)? {
        b"400" => Refusal::Malformed,
        b"414" => Refusal::UriTooLong,
        b"431" => Refusal::HeadersTooLarge,
        _ => return None,
    };
    is_bare.then_some((start, refusal))
}

impl Read for ClientIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.socket).poll_read(cx, cursor);
        if read.is_ready() {
            self.client.has_read();
        }
        read
    }
}

impl Write for ClientIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        if self.refusal.is_some() {
            return self.poll_refusal(cx);
        }
        if self.client.may_be_refused()
            && let Some((start, refusal)) = automatic_answer(buffer)
        {
            if start > 0 {
                // What is left of answers before it goes out as it is.
                return Pin::new(&mut self.socket).poll_write(cx, &buffer[..start]);
            }
            let id = RequestId(fastrand::u128(..));
            self.refusal = Some((refusal.raw_response(id), buffer.len()));
            return self.poll_refusal(cx);
        }
        Pin::new(&mut self.socket).poll_write(cx, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // A bare head is one slice: hyper flattens heads into one buffer.
        if let [buffer] = buffers
            && self.client.may_be_refused()
        {
            return self.poll_write(cx, buffer);
        }
        Pin::new(&mut self.socket).poll_write_vectored(cx, buffers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bare_answers_of_hyper_are_recognised() {
        let bare =
            b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(automatic_answer(bare), Some((0, Refusal::HeadersTooLarge)));
        let after = [&b"hello"[..], b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"].concat();
        assert_eq!(automatic_answer(&after), Some((5, Refusal::Malformed)));
        for ours in [
            &b"HTTP/1.1 400 Bad Request\r\nx-request-id: 0\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\nhi",
            b"\r\n\r\n",
            b"",
        ] {
            assert_eq!(automatic_answer(ours), None);
        }
    }

    #[test]
    fn idle_connections_and_slow_heads_are_overdue_and_busy_ones_are_not() {
        let clock = Rc::new(Cell::new(0));
        let client = Rc::new(Client::new(&clock));
        let overdue = || {
            client.sweep(10, 5);
            client.overdue.take()
        };
        clock.set(5);
        assert_eq!(overdue(), None);
        clock.set(6);
        assert_eq!(overdue(), Some(Overdue::Head));
        let serving = client.serve();
        clock.set(100);
        assert_eq!(overdue(), None);
        drop(serving);
        clock.set(110);
        assert_eq!(overdue(), None);
        clock.set(111);
        assert_eq!(overdue(), Some(Overdue::Idle));
        client.has_read();
        assert_eq!(overdue(), None);
        clock.set(117);
        assert_eq!(overdue(), Some(Overdue::Head));
    }
}
