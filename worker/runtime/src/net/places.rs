//! How many outbound connections an app may have open (`max_outbound`). Who finds no place waits for one. Room is made for those
//! who wait by connections whose peer has closed, then by those that a pool only keeps for later, then by the response that was
//! left unread for longest.

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

/// How long a response may be left unread while others make progress: its reader may be about to come.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often those who wait look whether room can be made.
const LOOK: Duration = Duration::from_millis(100);

/// The places of one app.
#[derive(Debug)]
pub(crate) struct Places {
    max: u32,
    free: Arc<Semaphore>,
    open: Mutex<Vec<Weak<Line>>>,
    /// Responses, in the order in which they came.
    unread: Mutex<Vec<Weak<Unread>>>,
    /// Those that made room: the requests that fetched them, and what they were.
    given_up: Mutex<Vec<(u32, String)>>,
    waiting: AtomicUsize,
    refused: AtomicU64,
    no_descriptor: AtomicU64,
    /// Responses that have made room.
    cancelled: AtomicU64,
}

/// What is counted of an app's outbound connections.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    /// Open, idle ones included.
    pub open: u32,
    /// That found no place in time.
    pub refused: u64,
    /// That found no descriptor left.
    pub no_descriptor: u64,
    /// Responses that were cancelled unread to make room.
    pub unread: u64,
}

/// One open connection as those see it who use it.
#[derive(Debug)]
pub(crate) struct Line {
    places: Weak<Places>,
    users: AtomicUsize,
    /// Whether a pool has ever handed it out. Until then somebody is about to use it, or it belongs to no pool, as a
    /// WebSocket's.
    was_used: AtomicBool,
    /// Its reader is to find the end.
    is_closing: AtomicBool,
    reader: Mutex<Option<Waker>>,
    /// Gone when the connection is.
    socket: Mutex<Option<TokioIo<TcpStream>>>,
    /// Gone with the connection, or before if its peer has closed it and the rest of what it has sent is still to be read.
    place: Mutex<Option<OwnedSemaphorePermit>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A use of a connection, which is not closed to make room as long as this is there.
#[derive(Debug)]
pub(crate) struct Use(Arc<Line>);

impl Use {
    /// What is used.
    pub(crate) fn line(&self) -> Weak<Line> {
        Arc::downgrade(&self.0)
    }
}

impl Places {
    /// All of them are free.
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

    /// How many there are.
    pub(crate) fn max(&self) -> u32 {
        self.max
    }

    /// What is counted.
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            open: self.max.saturating_sub(u32::try_from(self.free.available_permits()).unwrap_or(u32::MAX)),
            refused: self.refused.load(Ordering::Relaxed),
            no_descriptor: self.no_descriptor.load(Ordering::Relaxed),
            unread: self.cancelled.load(Ordering::Relaxed),
        }
    }

    /// Somebody has waited in vain.
    pub(crate) fn count_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// There was no descriptor left for a connection.
    pub(crate) fn count_no_descriptor(&self) {
        self.no_descriptor.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes a place; waits until there is one.
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
                // The semaphore is never closed.
                Ok(Err(_)) => std::future::pending().await,
                Err(_) => {}
            }
        }
    }

    /// Makes room for one connection, if that can be done.
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

    /// Gives up what nobody has read of for longest of that which keeps a connection alone: over HTTP/2 that may be several
    /// responses. At once if no connection makes progress.
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

    /// A response has come, which holds a connection until it has been read.
    pub(crate) fn watch(&self, body: &Arc<Unread>) {
        let mut unread = lock(&self.unread);
        if unread.len() == unread.capacity() {
            unread.retain(|body| body.strong_count() > 0);
        }
        unread.push(Arc::downgrade(body));
    }

    /// The body that JavaScript calls so, unless it has been read.
    pub(crate) fn find(&self, rid: u32) -> Option<Arc<Unread>> {
        lock(&self.unread).iter().filter_map(Weak::upgrade).find(|body| body.is_called(rid))
    }

    /// The responses that have made room since this was asked last: the requests that fetched them, and what they were.
    pub(crate) fn given_up(&self) -> Vec<(u32, String)> {
        std::mem::take(&mut *lock(&self.given_up))
    }

    /// Enters a connection that has been opened.
    pub(crate) fn enter(self: &Arc<Self>, io: TokioIo<TcpStream>, place: OwnedSemaphorePermit) -> Dialed {
        let line = Arc::new(Line {
            places: Arc::downgrade(self),
            users: AtomicUsize::new(0),
            was_used: AtomicBool::new(false),
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
    /// Somebody uses it.
    pub(crate) fn hold(self: &Arc<Self>) -> Use {
        self.users.fetch_add(1, Ordering::Relaxed);
        self.was_used.store(true, Ordering::Relaxed);
        Use(self.clone())
    }

    fn is_idle(&self) -> bool {
        self.users.load(Ordering::Relaxed) == 0 && self.was_used.load(Ordering::Relaxed)
    }

    /// Has it closed, unless it is in use or about to be closed; says whether it has.
    fn close_if_idle(&self) -> bool {
        if !self.is_idle() || self.is_closing.swap(true, Ordering::Relaxed) {
            return false;
        }
        if let Some(reader) = lock(&self.reader).take() {
            reader.wake();
        }
        true
    }

    /// Gives its place back if its peer has closed it; says whether it has.
    fn leave_if_closed(&self) -> bool {
        let is_closed = lock(&self.socket).as_ref().is_some_and(|socket| {
            // What is known already is said without waiting.
            let ready = pin!(socket.inner().ready(Interest::READABLE));
            let polled = ready.poll(&mut Context::from_waker(Waker::noop()));
            matches!(polled, Poll::Ready(Ok(ready)) if ready.is_read_closed())
        });
        is_closed && lock(&self.place).take().is_some()
    }

    /// Whether its reader is to find the end. It goes on if somebody has taken it meanwhile.
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

/// Sends a request with `send`, and holds the connection that it goes out on.
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
            let mut extras = hyper::http::Extensions::new();
            connected.get_extras(&mut extras);
            // Another one than before if the first was closed just when the request was to leave.
            if let Some(line) = extras.get::<Arc<Line>>()
                && !held.as_ref().is_some_and(|held| Arc::ptr_eq(&held.0, line))
            {
                held = Some(line.hold());
            }
        }
        polled
    })
    .await;
    (sent, held)
}

/// A connection with its place.
#[derive(Debug)]
pub(crate) struct Dialed(Arc<Line>);

impl Dialed {
    /// Whom it is to.
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
            // Only when it is dropped.
            None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl Drop for Dialed {
    fn drop(&mut self) {
        // Whoever still has the line has not the connection.
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
