//! How a scheduled run ends.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::VariantArray;

/// How a scheduled run has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, VariantArray)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// The handler and all its background work have settled without an exception.
    Ok,
    /// The handler or its background work has thrown.
    Exception,
    /// Its worker ended.
    Crashed,
    /// It took longer than `scheduled_timeout`.
    TimedOut,
    /// The app had no worker for too long.
    NoWorker,
    /// It has ended workers again and again, and is refused (`quarantine`).
    Quarantined,
    /// It was due while the run before it was not over.
    Skipped,
}

impl RunOutcome {
    pub(crate) const COUNT: usize = Self::VARIANTS.len();

    /// The name in logs and metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Exception => "exception",
            Self::Crashed => "crashed",
            Self::TimedOut => "timed_out",
            Self::NoWorker => "no_worker",
            Self::Quarantined => "quarantined",
            Self::Skipped => "skipped",
        }
    }
}

impl fmt::Display for RunOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
