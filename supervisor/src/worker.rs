//! The supervisor's view of a worker process.
//!
//! - [`spawn`]: starts the process; the only place that does.
//! - [`spare`]: a process that has shaken hands and has no app yet.
//! - [`handle`]: load, ping, logs, drain over the control connection; `load`: what it is told to load; `fingerprint`: whether
//!   that would be the same again.
//! - [`exit_reason`]: why a worker ended, in one enum.

pub mod exit_reason;
mod fingerprint;
pub mod handle;
mod load;
pub mod spare;
pub mod spawn;

pub use exit_reason::ExitReason;
pub use fingerprint::Fingerprint;
pub use handle::{StartFailure, Started, Worker};
pub use spare::Spares;
