//! The work that keeps the worker alive: that of `waitUntil`, and for how long (`wait_until_timeout`), and WebSockets, as long as
//! they are open.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Weak;
use std::task::Context;
use std::time::Duration;

use rustc_hash::FxHashMap;
use tokio::time::{Instant, Sleep, sleep};

use super::head::RequestHead;
use super::request::Request;

/// Polls per timeout. Work is given up between one timeout, and one timeout plus two polls, after the response.
const LOOKS: u32 = 10;

/// Minimum and maximum time between two polls.
const LEAST: Duration = Duration::from_millis(10);
const MOST: Duration = Duration::from_secs(1);

/// A `waitUntil` promise that has not settled, or a WebSocket.
struct Work {
    /// The id in JavaScript of the request that it belongs to; zero if it belongs to none.
    id: u32,
    request: Weak<Request>,
    /// Whether it is a WebSocket, which has no timeout here.
    lasts: bool,
    /// When a poll first found the response complete. The timeout counts from here.
    since: Option<Instant>,
}

/// A request with such work.
struct Worked {
    /// The head of the request. The work may read it after the response, and logs name the request by it.
    head: Option<RequestHead>,
    /// Number of its works that have not settled.
    works: usize,
}

/// All work that keeps the worker alive.
pub(crate) struct Background {
    works: RefCell<FxHashMap<u32, Work>>,
    requests: RefCell<FxHashMap<u32, Worked>>,
    last: Cell<u32>,
    /// Number of works that have a timeout.
    timed: Cell<usize>,
    timeout: Cell<Duration>,
    /// The timer for the next poll; set while there is work.
    next_look: RefCell<Option<Pin<Box<Sleep>>>>,
    late: Cell<u64>,
}

impl Background {
    pub(crate) fn new() -> Self {
        Self {
            works: RefCell::default(),
            requests: RefCell::default(),
            last: Cell::new(0),
            timed: Cell::new(0),
            timeout: Cell::new(Duration::MAX),
            next_look: RefCell::default(),
            late: Cell::new(0),
        }
    }

    /// Sets how long after the response work keeps the worker alive.
    pub(crate) fn set_timeout(&self, timeout: Duration) {
        self.timeout.set(timeout);
    }

    /// Returns whether no work keeps the worker alive.
    pub(crate) fn is_empty(&self) -> bool {
        self.works.borrow().is_empty()
    }

    /// Returns whether work of the request with this id keeps the worker alive.
    pub(crate) fn is_of(&self, id: u32) -> bool {
        self.requests.borrow().contains_key(&id)
    }

    /// Returns the number of works that exceeded the timeout since start.
    pub(crate) fn late(&self) -> u64 {
        self.late.get()
    }

    /// Registers work of the request with this id. Returns a number to pass to [`Background::end`].
    pub(crate) fn begin(
        &self,
        id: u32,
        request: Weak<Request>,
        head: Option<RequestHead>,
        lasts: bool,
    ) -> u32 {
        let mut works = self.works.borrow_mut();
        let mut number = self.last.get().wrapping_add(1);
        // A WebSocket may last longer than it takes to count through all numbers.
        while works.contains_key(&number) {
            number = number.wrapping_add(1);
        }
        self.last.set(number);
        works.insert(number, Work { id, request, lasts, since: None });
        drop(works);
        self.requests.borrow_mut().entry(id).or_insert(Worked { head, works: 0 }).works += 1;
        self.timed.set(self.timed.get() + usize::from(!lasts));
        number
    }

    /// Returns the head of the request with this id, while it has unfinished work.
    pub(crate) fn head_of(&self, id: u32) -> Option<RequestHead> {
        self.requests.borrow().get(&id)?.head.clone()
    }

    /// Removes work that has settled, and returns the id of its request. Returns `None` if the work was given up before.
    pub(crate) fn end(&self, number: u32) -> Option<u32> {
        let Work { id, lasts, .. } = self.works.borrow_mut().remove(&number)?;
        self.timed.set(self.timed.get() - usize::from(!lasts));
        let mut requests = self.requests.borrow_mut();
        if let Some(request) = requests.get_mut(&id) {
            request.works -= 1;
            if request.works == 0 {
                requests.remove(&id);
            }
        }
        Some(id)
    }

    /// Gives up work that exceeded the timeout. Calls `on_late` with the id of the request it belongs to.
    pub(crate) fn poll(&self, cx: &mut Context<'_>, mut on_late: impl FnMut(u32)) {
        let mut next_look = self.next_look.borrow_mut();
        let timeout = self.timeout.get();
        while self.timed.get() > 0 {
            let pause = || Box::pin(sleep((timeout / LOOKS).clamp(LEAST, MOST)));
            if next_look.get_or_insert_with(pause).as_mut().poll(cx).is_pending() {
                return;
            }
            *next_look = None;
            for (number, id) in self.find_late(Instant::now(), timeout) {
                self.late.set(self.late.get() + 1);
                // Called before `end`, which drops the request's head: the log needs it to name the request.
                on_late(id);
                self.end(number);
            }
        }
        *next_look = None;
    }

    /// Returns the works that exceeded the timeout, each with the id of its request. For works whose response has completed since
    /// the last poll, the timeout starts now.
    fn find_late(&self, now: Instant, timeout: Duration) -> Vec<(u32, u32)> {
        let mut late = Vec::new();
        for (number, work) in self.works.borrow_mut().iter_mut().filter(|(_, work)| !work.lasts) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_work_that_lasts_is_not_given_anew() {
        let background = Background::new();
        let lasting = background.begin(7, Weak::new(), None, true);
        background.last.set(lasting.wrapping_sub(1));
        let next = background.begin(8, Weak::new(), None, true);
        assert_eq!([background.end(lasting), background.end(next)], [Some(7), Some(8)]);
        assert!(background.is_empty());
    }
}
