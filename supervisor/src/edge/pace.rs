//! How far a client is behind: with taking what there is for it, or with sending what is wanted.
//!
//! Time in which the client is waited for is a debt; what it takes or sends pays for as much of it as the least rate allows.
//! Who takes or sends nothing is behind by all the time that he is waited for, and who is fast enough is never behind, however
//! long it lasts. What somebody else is waited for does not count.

use std::cell::{Cell, RefCell};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// How often connections are looked at. Time is counted in these, so that no request costs a timer or a look at a clock.
pub(crate) const TICK: Duration = Duration::from_millis(250);

/// Least rate of a client, in bytes per second; none if any will do.
pub(crate) type MinRate = Option<u64>;

/// The debt of one client, in ticks.
#[derive(Debug)]
pub(crate) struct Debt {
    /// Whether the client is waited for now.
    waits: Cell<bool>,
    /// Bytes moved since the last look.
    moved: Cell<u64>,
    behind: Cell<u64>,
    /// When it was last looked at.
    seen: Cell<u64>,
}

impl Debt {
    /// None so far, at this tick.
    pub(crate) fn new(now: u64) -> Self {
        Self { waits: Cell::new(false), moved: Cell::new(0), behind: Cell::new(0), seen: Cell::new(now) }
    }

    /// Whether the client is waited for from now on.
    pub(crate) fn waits(&self, waits: bool) {
        self.waits.set(waits);
    }

    /// Whether the client is waited for now.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.waits.get()
    }

    /// It has taken or sent so many bytes.
    pub(crate) fn moved(&self, bytes: usize) {
        self.moved.set(self.moved.get() + bytes as u64);
    }

    /// By how many ticks it is behind, at the tick `now`; not at all while somebody else is waited for.
    pub(crate) fn look(&self, now: u64, rate: MinRate) -> u64 {
        let passed = now - self.seen.replace(now);
        let moved = self.moved.replace(0);
        let paid = match rate {
            _ if moved == 0 => 0,
            Some(rate) => {
                let (moved, tick) = (moved.saturating_mul(1000), rate.max(1) * TICK.as_millis() as u64);
                // Less than is due for a tick still counts for the next.
                self.moved.set(moved % tick / 1000);
                moved / tick
            }
            None => u64::MAX,
        };
        let waited = if self.waits.get() { passed } else { 0 };
        // What comes pays for what went before, never for what is to come.
        self.behind.set((self.behind.get() + waited).saturating_sub(paid));
        waited.min(1) * self.behind.get()
    }
}

/// One stream whose client is waited for now and then: an upload, or an answer over HTTP/2. Looked at with every tick.
#[derive(Debug)]
pub(crate) struct Pace {
    /// How far its client is behind.
    pub debt: Debt,
    rate: MinRate,
    /// Greatest debt, in ticks.
    limit: u64,
    is_overdue: Cell<bool>,
    /// Whom to tell of that.
    waker: RefCell<Option<Waker>>,
}

impl Pace {
    /// From the tick `now` on.
    pub(crate) fn new(now: u64, limit: Duration, rate: MinRate) -> Self {
        Self {
            debt: Debt::new(now),
            rate,
            limit: ticks(limit),
            is_overdue: Cell::new(false),
            waker: RefCell::default(),
        }
    }

    /// Ready when the client has fallen too far behind.
    pub(crate) fn poll_overdue(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_overdue.get() {
            return Poll::Ready(());
        }
        let mut waker = self.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Looks at the clock.
    pub(crate) fn sweep(&self, now: u64) {
        if self.debt.look(now, self.rate) > self.limit && !self.is_overdue.replace(true) {
            let waker = self.waker.take();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

/// A time limit in ticks.
pub(crate) fn ticks(limit: Duration) -> u64 {
    u64::try_from(limit.as_millis() / TICK.as_millis()).unwrap_or(u64::MAX)
}

/// Time limits of a connection, in ticks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TickLimits {
    /// Without a request.
    pub idle: u64,
    /// For one request head.
    pub head: u64,
    /// For which it may be behind with taking an answer.
    pub send: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 4;

    #[test]
    fn who_moves_nothing_is_behind_by_all_the_time_he_is_waited_for() {
        let debt = Debt::new(7);
        assert_eq!(debt.look(100, Some(500)), 0);
        debt.waits(true);
        assert_eq!(debt.look(101, Some(500)), 1);
        assert_eq!(debt.look(111, Some(500)), 11);
    }

    #[test]
    fn who_is_fast_enough_is_never_behind_and_who_is_not_will_be() {
        for (rate, is_late) in [(500, false), (501, false), (450, true), (1, true)] {
            let debt = Debt::new(0);
            debt.waits(true);
            let mut most = 0;
            for second in 1..=3600 {
                debt.moved(rate);
                most = most.max(debt.look(second * SECOND, Some(500)));
            }
            assert_eq!(most > 60 * SECOND, is_late, "{rate}: {most}");
        }
    }

    #[test]
    fn what_was_fast_before_pays_for_nothing_to_come() {
        let debt = Debt::new(0);
        debt.moved(1 << 30);
        debt.waits(true);
        debt.look(1, Some(500));
        assert_eq!(debt.look(241, Some(500)), 240);
    }

    #[test]
    fn without_a_rate_any_byte_will_do() {
        let debt = Debt::new(0);
        debt.waits(true);
        assert_eq!(debt.look(50, None), 50);
        debt.moved(1);
        assert_eq!(debt.look(60, None), 0);
        assert_eq!(debt.look(70, None), 10);
    }

    #[test]
    fn time_in_which_somebody_else_is_waited_for_does_not_count() {
        let debt = Debt::new(0);
        debt.waits(true);
        assert_eq!(debt.look(10, Some(500)), 10);
        debt.waits(false);
        assert_eq!(debt.look(1000, Some(500)), 0);
        debt.waits(true);
        assert_eq!(debt.look(1001, Some(500)), 11);
    }

    #[test]
    fn a_stream_is_overdue_once_and_for_all() {
        let pace = Pace::new(0, Duration::from_secs(1), Some(500));
        let mut cx = Context::from_waker(Waker::noop());
        pace.debt.waits(true);
        pace.sweep(4);
        assert!(pace.poll_overdue(&mut cx).is_pending());
        pace.sweep(5);
        pace.debt.waits(false);
        pace.sweep(6);
        assert!(pace.poll_overdue(&mut cx).is_ready());
    }
}
