//! The supervisor's view of a worker process.
//!
//! - [`spawn`]: starts the process; the only place that does.
//! - [`handle`]: handshake, load, ping, logs, drain over the control connection; `load`: what it is told to load.
//! - [`exit_reason`]: why a worker ended, in one enum.

pub mod exit_reason;
pub mod handle;
mod load;
pub mod spawn;

pub use exit_reason::ExitReason;
pub use handle::{StartFailure, Started, Worker};
