//! How many outbound connections an app may have open (`max_outbound`). Who finds no place waits for one, and connections that
//! a pool only keeps for later make room for those who wait.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use hyper::Request;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection, capture_connection};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places of one app.
#[derive(Debug)]
pub struct Places {
    max: u32,
    free: Arc<Semaphore>,
    open: Mutex<Vec<Weak<Line>>>,
    waiting: AtomicUsize,
    refused: AtomicU64,
    no_descriptor: AtomicU64,
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
}

/// One open connection as those see it who use it.
#[derive(Debug)]
pub struct Line {
    places: Weak<Places>,
    users: AtomicUsize,
    /// Whether a pool has ever handed it out. Until then somebody is about to use it, or it belongs to no pool, as a
    /// WebSocket's.
    was_used: AtomicBool,
    /// Its reader is to find the end.
    is_closing: AtomicBool,
    reader: Mutex<Option<Waker>>,
}

/// A use of a connection, which is not closed to make room as long as this is there.
#[derive(Debug)]
pub struct Use(Arc<Line>);

impl Places {
    /// All of them are free.
    pub fn new(max: u32) -> Self {
        Self {
            max,
            free: Arc::new(Semaphore::new(max as usize)),
            open: Mutex::default(),
            waiting: AtomicUsize::new(0),
            refused: AtomicU64::new(0),
            no_descriptor: AtomicU64::new(0),
        }
    }

    /// How many there are.
    pub fn max(&self) -> u32 {
        self.max
    }

    /// What is counted.
    pub fn counts(&self) -> Counts {
        Counts {
            open: self.max.saturating_sub(u32::try_from(self.free.available_permits()).unwrap_or(u32::MAX)),
            refused: self.refused.load(Ordering::Relaxed),
            no_descriptor: self.no_descriptor.load(Ordering::Relaxed),
        }
    }

    /// Somebody has waited in vain.
    pub fn count_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// There was no descriptor left for a connection.
    pub fn count_no_descriptor(&self) {
        self.no_descriptor.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes a place; waits until there is one.
    pub async fn take(self: &Arc<Self>) -> OwnedSemaphorePermit {
        if let Ok(place) = self.free.clone().try_acquire_owned() {
            return place;
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(self);
        self.make_room();
        match self.free.clone().acquire_owned().await {
            Ok(place) => place,
            // The semaphore is never closed.
            Err(_) => std::future::pending().await,
        }
    }

    /// Closes one idle connection, if there is one.
    fn make_room(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|line| line.strong_count() > 0);
        open.iter().filter_map(Weak::upgrade).any(|line| line.close_if_idle());
    }

    /// Enters a connection that has been opened.
    pub fn enter(self: &Arc<Self>, io: TokioIo<TcpStream>, place: OwnedSemaphorePermit) -> Dialed {
        let line = Arc::new(Line {
            places: Arc::downgrade(self),
            users: AtomicUsize::new(0),
            was_used: AtomicBool::new(false),
            is_closing: AtomicBool::new(false),
            reader: Mutex::default(),
        });
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|line| line.strong_count() > 0);
        open.push(Arc::downgrade(&line));
        Dialed { io, line, _place: place }
    }
}

struct Waiting<'a>(&'a Places);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Line {
    /// Somebody uses it.
    pub fn hold(self: &Arc<Self>) -> Use {
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
        if let Some(reader) = self.reader.lock().unwrap_or_else(PoisonError::into_inner).take() {
            reader.wake();
        }
        true
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
pub async fn holding<B, R>(
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
pub struct Dialed {
    io: TokioIo<TcpStream>,
    line: Arc<Line>,
    _place: OwnedSemaphorePermit,
}

impl Dialed {
    /// The socket.
    #[cfg(test)]
    pub fn socket(&self) -> &TcpStream {
        self.io.inner()
    }
}

impl Connection for Dialed {
    fn connected(&self) -> Connected {
        self.io.connected().extra(self.line.clone())
    }
}

impl Read for Dialed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.line.is_over() {
            return Poll::Ready(Ok(()));
        }
        let polled = Pin::new(&mut self.io).poll_read(cx, buffer);
        if polled.is_pending() {
            *self.line.reader.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
        }
        polled
    }
}

impl Write for Dialed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }
}
