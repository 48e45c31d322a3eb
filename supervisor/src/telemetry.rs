//! What is counted, measured and written down.
//!
//! - `log`: lines, from the supervisor, its workers and every request (`record`).
//! - `traces`, `trace_context`: spans.
//! - `counter`, `histogram`, `traffic`, `occupancy`: what the I/O threads count, of apps and of connections; `monitor` makes
//!   rates of it (`seen`), `metrics` text for Prometheus; `machine`: what is in use of the box.

pub(crate) mod counter;
pub(crate) mod histogram;
pub(crate) mod log;
pub(crate) mod machine;
pub(crate) mod metrics;
pub(crate) mod monitor;
pub(crate) mod occupancy;
pub(crate) mod record;
pub(crate) mod seen;
pub(crate) mod trace_context;
pub(crate) mod traces;
pub(crate) mod traffic;
