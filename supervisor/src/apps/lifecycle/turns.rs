//! Makes apps wait for their turn to start a worker that no command asked for. The [`Budget`] decides the order.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::{sleep, sleep_until};

use crate::apps::budget::{Budget, Rank, Turn};
use crate::apps::registry::Registry;
use crate::model::ids::AppId;

/// How often a waiting app checks whether the order of turns has changed.
const LOOK: Duration = Duration::from_millis(20);

/// The queue of apps that wait to start a worker.
#[derive(Debug)]
pub(crate) struct Turns {
    budget: RefCell<Budget>,
    changed: Notify,
    registry: Registry,
}

/// An app's place among those that wait. It is given up when dropped.
struct WaitingStart<'a>(&'a Turns, AppId);

impl Turns {
    /// Creates the queue with a budget of `per_second` starts per second.
    pub(crate) fn new(per_second: u32, registry: Registry) -> Self {
        Self {
            budget: RefCell::new(Budget::new(per_second, Instant::now())),
            changed: Notify::new(),
            registry,
        }
    }

    /// Sets how many starts per second are allowed.
    pub(crate) fn configure(&self, per_second: u32) {
        self.budget.borrow_mut().configure(per_second);
    }

    /// Removes an app that is gone.
    pub(crate) fn forget(&self, app: AppId) {
        self.budget.borrow_mut().forget(app);
    }

    /// Returns how many apps wait.
    pub(crate) fn waiting(&self) -> usize {
        self.budget.borrow().waiting()
    }

    /// Waits until the app may start a worker.
    pub(crate) async fn take(&self, app: AppId, rank: Rank) {
        self.budget.borrow_mut().enter(app, rank);
        let _place = WaitingStart(self, app);
        let mut has_waited = false;
        loop {
            let changed = self.changed.notified();
            let turn = self
                .budget
                .borrow_mut()
                .ask(app, Instant::now(), |app| self.registry.has_requests_waiting(app));
            if turn != Turn::Now && !std::mem::replace(&mut has_waited, true) {
                self.registry.waits_for_turn(app, true);
            }
            match turn {
                Turn::Now => return,
                Turn::At(time) => tokio::select! {
                    () = changed => {}
                    () = sleep_until(time.into()) => {}
                },
                Turn::Other => tokio::select! {
                    () = changed => {}
                    () = sleep(LOOK) => {}
                },
            }
        }
    }
}

impl Drop for WaitingStart<'_> {
    fn drop(&mut self) {
        let Self(turns, app) = self;
        turns.budget.borrow_mut().leave(*app);
        turns.registry.waits_for_turn(*app, false);
        turns.changed.notify_waiters();
    }
}
