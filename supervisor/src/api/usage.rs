//! What a process uses.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a process uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Resident memory that is the process's own, in bytes: heap, stacks, buffers, WebAssembly. What the limit `memory`
    /// is about; code and snapshot, which all workers share, do not count.
    pub memory: u64,
    /// All resident memory, in bytes, files that are shared with others included.
    pub rss: u64,
    /// CPU time so far.
    pub cpu: Duration,
}
