//! The state that the JavaScript thread shares with the code that may interrupt it: whether JavaScript runs, and whether it was
//! interrupted.

use std::sync::atomic::{AtomicU8, Ordering};

use nano_protocol::message::RequestId;
use nano_protocol::{Witness, exit};

/// Why JavaScript was interrupted. An interrupted isolate is *terminated*: it never serves again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Termination {
    /// It ran too long without returning to the event loop.
    Watchdog,
    /// Its heap reached the limit.
    OutOfMemory,
    /// A request used up its CPU time.
    CpuTime,
}

impl Termination {
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Watchdog => exit::WATCHDOG,
            Self::OutOfMemory => exit::OUT_OF_MEMORY,
            Self::CpuTime => exit::CPU_TIME,
        }
    }
}

/// Shared by the JavaScript thread, the watchdog thread and the heap-limit callback.
#[derive(Debug)]
pub(crate) struct Guard {
    /// Counts entries into JavaScript and exits from it. The supervisor reads it after this process has ended. The watchdog reads
    /// it as well, so the hot path needs no clock: the same odd number at two polls means that one entry lasted the time between.
    pub(crate) witness: Witness,
    termination: AtomicU8,
}

impl Guard {
    pub(crate) fn new(witness: Witness) -> Self {
        Self { witness, termination: AtomicU8::new(0) }
    }

    /// Counts an entry into JavaScript.
    pub(crate) fn enter(&self) {
        self.witness.enter();
    }

    /// Counts an entry into JavaScript, for a new request that came over this connection.
    pub(crate) fn begin(&self, connection: usize, request: RequestId) {
        self.witness.begin(connection, request);
    }

    /// Counts an exit from JavaScript.
    pub(crate) fn leave(&self) {
        self.witness.leave();
    }

    /// Returns the number of the current entry, if JavaScript runs.
    pub(crate) fn running(&self) -> Option<u64> {
        let entries = self.witness.entries();
        (entries % 2 == 1).then_some(entries)
    }

    /// Returns the number of the last entry, if JavaScript does not run.
    pub(crate) fn left(&self) -> Option<u64> {
        let entries = self.witness.entries();
        entries.is_multiple_of(2).then(|| entries.saturating_sub(1))
    }

    /// Marks the isolate as terminated, unless it is already. Returns whether this was the first cause, which is kept.
    pub(crate) fn terminate(&self, cause: Termination) -> bool {
        let code = cause.exit_code();
        self.termination.compare_exchange(0, code, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Returns why the isolate is terminated, if it is.
    pub(crate) fn termination(&self) -> Option<Termination> {
        match self.termination.load(Ordering::Acquire) {
            exit::WATCHDOG => Some(Termination::Watchdog),
            exit::OUT_OF_MEMORY => Some(Termination::OutOfMemory),
            exit::CPU_TIME => Some(Termination::CpuTime),
            _ => None,
        }
    }
}
