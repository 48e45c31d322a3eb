//! The counters of an app at one moment, for the monitor and the metrics.

use std::collections::BTreeMap;

use nano_protocol::message::Stats;

use crate::api::status::AssetsStatus;
use crate::api::usage::Usage;
use crate::model::ids::AppId;
use crate::model::run_outcome::RunOutcome;
use crate::model::state::AppState;
use crate::telemetry::traffic::Totals;

/// The counters of an app at one moment.
#[derive(Debug)]
pub(crate) struct AppCounts {
    pub app: AppId,
    /// Counters of the I/O threads.
    pub totals: Totals,
    /// CPU time and memory of its worker.
    pub usage: Usage,
    /// Process id of its worker.
    pub pid: Option<u32>,
}

/// The values of an app for the metrics.
#[derive(Debug)]
pub(crate) struct Gauges {
    pub name: String,
    pub state: AppState,
    /// Requests in flight or waiting.
    pub in_flight: usize,
    /// Limit of requests in flight.
    pub max_in_flight: usize,
    /// Open WebSockets of clients.
    pub websockets: usize,
    /// Limit of open WebSockets.
    pub max_websockets: usize,
    /// Limit of waiting requests.
    pub max_queue: usize,
    pub waiting: usize,
    /// Buffered body bytes.
    pub buffered: u64,
    /// Limit of buffered body bytes.
    pub max_buffered: u64,
    /// Limit of blocking calls of its worker, active and waiting.
    pub max_blocking: u32,
    /// Limit of outbound connections of its worker.
    pub max_outbound: u32,
    /// Workers started after the first.
    pub starts: u64,
    /// Unexpected worker exits, by cause.
    pub ends: BTreeMap<&'static str, u64>,
    /// Statistics that its worker reports.
    pub stats: Stats,
    /// Its static files, and how many bytes of them are in memory. `None` if it has none.
    pub assets: Option<AssetsStatus>,
    pub crons: Vec<CronGauges>,
    /// Its counters.
    pub seen: AppCounts,
}

/// The values of one cron of an app for the metrics.
#[derive(Debug)]
pub(crate) struct CronGauges {
    pub cron: String,
    /// Runs, by the number of their outcome.
    pub runs: [u64; RunOutcome::COUNT],
    /// When the last run began, in seconds since 1970.
    pub last_began: Option<f64>,
}
