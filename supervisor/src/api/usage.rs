//! The memory and CPU time of a process.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The memory and CPU time of a process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Resident memory that is not shared with files, in bytes: heap, stacks, buffers, WebAssembly. The limit `memory` applies
    /// to this. Code and snapshot, which all workers share, do not count.
    pub memory: u64,
    /// All resident memory, in bytes, shared files included.
    pub rss: u64,
    /// CPU time since the process started.
    pub cpu: Duration,
}
