//! How many bytes the supervisor may buffer of the bodies of an app or of a client, and how large their windows are because of
//! that.
//!
//! A window is a promise: the peer may send that many bytes before the receiver has taken any. Promised bytes are counted, so
//! that all clients together, if none of them reads, cannot exceed the maximum by more than [`LEAST_WINDOW`] each.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::limits::{FIRST_WINDOW, LEAST_WINDOW, MOST_WINDOW};

/// Counts the bytes promised and buffered ("held") for one app or one client on one thread. Only that thread changes the
/// counts; others may read them.
#[derive(Debug)]
pub struct Budget {
    max: AtomicUsize,
    promised: AtomicUsize,
    held: AtomicUsize,
    /// The budget of all apps together.
    total: Option<Arc<Self>>,
}

impl Budget {
    /// Creates a budget of at most `max` bytes, and not more than what is left of `total`.
    pub fn new(max: usize, total: Option<Arc<Self>>) -> Self {
        let zero = || AtomicUsize::new(0);
        Self { max: AtomicUsize::new(max), promised: zero(), held: zero(), total }
    }

    /// Changes the maximum. Promises already made stay.
    pub fn set_max(&self, max: usize) {
        self.max.store(max, Ordering::Relaxed);
    }

    /// Returns the buffered bytes: of responses, until their clients take them, and of requests, until the worker takes them.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Returns the window that a stream may have now. Once half of the maximum is promised, no window grows beyond
    /// [`FIRST_WINDOW`]; from three quarters on, each stream gets [`LEAST_WINDOW`].
    pub fn fair(&self) -> usize {
        let (promised, max) = (self.promised.load(Ordering::Relaxed), self.max.load(Ordering::Relaxed));
        let own = match promised {
            _ if promised < max / 2 => MOST_WINDOW,
            _ if promised < max / 4 * 3 => FIRST_WINDOW,
            _ => LEAST_WINDOW,
        };
        self.total.as_ref().map_or(own, |total| own.min(total.fair()))
    }

    /// Returns whether streams get only [`LEAST_WINDOW`].
    pub fn is_spent(&self) -> bool {
        self.fair() == LEAST_WINDOW
    }

    /// Replaces a promised window of `before` bytes by one of `after` bytes.
    pub fn promise(&self, before: usize, after: usize) {
        change(&self.promised, before, after);
        if let Some(total) = &self.total {
            total.promise(before, after);
        }
    }

    /// Replaces `before` buffered bytes in the count by `after` bytes.
    pub fn hold(&self, before: usize, after: usize) {
        change(&self.held, before, after);
        if let Some(total) = &self.total {
            total.hold(before, after);
        }
    }
}

/// The budgets that bound one stream: that of its app, and that of its client.
#[derive(Debug)]
pub(crate) struct Bounds {
    pub(crate) app: Arc<Budget>,
    pub(crate) client: Option<Rc<Budget>>,
}

impl Bounds {
    /// Returns the window that the stream may have now, by both budgets.
    fn fair(&self) -> usize {
        let app = self.app.fair();
        self.client.as_ref().map_or(app, |client| app.min(client.fair()))
    }

    /// Replaces a promised window of `before` bytes by one of `after` bytes.
    pub(crate) fn promise(&self, before: usize, after: usize) {
        self.app.promise(before, after);
        if let Some(client) = &self.client {
            client.promise(before, after);
        }
    }

    /// Promises and returns the window of a new stream. The caller has to [release](Self::release) it.
    pub(crate) fn first(&self) -> usize {
        let window = self.fair().min(FIRST_WINDOW);
        self.promise(0, window);
        window
    }

    /// Returns the window that replaces `window`, of which `consumed` bytes are free. It grows if the stream is held up by its
    /// window (`is_short`), and shrinks, by no more than what is free, if the budget has less for it now.
    pub(crate) fn next(&self, window: usize, consumed: usize, is_short: bool) -> usize {
        let fair = self.fair();
        let next = if fair < window {
            fair.max(window - consumed)
        } else if is_short {
            fair.min(2 * window)
        } else {
            window
        };
        self.promise(window, next);
        next
    }

    /// Takes back the promised window of a stream that is over.
    pub(crate) fn release(&self, window: usize) {
        self.promise(window, 0);
    }

    /// Replaces `before` buffered bytes in the count by `after` bytes.
    pub(crate) fn hold(&self, before: usize, after: usize) {
        self.app.hold(before, after);
        if let Some(client) = &self.client {
            client.hold(before, after);
        }
    }
}

fn change(count: &AtomicUsize, before: usize, after: usize) {
    let now = count.load(Ordering::Relaxed);
    count.store((now + after).saturating_sub(before), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(app: &Arc<Budget>) -> Bounds {
        Bounds { app: app.clone(), client: None }
    }

    fn promised(budget: &Budget) -> usize {
        budget.promised.load(Ordering::Relaxed)
    }

    #[test]
    fn windows_shrink_as_more_is_promised_and_no_promise_is_forgotten() {
        let total = Arc::new(Budget::new(64 * FIRST_WINDOW, None));
        let app = Arc::new(Budget::new(16 * FIRST_WINDOW, Some(total.clone())));
        let budget = of(&app);
        let mut windows: Vec<_> = (0..40).map(|_| budget.first()).collect();
        assert_eq!(windows[..12], [FIRST_WINDOW; 12]);
        assert_eq!(windows[12..], [LEAST_WINDOW; 28]);
        // A window shrinks, but by no more than the stream has consumed.
        assert_eq!(budget.next(FIRST_WINDOW, FIRST_WINDOW / 2, true), FIRST_WINDOW / 2);
        windows[0] = FIRST_WINDOW / 2;
        assert_eq!(budget.next(LEAST_WINDOW, LEAST_WINDOW, true), LEAST_WINDOW);
        windows.drain(4..).for_each(|window| budget.release(window));
        assert_eq!(budget.next(FIRST_WINDOW, FIRST_WINDOW, true), 2 * FIRST_WINDOW);
        windows[1] = 2 * FIRST_WINDOW;
        assert_eq!(budget.next(MOST_WINDOW, MOST_WINDOW, false), MOST_WINDOW);
        windows.drain(..).for_each(|window| budget.release(window));
        assert_eq!((promised(&app), promised(&total)), (0, 0));
    }

    #[test]
    fn what_all_apps_together_may_hold_bounds_each() {
        let total = Arc::new(Budget::new(4 * FIRST_WINDOW, None));
        let [app, other_app] = [1, 2].map(|_| Arc::new(Budget::new(1 << 30, Some(total.clone()))));
        let (one, other) = (of(&app), of(&other_app));
        let windows = [one.first(), one.first(), other.first(), one.first(), other.first()];
        assert_eq!(windows, [FIRST_WINDOW, FIRST_WINDOW, FIRST_WINDOW, LEAST_WINDOW, LEAST_WINDOW]);
        one.hold(0, 7);
        other.hold(0, 5);
        one.hold(7, 4);
        assert_eq!((app.held(), other_app.held(), total.held()), (4, 5, 9));
    }

    #[test]
    fn a_client_that_holds_its_share_has_the_least_of_every_app_and_others_have_what_they_had() {
        let apps = [1, 2].map(|_| Arc::new(Budget::new(1 << 30, None)));
        let [greedy, modest] = [1, 2].map(|_| Rc::new(Budget::new(4 * FIRST_WINDOW, None)));
        let of =
            |app: usize, client: &Rc<Budget>| Bounds { app: apps[app].clone(), client: Some(client.clone()) };
        let windows: Vec<_> = (0..6).map(|number| of(number % 2, &greedy).first()).collect();
        assert_eq!(windows[..3], [FIRST_WINDOW; 3]);
        assert_eq!(windows[3..], [LEAST_WINDOW; 3]);
        assert!(greedy.is_spent() && !modest.is_spent());
        assert_eq!(of(1, &modest).first(), FIRST_WINDOW);
        of(0, &greedy).hold(0, 9);
        assert_eq!((greedy.held(), modest.held(), apps[0].held()), (9, 0, 9));
        windows.into_iter().enumerate().for_each(|(number, window)| of(number % 2, &greedy).release(window));
        assert_eq!((promised(&greedy), promised(&apps[0]), promised(&modest)), (0, 0, FIRST_WINDOW));
    }
}
