//! Telemetry: logs, metrics and traces.
//!
//! - `log`: log lines of the supervisor, its workers and every request (`record`).
//! - `traces`, `trace_context`: spans of requests.
//! - `counter`, `histogram`, `traffic`, `occupancy`: counters of the I/O threads, by app and for all connections; `seen`:
//!   their values at one moment; `monitor` derives rates, `metrics` the text for Prometheus; `machine`: memory and CPU of the
//!   host.

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
