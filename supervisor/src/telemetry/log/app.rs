//! The log of one app, limited by `log_rate`. The limit is enforced here: workers are not trusted to do so.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

use nano_protocol::message::LogRecord;
use tracing::warn;

use super::rate::Gate;
use crate::config::{AppName, AppSpec};
use crate::telemetry::traffic::{Limit, Traffic};

/// The log of one app, shared by all its workers.
#[derive(Debug)]
pub(crate) struct AppLog {
    app: AppName,
    traffic: Arc<Traffic>,
    gate: RefCell<Gate>,
}

impl AppLog {
    pub(crate) fn new(spec: &AppSpec, traffic: Arc<Traffic>) -> Self {
        let gate = RefCell::new(Gate::new(spec.limits.log_rate, Instant::now()));
        Self { app: spec.name.clone(), traffic, gate }
    }

    /// The traffic counters of the app.
    pub(crate) fn traffic(&self) -> &Arc<Traffic> {
        &self.traffic
    }

    /// Applies a new limit.
    pub(crate) fn configure(&self, spec: &AppSpec) {
        self.gate.borrow_mut().configure(spec.limits.log_rate);
    }

    /// Logs a line that the app printed, or its worker on its behalf.
    pub(crate) fn record(&self, record: &LogRecord) {
        if self.admits(record.message.len()) {
            super::app_record(&self.app, record);
        }
    }

    /// Logs a line that a worker wrote to standard error.
    pub(crate) fn stderr(&self, line: &str) {
        if self.admits(line.len()) {
            super::worker_stderr(Some(&self.app), line);
        }
    }

    /// Logs how many lines were dropped, if the limit allows lines again.
    pub(crate) fn catch_up(&self) {
        let dropped = self.gate.borrow_mut().take_dropped(Instant::now());
        self.report(dropped);
    }

    /// Logs how many lines were dropped, at the end of a worker.
    pub(crate) fn conclude(&self) {
        let dropped = self.gate.borrow_mut().take_rest();
        self.report(dropped);
    }

    fn admits(&self, length: usize) -> bool {
        self.catch_up();
        let admits = self.gate.borrow_mut().admits(length, Instant::now());
        if !admits {
            self.traffic.count_broken(Limit::LogRate, 1);
        }
        admits
    }

    fn report(&self, dropped: Option<u64>) {
        let Some(dropped) = dropped else { return };
        let app = &self.app;
        warn!(%app, "dropped {dropped} log lines: the app logs more than it may (`log_rate`)");
    }
}
