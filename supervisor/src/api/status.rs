//! The status of a supervisor and its apps.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::api::crash::Suspect;
use crate::api::schedule::CronStatus;
use crate::model::state::AppState;

/// The status of one app.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AppStatus {
    /// The app's name.
    pub app: String,
    /// The app's state.
    pub state: AppState,
    /// Process id of its worker.
    pub pid: Option<u32>,
    /// Seconds since the worker became ready.
    pub uptime_seconds: Option<u64>,
    /// Requests in flight or waiting.
    pub in_flight: usize,
    /// WebSockets that clients have open.
    pub websockets: usize,
    /// Workers that were ready and ended without being told to.
    pub crashes: u64,
    /// Failed starts since the last worker that was ready.
    #[serde(default)]
    pub failed_starts: u64,
    /// Workers started after the first by an operator, a change of the configuration, or because the one before had grown too
    /// much; not those after a crash or by a deploy.
    pub restarts: u64,
    /// Workers started after the first by a deploy or a rollback.
    pub deploys: u64,
    /// Why the last worker ended.
    pub last_exit: Option<String>,
    /// When the last worker ended, in UTC, as RFC 3339.
    pub last_exit_at: Option<String>,
    /// Whether the start of the next worker is delayed by `max_starts_per_second`.
    pub waits_for_turn: bool,
    /// In how many milliseconds the next worker is started, while the app backs off.
    pub retry_in_ms: Option<u64>,
    /// For how many milliseconds the worker has not returned to its event loop, if that is notably long.
    pub busy_ms: Option<u64>,
    /// Why the app does not run as configured, one line per problem. It runs as it did before, or has failed.
    #[serde(default)]
    pub problem: Option<String>,
    /// V8 heap in use, in bytes, as the worker last reported it.
    pub heap_used: u64,
    /// V8 heap limit, in bytes.
    pub heap_limit: u64,
    /// Resident memory of the worker that it does not share with files, in bytes.
    pub memory: u64,
    /// The limit of that (`memory`), in bytes, if there is one.
    pub memory_limit: Option<u64>,
    /// All resident memory of the worker, in bytes.
    pub rss: u64,
    /// CPU time of the worker, in seconds.
    pub cpu_seconds: f64,
    /// Responses since the app was added.
    pub requests: u64,
    /// Responses of class 5xx since the app was added.
    pub errors: u64,
    /// Recent rates and latencies.
    #[serde(flatten)]
    pub rates: Rates,
    /// The address it listens on.
    pub listen: String,
    /// The hosts it serves; all if empty.
    pub hosts: Vec<String>,
    /// Its crons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crons: Vec<CronStatus>,
    /// Its static files, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assets: Option<AssetsStatus>,
}

/// The static files of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetsStatus {
    /// How many there are.
    pub files: usize,
    /// Bytes of them that are kept in memory, as they are and compressed.
    pub memory: usize,
}

/// The details of one app.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AppDetail {
    /// The app's status.
    #[serde(flatten)]
    pub status: AppStatus,
    /// The folder that the app is served from.
    pub folder: String,
    /// The entry module, relative to the folder.
    pub entry: String,
    /// The limits in force: by setting, the value as a configuration would spell it.
    pub limits: BTreeMap<String, String>,
    /// Kinds of requests that are suspected of ending workers of the app, or refused because of that.
    #[serde(default)]
    pub suspects: Vec<Suspect>,
}

/// A spare: a worker process that has no app yet.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct SpareStatus {
    /// Process id.
    pub pid: u32,
    /// Resident memory that it does not share with files, in bytes.
    pub memory: u64,
}

/// The response to `GET /v1/status`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Status {
    /// Version of the supervisor.
    pub version: String,
    /// Process id of the supervisor.
    pub pid: u32,
    /// Whether it starts, serves or drains.
    #[serde(default)]
    pub phase: Phase,
    /// The worker processes that have no app yet.
    pub spares: Vec<SpareStatus>,
    /// The control groups of the workers.
    pub cgroups: CgroupStatus,
    /// Every app.
    pub apps: Vec<AppStatus>,
}

/// The phase of a supervisor's life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Not every app has been tried yet.
    Starting,
    /// It serves. The default, because older supervisors report no phase.
    #[default]
    #[serde(rename = "ready")]
    Serving,
    /// It accepts no new connections.
    Draining,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Starting => "starting",
            Self::Serving => "ready",
            Self::Draining => "draining",
        })
    }
}

/// Whether and where the kernel enforces the limits of workers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CgroupStatus {
    /// The control group that has the groups of the workers below it, if there is one.
    pub path: Option<String>,
    /// The controllers that are enabled there.
    pub controllers: Vec<String>,
    /// Why there is none, as text.
    pub why_not: Option<String>,
}

impl fmt::Display for CgroupStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.path, &self.why_not) {
            (Some(path), _) => write!(f, "{} in {path}", self.controllers.join(", ")),
            (None, why) => write!(f, "none: {}", why.as_deref().unwrap_or_default()),
        }
    }
}

/// Memory and CPU of the machine or the container.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MachineStatus {
    /// Memory in use, in bytes, without what the kernel can reclaim at once; none if it is unknown.
    pub memory: Option<u64>,
    /// Total memory, in bytes, or the limit of the control group.
    pub memory_limit: Option<u64>,
    /// CPU time in use, in percent of all cores; none until there are two samples.
    pub cpu_percent: Option<f64>,
    /// Number of cores.
    pub cores: usize,
}

/// Recent rates and latencies of an app.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// Responses per second, over the last ten seconds.
    pub requests_per_second: f64,
    /// Responses of class 5xx per second, over the last ten seconds.
    pub errors_per_second: f64,
    /// Median time to the response head over the last minute, in milliseconds; none without requests.
    pub p50_ms: Option<f64>,
    /// 99th percentile of the same, in milliseconds.
    pub p99_ms: Option<f64>,
    /// CPU time of the worker over the last ten seconds, in percent of one core.
    pub cpu_percent: f64,
}
