//! What is known of one cron of an app, and of its runs.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::api::schedule::{CronStatus, RunReport};
use crate::config::Cron;
use crate::model::run_outcome::RunOutcome;
use crate::telemetry::seen::CronGauges;

/// What is known of one cron of an app.
#[derive(Debug)]
pub(super) struct CronRecord {
    pub(super) cron: String,
    /// When it is due next.
    pub(super) next: Option<SystemTime>,
    /// When the run in progress began.
    pub(super) running: Option<SystemTime>,
    pub(super) last: Option<RunReport>,
    /// When its last run began.
    pub(super) last_began: Option<SystemTime>,
    /// How many runs there were, by the number of their outcome.
    pub(super) runs: [u64; RunOutcome::COUNT],
}

impl CronRecord {
    pub(super) fn new(cron: &Cron) -> Self {
        let cron = cron.as_str().to_owned();
        Self { cron, next: None, running: None, last: None, last_began: None, runs: [0; RunOutcome::COUNT] }
    }

    pub(super) fn status(&self) -> CronStatus {
        let shown = |time| humantime::format_rfc3339_seconds(time).to_string();
        CronStatus {
            cron: self.cron.clone(),
            next_at: self.next.map(shown),
            running_since: self.running.map(shown),
            last: self.last.clone(),
        }
    }

    pub(super) fn gauges(&self) -> CronGauges {
        let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        CronGauges { cron: self.cron.clone(), runs: self.runs, last_began: self.last_began.map(seconds) }
    }
}
