//! How much the bodies of an app, or of a client, may hold on their way through the supervisor, and how large their windows are
//! for it.
//!
//! A window is a promise: so many bytes may come before the client has taken any. What is promised is counted, so that all
//! clients together, if none of them reads, cannot make it more than it may be, but for [`LEAST_WINDOW`] each.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::limits::{FIRST_WINDOW, LEAST_WINDOW, MOST_WINDOW};

/// What is promised to and held of one app, or one client, on one thread, which alone changes it. Others may read.
#[derive(Debug)]
pub struct Budget {
    max: AtomicUsize,
    promised: AtomicUsize,
    held: AtomicUsize,
    /// That of all together.
    total: Option<Arc<Self>>,
}

impl Budget {
    /// At most `max` bytes, and not more than what is left of `total`.
    pub fn new(max: usize, total: Option<Arc<Self>>) -> Self {
        let zero = || AtomicUsize::new(0);
        Self { max: AtomicUsize::new(max), promised: zero(), held: zero(), total }
    }

    /// Another maximum, for what is promised from now on.
    pub fn set_max(&self, max: usize) {
        self.max.store(max, Ordering::Relaxed);
    }

    /// Bytes that are held: of responses, and not taken by their clients; of requests, and not taken by the worker.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// The window that a stream may have now. Where half is promised, none grows; where most is, each has the least.
    pub fn fair(&self) -> usize {
        let (promised, max) = (self.promised.load(Ordering::Relaxed), self.max.load(Ordering::Relaxed));
        let own = match promised {
            _ if promised < max / 2 => MOST_WINDOW,
            _ if promised < max / 4 * 3 => FIRST_WINDOW,
            _ => LEAST_WINDOW,
        };
        self.total.as_ref().map_or(own, |total| own.min(total.fair()))
    }

    /// Whether whoever has it gets no more than the least.
    pub fn is_spent(&self) -> bool {
        self.fair() == LEAST_WINDOW
    }

    /// Where a window of `before` bytes was promised, one of `after` is now.
    pub fn promise(&self, before: usize, after: usize) {
        change(&self.promised, before, after);
        if let Some(total) = &self.total {
            total.promise(before, after);
        }
    }

    /// Where `before` bytes were held, `after` are now.
    pub fn hold(&self, before: usize, after: usize) {
        change(&self.held, before, after);
        if let Some(total) = &self.total {
            total.hold(before, after);
        }
    }
}

/// What bounds one stream: the budget of its app, and that of its client.
#[derive(Debug)]
pub(crate) struct Bounds {
    pub(crate) app: Arc<Budget>,
    pub(crate) client: Option<Rc<Budget>>,
}

impl Bounds {
    /// The window that the stream may have now: what both have for it.
    fn fair(&self) -> usize {
        let app = self.app.fair();
        self.client.as_ref().map_or(app, |client| app.min(client.fair()))
    }

    /// Where a window of `before` bytes was promised, one of `after` is now.
    pub(crate) fn promise(&self, before: usize, after: usize) {
        self.app.promise(before, after);
        if let Some(client) = &self.client {
            client.promise(before, after);
        }
    }

    /// The window of a new stream, to be [released](Self::release).
    pub(crate) fn first(&self) -> usize {
        let window = self.fair().min(FIRST_WINDOW);
        self.promise(0, window);
        window
    }

    /// A window in place of `window`, of which `consumed` bytes are free. It grows if the stream is held up by it.
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

    /// A stream is over.
    pub(crate) fn release(&self, window: usize) {
        self.promise(window, 0);
    }

    /// Where `before` bytes were held, `after` are now.
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
        // One that has room gives it back, but not more than it has consumed.
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
