//! How much the responses of an app may hold on their way through the supervisor, and how large their windows are for it.
//!
//! A window is a promise: so many bytes may come before the client has taken any. What is promised is counted, so that all
//! clients together, if none of them reads, cannot make it more than it may be, but for [`LEAST_WINDOW`] each.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::limits::{FIRST_WINDOW, LEAST_WINDOW, MOST_WINDOW};

/// What is promised and held of one app on one thread, which alone changes it. Others may read.
#[derive(Debug)]
pub struct Budget {
    max: AtomicUsize,
    promised: AtomicUsize,
    held: AtomicUsize,
    /// That of all apps together.
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
    fn fair(&self) -> usize {
        let (promised, max) = (self.promised.load(Ordering::Relaxed), self.max.load(Ordering::Relaxed));
        let own = match promised {
            _ if promised < max / 2 => MOST_WINDOW,
            _ if promised < max / 4 * 3 => FIRST_WINDOW,
            _ => LEAST_WINDOW,
        };
        self.total.as_ref().map_or(own, |total| own.min(total.fair()))
    }

    /// The window of a new stream, to be [released](Self::release).
    pub(crate) fn first(&self) -> usize {
        let window = self.fair().min(FIRST_WINDOW);
        self.change(0, window);
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
        self.change(window, next);
        next
    }

    /// A stream is over.
    pub(crate) fn release(&self, window: usize) {
        self.change(window, 0);
    }

    fn change(&self, before: usize, after: usize) {
        change(&self.promised, before, after);
        if let Some(total) = &self.total {
            total.change(before, after);
        }
    }

    /// Where `before` bytes were held, `after` are now.
    pub(crate) fn hold(&self, before: usize, after: usize) {
        change(&self.held, before, after);
        if let Some(total) = &self.total {
            total.hold(before, after);
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

    #[test]
    fn windows_shrink_as_more_is_promised_and_no_promise_is_forgotten() {
        let total = Arc::new(Budget::new(64 * FIRST_WINDOW, None));
        let budget = Budget::new(16 * FIRST_WINDOW, Some(total.clone()));
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
        let promised = |budget: &Budget| budget.promised.load(Ordering::Relaxed);
        assert_eq!((promised(&budget), promised(&total)), (0, 0));
    }

    #[test]
    fn what_all_apps_together_may_hold_bounds_each() {
        let total = Arc::new(Budget::new(4 * FIRST_WINDOW, None));
        let one = Budget::new(1 << 30, Some(total.clone()));
        let other = Budget::new(1 << 30, Some(total.clone()));
        let windows = [one.first(), one.first(), other.first(), one.first(), other.first()];
        assert_eq!(windows, [FIRST_WINDOW, FIRST_WINDOW, FIRST_WINDOW, LEAST_WINDOW, LEAST_WINDOW]);
        one.hold(0, 7);
        other.hold(0, 5);
        one.hold(7, 4);
        assert_eq!((one.held(), other.held(), total.held()), (4, 5, 9));
    }
}
