//! Two ends over one socket, or one end and a peer that writes arbitrary bytes. The ends are polled only while a test
//! waits for something. Each wait must end within [`DEADLINE`].

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use nano_protocol::message::{Control, HttpVersion, RequestId, RequestLine, UPGRADED};
use nano_protocol::{
    Call, Connection, EncodedHead, Failure, Handle, Head, Incoming, ProtocolError, Receiver, ResponseHead,
    Sender, Side,
};
use tokio::net::UnixStream;

use crate::frames::{Fields, Sent, arrive, wire};

/// Far longer than any test takes. After this long, a test has failed.
const DEADLINE: Duration = Duration::from_secs(60);

/// Waits for a future. Panics after [`DEADLINE`].
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.expect("it happens before the deadline")
}

/// A stream as the acceptor receives it.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) head: EncodedHead,
    pub(crate) sender: Sender,
    pub(crate) receiver: Receiver,
}

/// One end: its connection, and what the connection has returned.
#[derive(Debug)]
pub(crate) struct End {
    /// `None` after it was dropped.
    pub(crate) connection: Option<Connection>,
    pub(crate) handle: Handle,
    pub(crate) arrived: Arrived,
}

#[derive(Debug, Default)]
struct Arrivals {
    streams: VecDeque<Accepted>,
    messages: VecDeque<Control>,
    ended: Option<Result<(), ProtocolError>>,
    waiting: Vec<Waker>,
}

/// What a connection has returned, for the test that waits for it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arrived(Rc<RefCell<Arrivals>>);

impl Arrived {
    pub(crate) async fn stream(&self) -> Accepted {
        self.take(|arrivals| arrivals.streams.pop_front()).await
    }

    /// Waits for the next stream. Returns `None` if the connection has ended.
    pub(crate) async fn stream_unless_ended(&self) -> Option<Accepted> {
        self.take(|arrivals| match arrivals.streams.pop_front() {
            Some(stream) => Some(Some(stream)),
            None => arrivals.ended.is_some().then_some(None),
        })
        .await
    }

    pub(crate) async fn message(&self) -> Control {
        self.take(|arrivals| arrivals.messages.pop_front()).await
    }

    /// Waits until the connection has ended and returns its result.
    pub(crate) async fn end(&self) -> Result<(), ProtocolError> {
        self.take(|arrivals| arrivals.ended.take()).await
    }

    async fn take<T>(&self, mut take: impl FnMut(&mut Arrivals) -> Option<T>) -> T {
        poll_fn(|cx| {
            let mut arrivals = self.0.borrow_mut();
            match take(&mut arrivals) {
                Some(taken) => Poll::Ready(taken),
                None => {
                    arrivals.waiting.push(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

impl End {
    pub(crate) fn new(socket: StdUnixStream, side: Side) -> Self {
        socket.set_nonblocking(true).expect("a socket");
        let (connection, handle) =
            Connection::new(UnixStream::from_std(socket).expect("inside a runtime"), side);
        Self { connection: Some(connection), handle, arrived: Arrived::default() }
    }

    /// Reads everything that is available and writes everything that is queued.
    fn drive(&mut self, cx: &mut Context<'_>) {
        while let Some(connection) = &mut self.connection {
            let Poll::Ready(polled) = connection.poll_next(cx) else { return };
            let mut arrivals = self.arrived.0.borrow_mut();
            match polled {
                Ok(Some(Incoming::Control(message))) => arrivals.messages.push_back(message),
                Ok(Some(Incoming::Stream { head, sender, receiver })) => {
                    arrivals.streams.push_back(Accepted { head, sender, receiver });
                }
                Ok(None) => arrivals.ended = Some(Ok(())),
                Err(error) => arrivals.ended = Some(Err(error)),
            }
            if arrivals.ended.is_some() {
                self.connection = None;
            }
            arrivals.waiting.drain(..).for_each(Waker::wake);
        }
    }
}

async fn run<T>(mut ends: Vec<&mut End>, test: impl Future<Output = T>) -> T {
    let mut test = pin!(test);
    within(poll_fn(|cx| {
        let polled = test.as_mut().poll(cx);
        // The worker's connection does not wake its driver: the driver polls it after every tick, as done here.
        ends.iter_mut().for_each(|end| end.drive(cx));
        polled
    }))
    .await
}

/// A supervisor and a worker.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) supervisor: End,
    pub(crate) worker: End,
}

impl Pair {
    pub(crate) fn new() -> Self {
        let (ours, theirs) = StdUnixStream::pair().expect("a pair of sockets");
        Self { supervisor: End::new(ours, Side::Supervisor), worker: End::new(theirs, Side::Worker) }
    }

    /// Polls both ends until the test completes.
    pub(crate) async fn run<T>(&mut self, test: impl Future<Output = T>) -> T {
        run(vec![&mut self.supervisor, &mut self.worker], test).await
    }
}

/// One end, and a peer that writes raw bytes.
#[derive(Debug)]
pub(crate) struct Raw {
    side: Side,
    pub(crate) end: End,
    pub(crate) peer: StdUnixStream,
}

impl Raw {
    pub(crate) fn new(side: Side) -> Self {
        let (ours, peer) = StdUnixStream::pair().expect("a pair of sockets");
        peer.set_nonblocking(true).expect("a socket");
        Self { side, end: End::new(ours, side), peer }
    }

    /// Polls the end until the test completes.
    pub(crate) async fn run<T>(&mut self, test: impl Future<Output = T>) -> T {
        run(vec![&mut self.end], test).await
    }

    /// Waits until the connection has ended and returns its result.
    pub(crate) async fn ended(&mut self) -> Result<(), ProtocolError> {
        let arrived = self.end.arrived.clone();
        self.run(arrived.end()).await
    }

    /// Sends a message from the peer, and waits until it has come: so has all that was sent before.
    pub(crate) async fn take_in(&mut self) {
        let last = if self.side == Side::Supervisor { Control::Pong(1) } else { Control::Ping(1) };
        self.send(&[Sent::Control(last.clone())]);
        let arrived = self.end.arrived.clone();
        assert_eq!(self.run(arrived.message()).await, last);
    }

    /// Sends frames from the peer.
    pub(crate) fn send(&mut self, frames: &[Sent]) {
        self.write(&wire(frames));
    }

    /// Sends bytes from the peer. They must fit into the socket.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.peer.write_all(bytes).expect("room in the socket");
    }

    /// Closes the peer's socket, as when its process ends.
    pub(crate) fn die(&mut self) {
        let (unused, _) = StdUnixStream::pair().expect("a pair of sockets");
        self.peer = unused;
    }

    /// Returns what the peer has received so far, without waiting.
    pub(crate) fn received(&mut self) -> Vec<Sent> {
        let bytes = self.received_bytes();
        arrive(&bytes, &[]).expect("whole frames")
    }

    pub(crate) fn received_bytes(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.peer.read_to_end(&mut bytes) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}"),
        }
        bytes
    }

    /// Waits until the end knows that its socket is writable. After that, a single poll writes what fits.
    pub(crate) async fn writable(&mut self) {
        self.end.handle.control(&Control::Drain).expect("a short message");
        self.flush().await;
        assert_eq!(self.received(), [Sent::Control(Control::Drain)]);
    }

    /// Polls the end until everything queued is written.
    pub(crate) async fn flush(&mut self) {
        let connection = self.end.connection.as_mut().expect("a connection");
        within(poll_fn(|cx| connection.poll_flush(cx))).await.expect("a peer that is there");
    }
}

/// Opens a stream with an arbitrary head.
pub(crate) fn open(handle: &Handle, end: bool) -> (Sender, Receiver) {
    open_with(handle, &[], end).expect("a connection that takes requests")
}

pub(crate) fn open_with(
    handle: &Handle,
    fields: &[(Vec<u8>, Vec<u8>)],
    end: bool,
) -> Result<(Sender, Receiver), ProtocolError> {
    let line = RequestLine {
        id: RequestId(1),
        method: "POST",
        origin: "http://localhost",
        target: "/path?query",
        version: HttpVersion::Http11,
        depth: 0,
        entrypoint: None,
    };
    handle.open(&Head::Request(line), fields.len(), borrow(fields), end)
}

/// Opens a stream as a worker does, with a call.
pub(crate) fn call(handle: &Handle, end: bool) -> Result<(Sender, Receiver), ProtocolError> {
    handle.open(&Head::Call(Call::Keep { name: 7 }), 0, std::iter::empty(), end)
}

/// Opens an upgraded stream from either side and returns both halves at each end.
pub(crate) async fn upgraded(is_call: bool) -> (Pair, Accepted, Accepted) {
    let mut pair = Pair::new();
    let (opener, acceptor) =
        if is_call { (&pair.worker, &pair.supervisor) } else { (&pair.supervisor, &pair.worker) };
    let arrived = acceptor.arrived.clone();
    let (sender, receiver) =
        if is_call { call(&opener.handle, false).expect("a call") } else { open(&opener.handle, false) };
    let accepted = pair.run(arrived.stream()).await;
    respond(&accepted.sender, UPGRADED, &vec![], false);
    assert_eq!(pair.run(head(&receiver)).await.expect("a head").status, UPGRADED);
    let head = accepted.head.clone();
    (pair, Accepted { head, sender, receiver }, accepted)
}

/// Answers with a response head.
pub(crate) fn respond(sender: &Sender, status: u16, fields: &Fields, end: bool) {
    sender.respond(status, fields.len(), borrow(fields), end).expect("a stream that waits for its head");
}

pub(crate) fn borrow(fields: &[(Vec<u8>, Vec<u8>)]) -> impl Iterator<Item = (&[u8], &[u8])> {
    fields.iter().map(|(name, value)| (&name[..], &value[..]))
}

pub(crate) async fn send(sender: &Sender, data: &mut Bytes, end: bool) -> Result<(), Failure> {
    poll_fn(|cx| sender.poll_send(cx, data, end)).await
}

pub(crate) async fn head(receiver: &Receiver) -> Result<ResponseHead, Failure> {
    poll_fn(|cx| receiver.poll_head(cx)).await
}

pub(crate) async fn chunk(receiver: &Receiver) -> Option<Result<Bytes, Failure>> {
    poll_fn(|cx| receiver.poll_chunk(cx)).await
}

pub(crate) async fn body(receiver: &Receiver) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = chunk(receiver).await {
        body.extend_from_slice(&chunk?);
    }
    Ok(body)
}

/// Returns `length` bytes of a body, in which no two neighbours are equal.
pub(crate) fn some_bytes(length: usize, seed: usize) -> Bytes {
    (0..length).map(|at| (at.wrapping_mul(31) ^ (at >> 8) ^ seed) as u8).collect()
}

/// Runs all of these futures concurrently.
pub(crate) async fn all<T>(futures: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut futures: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    poll_fn(|cx| {
        for (future, done) in futures.iter_mut().filter(|(_, done)| done.is_none()) {
            if let Poll::Ready(output) = Pin::new(future).poll(cx) {
                *done = Some(output);
            }
        }
        if futures.iter().all(|(_, done)| done.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    futures.into_iter().filter_map(|(_, done)| done).collect()
}
