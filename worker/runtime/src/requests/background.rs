//! What `waitUntil` keeps the worker for, and for how long (`wait_until_timeout`).

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Weak;
use std::task::Context;
use std::time::Duration;

use rustc_hash::FxHashMap;
use tokio::time::{Instant, Sleep, sleep};

use super::head::RequestHead;
use super::request::Request;

/// Looks per limit: work is given up after one limit, or up to two looks later.
const LOOKS: u32 = 10;

/// Least and most time between two looks.
const LEAST: Duration = Duration::from_millis(10);
const MOST: Duration = Duration::from_secs(1);

/// Work that is not done.
struct Work {
    /// As JavaScript calls the request that it belongs to; zero for none.
    id: u32,
    request: Weak<Request>,
    /// Since when the response has been seen to be out.
    since: Option<Instant>,
}

/// A request with such work.
struct Worked {
    /// Its head, which the work may read, and by which it is named in logs, after the response.
    head: Option<RequestHead>,
    /// How many works of it are not done.
    works: usize,
}

/// All work that keeps the worker.
pub(crate) struct Background {
    works: RefCell<FxHashMap<u32, Work>>,
    requests: RefCell<FxHashMap<u32, Worked>>,
    last: Cell<u32>,
    timeout: Cell<Duration>,
    /// Runs while there is work.
    next_look: RefCell<Option<Pin<Box<Sleep>>>>,
    late: Cell<u64>,
}

impl Background {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self {
            works: RefCell::default(),
            requests: RefCell::default(),
            last: Cell::new(0),
            timeout: Cell::new(Duration::MAX),
            next_look: RefCell::default(),
            late: Cell::new(0),
        }
    }

    /// How long after the response work keeps the worker.
    pub(crate) fn set_timeout(&self, timeout: Duration) {
        self.timeout.set(timeout);
    }

    /// Whether nothing keeps the worker.
    pub(crate) fn is_empty(&self) -> bool {
        self.works.borrow().is_empty()
    }

    /// Whether the request that JavaScript calls `id` keeps the worker.
    pub(crate) fn is_of(&self, id: u32) -> bool {
        self.requests.borrow().contains_key(&id)
    }

    /// Works that took too long, since start.
    pub(crate) fn late(&self) -> u64 {
        self.late.get()
    }

    /// Begins work of the request that JavaScript calls `id`. Returns the number with which it ends.
    pub(crate) fn begin(&self, id: u32, request: Weak<Request>, head: Option<RequestHead>) -> u32 {
        let number = self.last.get().wrapping_add(1);
        self.last.set(number);
        self.works.borrow_mut().insert(number, Work { id, request, since: None });
        self.requests.borrow_mut().entry(id).or_insert(Worked { head, works: 0 }).works += 1;
        number
    }

    /// The head of the request that JavaScript calls `id`, while work of it is not done.
    pub(crate) fn head_of(&self, id: u32) -> Option<RequestHead> {
        self.requests.borrow().get(&id)?.head.clone()
    }

    /// Work is done, of the request that is returned; it may have been given up before.
    pub(crate) fn end(&self, number: u32) -> Option<u32> {
        let id = self.works.borrow_mut().remove(&number)?.id;
        let mut requests = self.requests.borrow_mut();
        if let Some(request) = requests.get_mut(&id) {
            request.works -= 1;
            if request.works == 0 {
                requests.remove(&id);
            }
        }
        Some(id)
    }

    /// Gives up work that takes too long; calls `on_late` with the request it belongs to.
    pub(crate) fn poll(&self, cx: &mut Context<'_>, mut on_late: impl FnMut(u32)) {
        let mut next_look = self.next_look.borrow_mut();
        let timeout = self.timeout.get();
        while !self.is_empty() {
            let pause = || Box::pin(sleep((timeout / LOOKS).clamp(LEAST, MOST)));
            if next_look.get_or_insert_with(pause).as_mut().poll(cx).is_pending() {
                return;
            }
            *next_look = None;
            for (number, id) in self.find_late(Instant::now(), timeout) {
                self.late.set(self.late.get() + 1);
                // While the head of its request is still here to be named.
                on_late(id);
                self.end(number);
            }
        }
        *next_look = None;
    }

    /// Works that take too long, each with its request. One whose response is complete by now counts from here on.
    fn find_late(&self, now: Instant, timeout: Duration) -> Vec<(u32, u32)> {
        let mut late = Vec::new();
        for (number, work) in self.works.borrow_mut().iter_mut() {
            if work.since.is_none() && work.request.upgrade().is_none_or(|request| request.sender.is_over()) {
                work.since = Some(now);
            }
            if work.since.is_some_and(|since| now.duration_since(since) >= timeout) {
                late.push((*number, work.id));
            }
        }
        late
    }
}
