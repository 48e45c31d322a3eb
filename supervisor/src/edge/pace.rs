//! Measures how far a client is behind with reading a response or with sending a request body.
//!
//! Time spent waiting for the client is its debt. The bytes it reads or sends pay off the debt at the least rate. A
//! client that moves nothing is behind by all of the time it is waited for, and one that is fast enough is never
//! behind, however long the transfer takes. Time spent waiting for anybody else does not count.

use std::cell::{Cell, RefCell};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// The interval at which connections are swept. Time limits are counted in ticks, so that a request needs neither a
/// timer nor a clock.
pub(crate) const TICK: Duration = Duration::from_millis(250);

/// The least rate of a client, in bytes per second. `None` if any byte is enough.
pub(crate) type MinRate = Option<u64>;

/// The debt of one client, in ticks.
#[derive(Debug)]
pub(crate) struct Debt {
    /// Whether the client is waited for.
    waits: Cell<bool>,
    /// Bytes moved since the tick `seen`.
    moved: Cell<u64>,
    behind: Cell<u64>,
    /// The tick at which `behind` was last computed.
    seen: Cell<u64>,
}

impl Debt {
    /// Starts without debt, at the tick `now`.
    pub(crate) fn new(now: u64) -> Self {
        Self { waits: Cell::new(false), moved: Cell::new(0), behind: Cell::new(0), seen: Cell::new(now) }
    }

    /// Sets whether the client is waited for.
    pub(crate) fn waits(&self, waits: bool) {
        self.waits.set(waits);
    }

    /// Whether the client is waited for.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.waits.get()
    }

    /// Counts bytes that the client has read or sent.
    pub(crate) fn moved(&self, bytes: usize) {
        self.moved.set(self.moved.get() + bytes as u64);
    }

    /// Returns by how many ticks the client is behind at the tick `now`. 0 while the client is not waited for.
    pub(crate) fn look(&self, now: u64, rate: MinRate) -> u64 {
        let passed = now - self.seen.replace(now);
        let moved = self.moved.replace(0);
        let paid = match rate {
            _ if moved == 0 => 0,
            Some(rate) => {
                let (moved, tick) = (moved.saturating_mul(1000), rate.max(1) * TICK.as_millis() as u64);
                // The remainder, which does not pay for a whole tick, counts for the next one.
                self.moved.set(moved % tick / 1000);
                moved / tick
            }
            None => u64::MAX,
        };
        let waited = if self.waits.get() { passed } else { 0 };
        // Bytes pay off debt, but cannot be saved up for later.
        self.behind.set((self.behind.get() + waited).saturating_sub(paid));
        waited.min(1) * self.behind.get()
    }
}

/// The pace of one stream: a request body, or a response over HTTP/2. Checked at every tick.
#[derive(Debug)]
pub(crate) struct Pace {
    pub debt: Debt,
    rate: MinRate,
    /// The greatest debt allowed, in ticks.
    limit: u64,
    is_overdue: Cell<bool>,
    /// Woken when the client has fallen too far behind.
    waker: RefCell<Option<Waker>>,
}

impl Pace {
    /// Starts to measure at the tick `now`.
    pub(crate) fn new(now: u64, limit: Duration, rate: MinRate) -> Self {
        Self {
            debt: Debt::new(now),
            rate,
            limit: ticks(limit),
            is_overdue: Cell::new(false),
            waker: RefCell::default(),
        }
    }

    /// Polls whether the client has fallen too far behind. Wakes the task when it has.
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

    /// Checks the debt at the tick `now`.
    pub(crate) fn sweep(&self, now: u64) {
        if self.debt.look(now, self.rate) > self.limit && !self.is_overdue.replace(true) {
            let waker = self.waker.take();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

/// Converts a time limit to ticks.
pub(crate) fn ticks(limit: Duration) -> u64 {
    u64::try_from(limit.as_millis() / TICK.as_millis()).unwrap_or(u64::MAX)
}

/// The time limits of a connection, in ticks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TickLimits {
    /// How long it may be idle.
    pub idle: u64,
    /// How long one request head may take.
    pub head: u64,
    /// How far it may be behind with reading responses.
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
