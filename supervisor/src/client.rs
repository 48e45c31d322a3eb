//! One client connection: what it is doing, how long it may, and what hyper says to it when it is not HTTP.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use nano_protocol::message::RequestId;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::proxy::answer::Refusal;

/// How often connections are looked at. Time is counted in these, so that no request costs a timer or a look at a clock.
pub const TICK: Duration = Duration::from_millis(250);

/// Answers up to this length go out as one buffer: copying them costs less than a vectored write.
const FLAT: usize = 1024;

/// How long what a client still sends is read after the last answer.
const LINGER: Duration = Duration::from_secs(2);

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

/// Where a connection leads from and to.
#[derive(Debug)]
pub struct Peer {
    /// The client's address.
    pub address: SocketAddr,
    /// Its IP address as text, which every request carries on.
    pub ip: String,
    /// The address it connected to.
    pub local: SocketAddr,
}

impl Peer {
    /// What is known of an accepted connection.
    pub fn new(address: SocketAddr, local: SocketAddr) -> Self {
        Self { address, ip: address.ip().to_canonical().to_string(), local }
    }
}

/// The state of one client connection, shared by its I/O, its requests and the sweep of its thread.
#[derive(Debug)]
pub struct Client {
    phase: Cell<Phase>,
    requests: Cell<usize>,
    is_http2: Cell<bool>,
    clock: Rc<Cell<u64>>,
    /// Since this tick the client has not taken what there is for it.
    stalled: Cell<Option<u64>>,
    /// The client may be sending what nobody will read.
    leaves_unread: Cell<bool>,
    overdue: Cell<Option<Overdue>>,
    /// Whom to tell of that.
    driver: RefCell<Option<Waker>>,
}

/// Why a connection is closed by the sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overdue {
    /// It was idle for too long.
    Idle,
    /// Its request head took too long.
    Head,
    /// It did not take its answer.
    Stalled,
}

/// Time limits of a connection, in ticks.
#[derive(Debug, Clone, Copy)]
pub struct TickLimits {
    /// Without a request.
    pub idle: u64,
    /// For one request head.
    pub head: u64,
    /// Without taking any byte of an answer.
    pub send: u64,
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
            stalled: Cell::new(None),
            leaves_unread: Cell::new(false),
            overdue: Cell::new(None),
            driver: RefCell::default(),
        }
    }

    /// A request has been read.
    pub fn serve(self: &Rc<Self>) -> Serving {
        self.requests.set(self.requests.get() + 1);
        self.phase.set(Phase::Serving);
        Serving(self.clone())
    }

    /// Ready when the sweep wants the connection closed. Polled with every request, so it does next to nothing.
    pub fn poll_overdue(&self, cx: &mut Context<'_>) -> Poll<Overdue> {
        if let Some(why) = self.overdue.get() {
            return Poll::Ready(why);
        }
        let mut driver = self.driver.borrow_mut();
        if !driver.as_ref().is_some_and(|driver| driver.will_wake(cx.waker())) {
            *driver = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Closes the connection if it has been in one phase for longer than the limits allow.
    pub fn sweep(&self, limits: TickLimits) {
        let now = self.clock.get();
        let why = match (self.phase.get(), self.stalled.get()) {
            (_, Some(since)) if now - since > limits.send => Overdue::Stalled,
            (Phase::Idle(since), _) if now - since > limits.idle => Overdue::Idle,
            (Phase::ReadingHead(since), _) if now - since > limits.head => Overdue::Head,
            _ => return,
        };
        self.overdue.set(Some(why));
        if let Some(driver) = self.driver.take() {
            driver.wake();
        }
    }

    /// The connection speaks HTTP/2: what comes between requests (pings, settings) is no head under way.
    pub fn speaks_http2(&self) {
        self.is_http2.set(true);
    }

    /// Whether the client may be sending what nobody will read.
    pub fn leaves_unread(&self) -> bool {
        self.leaves_unread.get()
    }

    fn has_read(&self) {
        match self.phase.get() {
            Phase::Idle(_) if self.is_http2.get() => self.phase.set(Phase::Idle(self.clock.get())),
            Phase::Idle(_) => self.phase.set(Phase::ReadingHead(self.clock.get())),
            Phase::ReadingHead(_) | Phase::Serving => {}
        }
    }

    fn has_written(&self, taken: bool) {
        let since = if taken { None } else { self.stalled.get().or(Some(self.clock.get())) };
        self.stalled.set(since);
    }

    /// Whether what hyper writes now may be its own answer to bytes that are no request.
    fn may_be_refused(&self) -> bool {
        self.requests.get() == 0 && !self.is_http2.get()
    }
}

/// One request of a connection, until its response is complete.
#[derive(Debug)]
pub struct Serving(Rc<Client>);

impl Serving {
    /// The request has a body; until that has been read, a close would make the kernel reset the connection, and the
    /// client might lose the answer.
    pub fn body(&self) -> Reading {
        self.0.leaves_unread.set(true);
        Reading(self.0.clone())
    }
}

/// A request body that is being read.
#[derive(Debug)]
pub struct Reading(Rc<Client>);

impl Reading {
    /// It has been read to its end.
    pub fn done(&self) {
        self.0.leaves_unread.set(false);
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let client = &self.0;
        client.requests.set(client.requests.get() - 1);
        if client.requests.get() == 0 {
            client.phase.set(Phase::Idle(client.clock.get()));
        }
    }
}

/// The socket of a client, for what is left to do when hyper has let go of it.
#[derive(Debug, Clone)]
pub struct ClientSocket(Rc<RefCell<TokioIo<TcpStream>>>);

impl ClientSocket {
    /// Sends as much of `bytes` as the kernel takes at once.
    pub fn last_word(&self, bytes: &[u8]) {
        let _ = self.0.borrow().inner().try_write(bytes);
    }

    /// Says that nothing more will come, and reads what does come, until the client has closed or its time is over: a
    /// socket that is closed over unread bytes resets the connection, and takes the answer with it.
    pub async fn linger(self) {
        let Some(socket) = Rc::into_inner(self.0) else { return };
        let mut socket = socket.into_inner().into_inner();
        let read = async {
            let mut waste = vec![0; 16 * 1024];
            let _ = socket.shutdown().await;
            while socket.read(&mut waste).await.is_ok_and(|count| count > 0) {}
        };
        let _ = timeout(LINGER, read).await;
    }
}

/// The socket as hyper sees it.
#[derive(Debug)]
pub struct ClientIo {
    socket: ClientSocket,
    client: Rc<Client>,
    /// An answer of ours that replaces one of hyper's, and how many of hyper's bytes it stands for.
    refusal: Option<(Vec<u8>, usize)>,
}

impl ClientIo {
    /// Wraps an accepted socket.
    pub fn new(socket: TcpStream, client: Rc<Client>) -> Self {
        Self { socket: ClientSocket(Rc::new(RefCell::new(TokioIo::new(socket)))), client, refusal: None }
    }

    /// The socket beneath.
    pub fn socket(&self) -> ClientSocket {
        self.socket.clone()
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
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let read = self.poll(|socket| socket.poll_read(cx, cursor));
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
                return self.poll(|socket| socket.poll_write(cx, &buffer[..start]));
            }
            self.client.leaves_unread.set(true);
            let id = RequestId(fastrand::u128(..));
            self.refusal = Some((refusal.raw_response(id), buffer.len()));
            return self.poll_refusal(cx);
        }
        let written = self.poll(|socket| socket.poll_write(cx, buffer));
        self.client.has_written(written.is_ready());
        written
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
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
            && self.client.may_be_refused()
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
        self.client.has_written(written.is_ready());
        written
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
    fn idle_slow_and_stalled_connections_are_overdue_and_busy_ones_are_not() {
        let clock = Rc::new(Cell::new(0));
        let client = Rc::new(Client::new(&clock));
        let overdue = || {
            client.sweep(TickLimits { idle: 10, head: 5, send: 20 });
            client.overdue.take()
        };
        clock.set(5);
        assert_eq!(overdue(), None);
        clock.set(6);
        assert_eq!(overdue(), Some(Overdue::Head));
        let serving = client.serve();
        clock.set(100);
        assert_eq!(overdue(), None);
        client.has_written(false);
        clock.set(110);
        client.has_written(false);
        clock.set(120);
        assert_eq!(overdue(), None);
        clock.set(121);
        assert_eq!(overdue(), Some(Overdue::Stalled));
        client.has_written(true);
        assert_eq!(overdue(), None);
        clock.set(100);
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
