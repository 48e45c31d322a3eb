//! What the JavaScript thread and those who may interrupt it know of each other.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use nano_protocol::exit;

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
#[derive(Debug, Default)]
pub(crate) struct Guard {
    /// Odd while JavaScript runs; every entry and exit adds one. So a watcher needs no clock on the hot path: the same
    /// odd number at two looks means that one entry lasted the time between.
    entries: AtomicU64,
    torn: AtomicU8,
}

impl Guard {
    /// JavaScript is about to run.
    pub(crate) fn enter(&self) {
        self.entries.fetch_add(1, Ordering::Relaxed);
    }

    /// JavaScript has returned.
    pub(crate) fn leave(&self) {
        self.entries.fetch_add(1, Ordering::Relaxed);
    }

    /// The number of the entry under way, if JavaScript runs.
    pub(crate) fn running(&self) -> Option<u64> {
        let entries = self.entries.load(Ordering::Relaxed);
        (entries % 2 == 1).then_some(entries)
    }

    /// The number of the entry that was left last, if JavaScript does not run.
    pub(crate) fn left(&self) -> Option<u64> {
        let entries = self.entries.load(Ordering::Relaxed);
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
