//! Receive windows of an HTTP/2 connection. Without request bodies, these are the protocol's defaults. While there are
//! bodies, the windows are as large as the budgets of the client and of all clients together allow.
//!
//! A connection's window cannot be taken back. What the client may still send when its bodies are complete is
//! remembered, and is charged to the budgets when the next body begins: nothing can be buffered before that.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};

use h2::server::Connection;
use nano_protocol::Budget;
use nano_protocol::limits::{FIRST_WINDOW, LEAST_WINDOW, MOST_WINDOW};

#[derive(Debug)]
pub(crate) struct Windows {
    total: Arc<Budget>,
    /// The budget of the connection's client. `None` if the peer is a trusted proxy.
    own: Option<Rc<Budget>>,
    /// The number of request bodies in progress.
    bodies: Cell<usize>,
    /// The sum of the windows of these bodies.
    wanted: Cell<usize>,
    /// Upper bound, in bytes, of what is unread or may still be sent. Exceeds the connection's present window if a
    /// larger one was announced before.
    reach: Cell<usize>,
    /// How much of `reach` is charged to the budgets.
    promised: Cell<usize>,
    /// The window of each new stream.
    stream: Cell<usize>,
    /// The windows that h2 was last told: that of the connection, and that of each new stream.
    target_told: Cell<usize>,
    stream_told: Cell<usize>,
    /// The tick at which the client was last told of a new window for streams.
    told_at: Cell<Option<u64>>,
    /// Woken when h2 must be told of larger windows.
    driver: RefCell<Option<Waker>>,
}

/// The window of one request body. Released when dropped.
#[derive(Debug)]
pub(crate) struct Window {
    windows: Rc<Windows>,
    size: usize,
    /// Bytes read so far, counted up to the largest window.
    came: usize,
    /// Bytes that are still to come, if the length of the body is known.
    left: Option<u64>,
    /// Size that the window may grow to, in bytes, unless more is kept.
    most: usize,
    /// Bytes that wait because nobody takes them.
    kept: usize,
}

impl Windows {
    /// Starts with the protocol's default windows (RFC 9113, 6.9.2), rounded up by one byte.
    pub(crate) fn new(total: Arc<Budget>, own: Option<Rc<Budget>>) -> Self {
        Self {
            total,
            own,
            bodies: Cell::new(0),
            wanted: Cell::new(0),
            reach: Cell::new(FIRST_WINDOW),
            promised: Cell::new(0),
            stream: Cell::new(FIRST_WINDOW),
            target_told: Cell::new(FIRST_WINDOW),
            stream_told: Cell::new(FIRST_WINDOW),
            told_at: Cell::new(None),
            driver: RefCell::default(),
        }
    }

    /// Opens the window of a new body, whose length may be known. Returns `None` if the budgets have too little left
    /// and the client may still send more than that because of earlier windows.
    pub(crate) fn open(self: &Rc<Self>, length: Option<u64>) -> Option<Window> {
        self.open_up_to(MOST_WINDOW, length)
    }

    /// Opens the window of a WebSocket, which may last, so that it remains small.
    pub(crate) fn open_lasting(self: &Rc<Self>) -> Option<Window> {
        self.open_up_to(LEAST_WINDOW, None)
    }

    fn open_up_to(self: &Rc<Self>, most: usize, length: Option<u64>) -> Option<Window> {
        let mut window = Window { windows: self.clone(), size: 0, came: 0, left: length, most, kept: 0 };
        let size = window.fair();
        let has_too_much = self.bodies.get() == 0 && self.reach.get() > size + FIRST_WINDOW;
        // Counted even if the body is refused, because dropping `window` takes it back.
        self.bodies.set(self.bodies.get() + 1);
        if has_too_much && self.fair() == LEAST_WINDOW {
            return None;
        }
        window.resize(0);
        Some(window)
    }

    /// Tells h2 of the present windows. h2 then tells the client of larger ones. A new window for streams is announced
    /// at most once per tick, and `now` is the current tick.
    pub(crate) fn tell<T, B>(&self, cx: &Context<'_>, connection: &mut Connection<T, B>, now: u64)
    where
        T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
        B: bytes::Buf,
    {
        let mut driver = self.driver.borrow_mut();
        if !driver.as_ref().is_some_and(|driver| driver.will_wake(cx.waker())) {
            *driver = Some(cx.waker().clone());
        }
        let bytes = |size| u32::try_from(size).unwrap_or(u32::MAX >> 1);
        let (target, stream) = (self.target(), self.stream.get());
        if self.target_told.replace(target) != target {
            connection.set_target_window_size(bytes(target));
        }
        // The client has to acknowledge each SETTINGS frame, so they are limited to one per tick.
        if stream != self.stream_told.get()
            && self.told_at.get() != Some(now)
            && connection.set_initial_window_size(bytes(stream)).is_ok()
        {
            self.stream_told.set(stream);
            self.told_at.set(Some(now));
        }
    }

    /// Returns the window of the connection: the windows of all bodies, and room for a body that has just begun.
    fn target(&self) -> usize {
        self.wanted.get() + FIRST_WINDOW
    }

    /// Returns the most that the budgets leave for one body.
    fn fair(&self) -> usize {
        self.total.fair().min(self.own.as_ref().map_or(MOST_WINDOW, |own| own.fair()))
    }

    /// Updates the budgets after a change of the windows, and after `read` bytes were read.
    fn settle(&self, read: usize) {
        self.reach.set(self.target().max(self.reach.get().saturating_sub(read)));
        let now = if self.bodies.get() == 0 { 0 } else { self.reach.get() };
        let before = self.promised.replace(now);
        self.total.promise(before, now);
        if let Some(own) = &self.own {
            own.promise(before, now);
        }
    }
}

impl Window {
    /// Counts further bytes that were read of the body, and adjusts its window.
    pub(crate) fn read(&mut self, bytes: usize) {
        self.came = (self.came + bytes).min(MOST_WINDOW);
        self.left = self.left.map(|left| left.saturating_sub(bytes as u64));
        self.kept = self.kept.saturating_sub(bytes);
        self.resize(bytes);
        self.wake_driver();
    }

    /// Notes that so many bytes wait. The connection's window grows by them as far as the budgets allow: otherwise, they would be
    /// missing for its other streams.
    pub(crate) fn keeps(&mut self, bytes: usize) {
        self.kept = bytes;
        self.resize(0);
        self.wake_driver();
    }

    fn wake_driver(&self) {
        let windows = &self.windows;
        // A smaller window need not wake the connection: h2 is told of it before it promises more.
        if (windows.target() > windows.target_told.get() || windows.stream.get() != windows.stream_told.get())
            && let Some(driver) = &*windows.driver.borrow()
        {
            driver.wake_by_ref();
        }
    }

    /// Returns the window that the body may have now. A body of unknown length must prove long before its window grows,
    /// since the unused part cannot be taken back in the end.
    fn fair(&self) -> usize {
        let fair = self.windows.fair().min(self.most.max(self.kept));
        match self.left {
            Some(left) => fair.min(usize::try_from(left).unwrap_or(usize::MAX)),
            None => fair.min(FIRST_WINDOW.max(2 * self.came).max(self.kept)),
        }
    }

    fn resize(&mut self, read: usize) {
        let windows = &self.windows;
        let size = self.fair();
        let before = std::mem::replace(&mut self.size, size);
        windows.wanted.set(windows.wanted.get() - before + self.size);
        let (fair, stream) = (windows.fair(), windows.stream.get());
        if self.size > stream || fair < stream {
            windows.stream.set(fair);
        }
        windows.settle(read);
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let windows = &self.windows;
        windows.wanted.set(windows.wanted.get() - self.size);
        windows.bodies.set(windows.bodies.get() - 1);
        windows.settle(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const K: usize = 1 << 10;

    fn connection(total: &Arc<Budget>, own: &Rc<Budget>) -> Rc<Windows> {
        Rc::new(Windows::new(total.clone(), Some(own.clone())))
    }

    /// Returns the windows that the client is to be told: that of one body, and that of the connection.
    fn told(windows: &Windows) -> (usize, usize) {
        (windows.stream.get(), windows.target())
    }

    #[test]
    fn connections_promise_nothing_before_they_bring_bodies_and_nothing_after() {
        let total = Arc::new(Budget::new(1 << 30, None));
        let [greedy, modest] = [1, 2].map(|_| Rc::new(Budget::new(2048 * K, None)));
        let connections: Vec<_> = (0..100).map(|_| connection(&total, &greedy)).collect();
        assert_eq!(told(&connections[99]), (64 * K, 64 * K));
        let bodies: Vec<_> = connections.iter().map(|windows| windows.open(Some(1 << 30)).unwrap()).collect();
        let told_all: Vec<_> = connections.iter().map(|windows| told(windows)).collect();
        assert_eq!(told_all[..4], [(256 * K, 320 * K); 4]);
        assert_eq!(told_all[4..6], [(64 * K, 128 * K); 2]);
        assert_eq!(told_all[6..], [(16 * K, 80 * K); 94]);
        let other = connection(&total, &modest);
        let body = other.open(Some(1 << 30));
        assert_eq!(told(&other), (256 * K, 320 * K));
        let lasting = other.open_lasting();
        assert_eq!(told(&other), (256 * K, 336 * K));
        drop((body, bodies, lasting));
        assert!(connections.iter().all(|windows| windows.promised.get() == 0 && windows.target() == 64 * K));
        assert_eq!((total.fair(), greedy.fair()), (MOST_WINDOW, MOST_WINDOW));
    }

    #[test]
    fn a_body_is_promised_no_more_than_is_left_of_it_or_than_it_has_shown() {
        let total = Arc::new(Budget::new(1 << 30, None));
        let windows = connection(&total, &Rc::new(Budget::new(1 << 30, None)));
        let mut known = windows.open(Some(300 * K as u64)).unwrap();
        let mut left = Vec::new();
        for _ in 0..3 {
            left.push((known.size, windows.promised.get()));
            known.read(100 * K);
        }
        assert_eq!(left, [(256 * K, 320 * K), (200 * K, 264 * K), (100 * K, 164 * K)]);
        drop(known);
        assert_eq!(windows.reach.get(), 64 * K);
        let mut unknown = windows.open(None).unwrap();
        assert_eq!((unknown.size, windows.stream.get()), (64 * K, 256 * K));
        unknown.read(64 * K);
        assert_eq!(unknown.size, 128 * K);
        unknown.read(1 << 30);
        assert_eq!(unknown.size, 256 * K);
    }

    #[test]
    fn what_could_not_be_taken_back_counts_again_and_is_refused_where_too_little_is_left() {
        let (total, own) = (Arc::new(Budget::new(1 << 30, None)), Rc::new(Budget::new(1 << 20, None)));
        let windows = connection(&total, &own);
        let mut body = windows.open(None).unwrap();
        body.read(512 * K);
        drop(body);
        assert_eq!((windows.target(), windows.reach.get()), (64 * K, 320 * K));
        let mut again = windows.open(Some(K as u64)).unwrap();
        assert_eq!(windows.promised.get(), 320 * K);
        again.read(K);
        assert_eq!(windows.promised.get(), 319 * K);
        drop(again);
        let others: Vec<_> = (0..4).map(|_| connection(&total, &own).open(Some(1 << 30)).unwrap()).collect();
        assert!(windows.open(Some(K as u64)).is_none());
        assert_eq!(windows.promised.get(), 0);
        drop(others);
        assert!(windows.open(Some(K as u64)).is_some());
    }
}
