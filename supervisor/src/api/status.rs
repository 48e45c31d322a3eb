//! What people and programs are told of an app.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::api::crash::Suspect;
use crate::model::state::AppState;

/// One app.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AppStatus {
    /// Name.
    pub app: String,
    /// Where it is in its life.
    pub state: AppState,
    /// Process id of its worker.
    pub pid: Option<u32>,
    /// Seconds since the worker became ready.
    pub uptime_seconds: Option<u64>,
    /// Requests in flight or waiting.
    pub in_flight: usize,
    /// Workers that were ready and ended unasked.
    pub crashes: u64,
    /// Starts since the last worker that was ready, none of which came to that.
    #[serde(default)]
    pub failed_starts: u64,
    /// Workers started after the first because somebody wanted it so, the configuration has changed, or the one before was
    /// worn; not those after a crash or by a deploy.
    pub restarts: u64,
    /// Workers started after the first by a deploy or a rollback.
    pub deploys: u64,
    /// Why the last worker ended.
    pub last_exit: Option<String>,
    /// When, in UTC, as RFC 3339 has it.
    pub last_exit_at: Option<String>,
    /// Whether the next worker waits for its turn to be started (`max_starts_per_second`).
    pub waits_for_turn: bool,
    /// In how many milliseconds the next worker is started, while the app rests.
    pub retry_in_ms: Option<u64>,
    /// For how many milliseconds the worker has not returned to its event loop, if that is long.
    pub busy_ms: Option<u64>,
    /// Why it does not live by its configuration, a line for each problem; it goes on as it was, or has failed.
    #[serde(default)]
    pub problem: Option<String>,
    /// V8 heap in use, in bytes, at the last ping.
    pub heap_used: u64,
    /// V8 heap limit, in bytes.
    pub heap_limit: u64,
    /// Resident memory of the worker that is its own, in bytes.
    pub memory: u64,
    /// How much that may be, in bytes, if there is a limit.
    pub memory_limit: Option<u64>,
    /// All resident memory of the worker, in bytes.
    pub rss: u64,
    /// CPU time of the worker, in seconds.
    pub cpu_seconds: f64,
    /// Responses since the app came.
    pub requests: u64,
    /// Responses of class 5xx since the app came.
    pub errors: u64,
    /// What it has been doing lately.
    #[serde(flatten)]
    pub rates: Rates,
    /// The address it listens on.
    pub listen: String,
    /// The hosts it serves; all if empty.
    pub hosts: Vec<String>,
}

/// What is told of one app beyond its status.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AppDetail {
    /// Its status.
    #[serde(flatten)]
    pub status: AppStatus,
    /// The folder it is served from.
    pub folder: String,
    /// Its entry module, relative to the folder.
    pub entry: String,
    /// The limits in force, by field, as the configuration would have them.
    pub limits: BTreeMap<String, String>,
    /// Which requests are suspected of ending its workers, or refused for it.
    #[serde(default)]
    pub suspects: Vec<Suspect>,
}

/// A worker that has no app yet.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct SpareStatus {
    /// Its process id.
    pub pid: u32,
    /// Its resident memory that is its own, in bytes.
    pub memory: u64,
}

/// What `GET /v1/status` answers.
#[derive(Debug, Serialize, Deserialize)]
pub struct Status {
    /// Version of the supervisor.
    pub version: String,
    /// Its process id.
    pub pid: u32,
    /// Whether it serves, in one word.
    #[serde(default)]
    pub phase: Phase,
    /// The workers that have no app yet.
    pub spares: Vec<SpareStatus>,
    /// Whether and where the kernel holds workers to their limits.
    pub cgroups: CgroupStatus,
    /// Every app.
    pub apps: Vec<AppStatus>,
}

/// Where a supervisor is in its life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Not every app was tried yet.
    Starting,
    /// It serves. One that does not say where it is has no other phase: it is of a version before there were any.
    #[default]
    #[serde(rename = "ready")]
    Serving,
    /// It accepts nothing new.
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

/// What people and programs are told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CgroupStatus {
    /// The group that is divided among the workers.
    pub path: Option<String>,
    /// What the kernel holds them to there.
    pub controllers: Vec<String>,
    /// Why there is none, for people.
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

/// What is in use, and what there is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MachineStatus {
    /// Memory in use, in bytes, without what the kernel gives back at once; none if it does not say.
    pub memory: Option<u64>,
    /// Memory that there is, in bytes, or that a control group allows.
    pub memory_limit: Option<u64>,
    /// CPU time in use, in percent of all cores; none until it has been looked at twice.
    pub cpu_percent: Option<f64>,
    /// Cores.
    pub cores: usize,
}

/// What an app has been doing lately.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// Responses per second, over the last ten.
    pub requests_per_second: f64,
    /// Of these, those of class 5xx.
    pub errors_per_second: f64,
    /// Half of the response heads of the last minute came within this, in milliseconds; none without any.
    pub p50_ms: Option<f64>,
    /// 99 % of them came within this.
    pub p99_ms: Option<f64>,
    /// CPU time of the worker over the last ten seconds, in percent of one core.
    pub cpu_percent: f64,
}
