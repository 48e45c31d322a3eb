//! Counters with a single writer thread, which others read. Counting is a plain addition, without an atomic
//! read-modify-write.

use std::sync::atomic::{AtomicU64, Ordering};

/// Adds to a counter that only this thread writes.
pub(crate) fn add(count: &AtomicU64, more: u64) {
    count.store(count.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
}

/// Reads a counter of any thread.
pub(crate) fn get(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}
