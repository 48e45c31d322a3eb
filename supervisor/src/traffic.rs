//! What the I/O threads count of an app, and the main thread reads.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The counts of one app.
#[derive(Debug, Default)]
pub struct Traffic {
    in_flight: AtomicUsize,
}

impl Traffic {
    /// Requests in flight or waiting, on all I/O threads.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// One more, unless there are `max` already.
    pub fn enter(&self, max: usize) -> bool {
        let is_free = self.in_flight.fetch_add(1, Ordering::Relaxed) < max;
        if !is_free {
            self.leave();
        }
        is_free
    }

    /// One less.
    pub fn leave(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
