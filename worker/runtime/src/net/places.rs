//! The limit of open outbound connections of an app (`max_outbound`). A connection that finds no free slot waits for one. To free
//! slots, connections are closed in this order: those that the peer has closed, then those that are idle in a pool, then the one
//! whose response was left unread for the longest time.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hyper::Request;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection, capture_connection};
use hyper_util::rt::TokioIo;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::unread::Unread;

/// How long a response may be left unread while other connections make progress; its reader may be about to come.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often a waiting connection polls whether a slot can be freed.
const LOOK: Duration = Duration::from_millis(100);

/// The connection slots of one app.
#[derive(Debug)]
pub(crate) struct Places {
    max: u32,
    free: Arc<Semaphore>,
    open: Mutex<Vec<Weak<Line>>>,
    /// Responses in order of arrival.
    unread: Mutex<Vec<Weak<Unread>>>,
    /// Cancelled responses that have not been reported yet: the ids of the requests that fetched them, and their descriptions.
    given_up: Mutex<Vec<(u32, String)>>,
    waiting: AtomicUsize,
    refused: AtomicU64,
    no_descriptor: AtomicU64,
    /// Number of responses cancelled to free a slot.
    cancelled: AtomicU64,
}

/// Counters of an app's outbound connections.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    /// Open connections, including idle ones.
    pub open: u32,
    /// Connections that found no free slot in time.
    pub refused: u64,
    /// Connections that found no free file descriptor.
    pub no_descriptor: u64,
    /// Responses that were cancelled unread to free a slot.
    pub unread: u64,
}

/// The state of one open connection, shared by its users.
#[derive(Debug)]
pub(crate) struct Line {
    places: Weak<Places>,
    users: AtomicUsize,
    /// Whether a pool has ever handed it out. If not, it is about to be used for the first time, or it belongs to no pool, like
    /// that of a WebSocket.
    was_used: AtomicBool,
    /// Whether the app may go on sending after the peer has closed its side.
    is_duplex: bool,
    /// Whether its reader is told that the connection has ended.
    is_closing: AtomicBool,
    reader: Mutex<Option<Waker>>,
    /// `None` once the connection is closed.
    socket: Mutex<Option<TokioIo<TcpStream>>>,
    /// The slot. Released with the connection, or earlier if the peer has closed it and the rest of its data is still to be read.
    place: Mutex<Option<OwnedSemaphorePermit>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A use of a connection. The connection is not closed to free its slot until this is dropped.
#[derive(Debug)]
pub(crate) struct Use(Arc<Line>);

impl Use {
    /// Returns the connection in use.
    pub(crate) fn line(&self) -> Weak<Line> {
        Arc::downgrade(&self.0)
    }
}

impl Places {
    pub(crate) fn new(max: u32) -> Self {
        Self {
            max,
            free: Arc::new(Semaphore::new(max as usize)),
            open: Mutex::default(),
            unread: Mutex::default(),
            given_up: Mutex::default(),
            waiting: AtomicUsize::new(0),
            refused: AtomicU64::new(0),
            no_descriptor: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
        }
    }

    /// Returns the number of slots.
    pub(crate) fn max(&self) -> u32 {
        self.max
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts {
            open: self.max.saturating_sub(u32::try_from(self.free.available_permits()).unwrap_or(u32::MAX)),
            refused: self.refused.load(Ordering::Relaxed),
            no_descriptor: self.no_descriptor.load(Ordering::Relaxed),
            unread: self.cancelled.load(Ordering::Relaxed),
        }
    }

    /// Counts a connection that has waited in vain.
    pub(crate) fn count_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a connection that found no free file descriptor.
    pub(crate) fn count_no_descriptor(&self) {
        self.no_descriptor.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes a slot. Waits until there is one.
    pub(crate) async fn take(self: &Arc<Self>) -> OwnedSemaphorePermit {
        if let Ok(place) = self.free.clone().try_acquire_owned() {
            return place;
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Queued(self);
        let mut place = pin!(self.free.clone().acquire_owned());
        loop {
            self.make_room();
            match timeout(LOOK, place.as_mut()).await {
                Ok(Ok(place)) => return place,
                // Unreachable: the semaphore is never closed.
                Ok(Err(_)) => std::future::pending().await,
                Err(_) => {}
            }
        }
    }

    /// Frees the slot of one connection, if possible.
    fn make_room(&self) {
        let lines = self.lines();
        let is_freed = lines.iter().filter(|line| line.leave_if_closed()).count() > 0;
        if !is_freed && !lines.iter().any(|line| line.close_if_idle()) {
            self.give_up_oldest(&lines);
        }
    }

    fn lines(&self) -> Vec<Arc<Line>> {
        let mut open = lock(&self.open);
        open.retain(|line| line.strong_count() > 0);
        open.iter().filter_map(Weak::upgrade).collect()
    }

    /// Cancels the unread responses of one connection: of the connections that only unread responses hold open, the one whose
    /// latest response is the oldest. Over HTTP/2 these may be several responses. Does nothing before that response has been
    /// unread for [`PATIENCE`], unless no connection makes progress.
    fn give_up_oldest(&self, lines: &[Arc<Line>]) {
        let left_alone = self.left_alone();
        let mut held = 0;
        let mut kept: Vec<Vec<&Arc<Unread>>> = Vec::new();
        for line in lines.iter().filter(|line| lock(&line.place).is_some()) {
            held += 1;
            let users = line.users.load(Ordering::Relaxed);
            let bodies: Vec<_> = left_alone.iter().filter(|body| body.is_on(line)).collect();
            if users > 0 && bodies.len() == users {
                kept.push(bodies);
            }
        }
        let is_stuck = held >= self.max as usize && kept.len() == held;
        let latest = |bodies: &Vec<&Arc<Unread>>| bodies.last().map(|body| body.since);
        let Some(oldest) = kept.iter().min_by_key(|bodies| latest(bodies)) else { return };
        if !is_stuck && latest(oldest).is_some_and(|since| since.elapsed() < PATIENCE) {
            return;
        }
        for body in oldest {
            let what = &body.what;
            let why = || {
                format!(
                    "{what} was cancelled: nobody had read its body, and there was no place for another connection"
                )
            };
            if body.end(why) {
                self.cancelled.fetch_add(1, Ordering::Relaxed);
                lock(&self.given_up).push((body.request, what.clone()));
            }
        }
    }

    fn left_alone(&self) -> Vec<Arc<Unread>> {
        let mut unread = lock(&self.unread);
        unread.retain(|body| body.strong_count() > 0);
        unread.iter().filter_map(Weak::upgrade).filter(|body| body.is_left_alone()).collect()
    }

    /// Registers a response, which holds a connection until it has been read.
    pub(crate) fn watch(&self, body: &Arc<Unread>) {
        let mut unread = lock(&self.unread);
        if unread.len() == unread.capacity() {
            unread.retain(|body| body.strong_count() > 0);
        }
        unread.push(Arc::downgrade(body));
    }

    /// Returns the body with this resource id, unless it has been read.
    pub(crate) fn find(&self, rid: u32) -> Option<Arc<Unread>> {
        lock(&self.unread).iter().filter_map(Weak::upgrade).find(|body| body.is_called(rid))
    }

    /// Returns the responses cancelled since the previous call: the ids of the requests that fetched them, and their
    /// descriptions.
    pub(crate) fn given_up(&self) -> Vec<(u32, String)> {
        std::mem::take(&mut *lock(&self.given_up))
    }

    /// Registers a connection that has been opened. `is_duplex` says whether the app may go on sending after the peer has closed
    /// its side, so that the slot is taken until this one is closed as well.
    pub(crate) fn enter(
        self: &Arc<Self>,
        io: TokioIo<TcpStream>,
        place: OwnedSemaphorePermit,
        is_duplex: bool,
    ) -> Dialed {
        let line = Arc::new(Line {
            places: Arc::downgrade(self),
            users: AtomicUsize::new(0),
            was_used: AtomicBool::new(false),
            is_duplex,
            is_closing: AtomicBool::new(false),
            reader: Mutex::default(),
            socket: Mutex::new(Some(io)),
            place: Mutex::new(Some(place)),
        });
        let mut open = lock(&self.open);
        open.retain(|line| line.strong_count() > 0);
        open.push(Arc::downgrade(&line));
        Dialed(line)
    }
}

struct Queued<'a>(&'a Places);

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Line {
    /// Marks the connection as in use until the result is dropped.
    pub(crate) fn hold(self: &Arc<Self>) -> Use {
        self.users.fetch_add(1, Ordering::Relaxed);
        self.was_used.store(true, Ordering::Relaxed);
        Use(self.clone())
    }

    fn is_idle(&self) -> bool {
        self.users.load(Ordering::Relaxed) == 0 && self.was_used.load(Ordering::Relaxed)
    }

    /// Makes the reader close the connection, unless it is in use or already closing. Returns whether it did.
    fn close_if_idle(&self) -> bool {
        if !self.is_idle() || self.is_closing.swap(true, Ordering::Relaxed) {
            return false;
        }
        if let Some(reader) = lock(&self.reader).take() {
            reader.wake();
        }
        true
    }

    /// Releases the slot if the peer has closed the connection, and nothing more can be sent. Returns whether it did.
    fn leave_if_closed(&self) -> bool {
        if self.is_duplex {
            return false;
        }
        let is_closed = lock(&self.socket).as_ref().is_some_and(|socket| {
            // Polled without waiting: only what is known already counts.
            let ready = pin!(socket.inner().ready(Interest::READABLE));
            let polled = ready.poll(&mut Context::from_waker(Waker::noop()));
            matches!(polled, Poll::Ready(Ok(ready)) if ready.is_read_closed())
        });
        is_closed && lock(&self.place).take().is_some()
    }

    /// Returns whether the reader is to see the end. If the connection has been taken into use meanwhile, it stays open.
    fn is_over(&self) -> bool {
        self.is_closing.load(Ordering::Relaxed)
            && (self.is_idle() || !self.is_closing.swap(false, Ordering::Relaxed))
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        let is_last = self.0.users.fetch_sub(1, Ordering::Relaxed) == 1;
        let Some(places) = self.0.places.upgrade().filter(|_| is_last) else { return };
        if places.waiting.load(Ordering::Relaxed) > 0 {
            self.0.close_if_idle();
        }
    }
}

/// Sends a request with `send`, and marks the connection that it is sent on as in use.
pub(crate) async fn holding<B, R>(
    mut request: Request<B>,
    send: impl AsyncFnOnce(Request<B>) -> R,
) -> (R, Option<Use>) {
    let captured = capture_connection(&mut request);
    let mut held: Option<Use> = None;
    let mut sending = pin!(send(request));
    let sent = poll_fn(|cx| {
        let polled = sending.as_mut().poll(cx);
        if let Some(connected) = &*captured.connection_metadata() {
            // A different connection than before, if the first was closed just when the request was about to be sent.
            if let Some(line) = line_behind(connected)
                && !held.as_ref().is_some_and(|held| Arc::ptr_eq(&held.0, &line))
            {
                held = Some(line.hold());
            }
        }
        polled
    })
    .await;
    (sent, held)
}

/// Returns the state of a connection of ours, also of one with TLS.
pub(crate) fn line_of(connection: &impl Connection) -> Option<Arc<Line>> {
    line_behind(&connection.connected())
}

fn line_behind(connected: &Connected) -> Option<Arc<Line>> {
    let mut extras = hyper::http::Extensions::new();
    connected.get_extras(&mut extras);
    extras.remove()
}

/// A connection with its slot.
#[derive(Debug)]
pub(crate) struct Dialed(Arc<Line>);

impl Dialed {
    /// Returns the address of the peer.
    #[cfg(test)]
    pub(crate) fn peer(&self) -> std::net::SocketAddr {
        lock(&self.0.socket).as_ref().unwrap().inner().peer_addr().unwrap()
    }

    fn with<T>(
        &self,
        run: impl FnOnce(Pin<&mut TokioIo<TcpStream>>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match &mut *lock(&self.0.socket) {
            Some(socket) => run(Pin::new(socket)),
            // The socket is only taken when this is dropped.
            None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl Drop for Dialed {
    fn drop(&mut self) {
        // A `Line` may outlive its connection, so socket and slot are released here.
        drop(lock(&self.0.socket).take());
        drop(lock(&self.0.place).take());
    }
}

impl Connection for Dialed {
    fn connected(&self) -> Connected {
        Connected::new().extra(self.0.clone())
    }
}

impl Read for Dialed {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.0.is_over() {
            return Poll::Ready(Ok(()));
        }
        let polled = self.with(|socket| socket.poll_read(cx, buffer));
        if polled.is_pending() {
            *lock(&self.0.reader) = Some(cx.waker().clone());
        }
        polled
    }
}

impl Write for Dialed {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.with(|socket| socket.poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|socket| socket.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|socket| socket.poll_shutdown(cx))
    }

    fn is_write_vectored(&self) -> bool {
        lock(&self.0.socket).as_ref().is_some_and(Write::is_write_vectored)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.with(|socket| socket.poll_write_vectored(cx, slices))
    }
}

#[cfg(test)]
mod tests;
