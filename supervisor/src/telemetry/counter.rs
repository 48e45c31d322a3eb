//! Counts that one thread adds to and others read, so that counting is a plain addition.

use std::sync::atomic::{AtomicU64, Ordering};

/// Adds to what only this thread writes.
pub(crate) fn add(count: &AtomicU64, more: u64) {
    count.store(count.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
}

/// Reads what another thread may write.
pub(crate) fn get(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}
