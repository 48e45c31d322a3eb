//! What is counted of an app at one moment, for the monitor and the metrics.

use std::collections::BTreeMap;

use nano_protocol::message::Stats;

use crate::api::usage::Usage;
use crate::model::ids::AppId;
use crate::model::state::AppState;
use crate::telemetry::traffic::Totals;

/// What is counted of an app at one moment.
#[derive(Debug)]
pub(crate) struct AppCounts {
    /// The app.
    pub app: AppId,
    /// What the I/O threads have counted.
    pub totals: Totals,
    /// What its worker uses.
    pub usage: Usage,
    /// Its worker.
    pub pid: Option<u32>,
}

/// What the metrics say of an app.
#[derive(Debug)]
pub(crate) struct Gauges {
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: AppState,
    /// Requests in flight or waiting.
    pub in_flight: usize,
    /// Requests that there may be in flight.
    pub max_in_flight: usize,
    /// Requests that may wait.
    pub max_queue: usize,
    /// Requests that wait for a worker.
    pub waiting: usize,
    /// Bytes of bodies that are held.
    pub buffered: u64,
    /// Bytes of bodies that may be held.
    pub max_buffered: u64,
    /// Blocking calls that its worker may have under way or waiting.
    pub max_blocking: u32,
    /// Outbound connections that its worker may have.
    pub max_outbound: u32,
    /// Workers started after the first.
    pub starts: u64,
    /// How workers have ended unasked, by cause.
    pub ends: BTreeMap<&'static str, u64>,
    /// What its worker says of itself.
    pub stats: Stats,
    /// What is counted of it.
    pub seen: AppCounts,
}
