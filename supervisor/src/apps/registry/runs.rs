//! Records when crons are due, and how their runs end.

use std::time::SystemTime;

use super::Registry;
use super::crons::CronRecord;
use crate::api::schedule::RunReport;
use crate::config::Cron;
use crate::model::ids::AppId;
use crate::model::run_outcome::RunOutcome;
use crate::telemetry::traffic::Limit;

impl Registry {
    /// Sets the crons of an app. What is known of those that it had already is kept.
    pub(crate) fn set_crons(&self, app: AppId, crons: &[Cron]) {
        self.with(app, |record| {
            let mut before = std::mem::take(&mut record.crons);
            let records = crons.iter().map(|cron| {
                let known = before.iter().position(|known| known.cron == cron.as_str());
                known.map_or_else(|| CronRecord::new(cron), |known| before.swap_remove(known))
            });
            record.crons = records.collect();
        });
    }

    /// Sets when a cron is due next; `None` if that is unknown.
    pub(crate) fn cron_is_due(&self, app: AppId, cron: &str, next: Option<SystemTime>) {
        self.with_cron(app, cron, |record| record.next = next);
    }

    /// Records that a cron runs.
    pub(crate) fn run_began(&self, app: AppId, cron: &str, at: SystemTime) {
        self.with_cron(app, cron, |record| record.running = Some(at));
    }

    /// Records how a run has ended that began at `began`.
    pub(crate) fn run_ended(&self, app: AppId, report: RunReport, began: SystemTime) {
        if report.outcome == RunOutcome::TimedOut {
            self.with(app, |record| record.traffic.count_broken(Limit::Scheduled, 1));
        }
        let cron = report.cron.clone();
        self.with_cron(app, &cron, |record| {
            record.runs[report.outcome as usize] += 1;
            (record.running, record.last_began, record.last) = (None, Some(began), Some(report));
        });
    }

    /// Counts a run that did not begin because the one before it was not over.
    pub(crate) fn run_skipped(&self, app: AppId, cron: &str) {
        self.with_cron(app, cron, |record| record.runs[RunOutcome::Skipped as usize] += 1);
    }

    fn with_cron(&self, app: AppId, cron: &str, act: impl FnOnce(&mut CronRecord)) {
        self.with(app, |record| {
            if let Some(known) = record.crons.iter_mut().find(|known| known.cron == cron) {
                act(known);
            }
        });
    }
}
