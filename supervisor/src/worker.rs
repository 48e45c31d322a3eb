//! The supervisor's view of a worker process.
//!
//! - [`spawn`]: starts the process; the only place that does.
//! - [`handle`]: handshake, load, ping, logs, drain over the control connection.
//! - [`exit_reason`]: why a worker ended, in one enum.

pub mod exit_reason;
pub mod handle;
pub mod spawn;

pub use exit_reason::ExitReason;
pub use handle::{StartFailure, Started, Worker};
