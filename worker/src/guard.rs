//! What the JavaScript thread and those who may interrupt it know of each other.

use std::sync::atomic::{AtomicU8, Ordering};

use nano_protocol::message::RequestId;
use nano_protocol::{Witness, exit};

/// Why JavaScript was interrupted. An interrupted isolate is torn: it never serves again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Torn {
    /// It ran too long without returning to the event loop.
    Watchdog,
    /// Its heap reached the limit.
    OutOfMemory,
    /// A request used up its CPU time.
    CpuTime,
}

impl Torn {
    /// The exit code that names this cause.
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
    /// Counts entries and exits, for whoever looks when this process is gone. So a watcher needs no clock on the hot path:
    /// the same odd number at two looks means that one entry lasted the time between.
    pub(crate) witness: Witness,
    torn: AtomicU8,
}

impl Guard {
    /// Nothing has run yet.
    pub(crate) fn new(witness: Witness) -> Self {
        Self { witness, torn: AtomicU8::new(0) }
    }

    /// JavaScript is about to run.
    pub(crate) fn enter(&self) {
        self.witness.enter();
    }

    /// JavaScript is about to run for this request, which came over this connection.
    pub(crate) fn begin(&self, connection: usize, request: RequestId) {
        self.witness.begin(connection, request);
    }

    /// JavaScript has returned.
    pub(crate) fn leave(&self) {
        self.witness.leave();
    }

    /// The number of the entry under way, if JavaScript runs.
    pub(crate) fn running(&self) -> Option<u64> {
        let entries = self.witness.entries();
        (entries % 2 == 1).then_some(entries)
    }

    /// The number of the entry that was left last, if JavaScript does not run.
    pub(crate) fn left(&self) -> Option<u64> {
        let entries = self.witness.entries();
        entries.is_multiple_of(2).then(|| entries.saturating_sub(1))
    }

    /// Marks the isolate as torn; the first cause stays. Says whether this was the first.
    pub(crate) fn tear(&self, cause: Torn) -> bool {
        let code = cause.exit_code();
        self.torn.compare_exchange(0, code, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Why the isolate is torn, if it is.
    pub(crate) fn torn(&self) -> Option<Torn> {
        match self.torn.load(Ordering::Acquire) {
            exit::WATCHDOG => Some(Torn::Watchdog),
            exit::OUT_OF_MEMORY => Some(Torn::OutOfMemory),
            exit::CPU_TIME => Some(Torn::CpuTime),
            _ => None,
        }
    }
}
