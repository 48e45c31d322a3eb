//! What sessions between apps may have, and how often they had too much of it.

use std::cell::Cell;

/// What a session may have so much of and no more.
#[derive(Debug, Clone, Copy)]
pub enum SessionLimit {
    /// Calls that have no answer yet, in each direction.
    Calls,
    /// Stubs of one side that the other one holds.
    Stubs,
    /// Bytes that wait until the other app takes them.
    Bytes,
}

/// How often sessions had too much, since start.
#[derive(Debug, Default)]
pub struct SessionLimits([Cell<u64>; 3]);

impl SessionLimits {
    pub(super) fn count(&self, limit: SessionLimit) {
        let broken = &self.0[limit as usize];
        broken.set(broken.get() + 1);
    }

    /// Returns how often sessions had too much of this.
    pub fn broken(&self, limit: SessionLimit) -> u64 {
        self.0[limit as usize].get()
    }
}
