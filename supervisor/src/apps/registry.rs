//! What is known of every app and its workers. An app's state changes only here; [`state`](crate::model::state) defines the
//! allowed changes.
//!
//! - `crons` holds what is known of crons, and `runs` records it.
//! - `workers` holds the ready workers of an app; [`starts`] counts how many were started.
//! - [`failing`] decides what is logged about an app that keeps failing.
//! - `shown` builds what operators and metrics see; [`seen`](crate::telemetry::seen) defines the counts.

mod crons;
pub(crate) mod failing;
mod runs;
mod shown;
pub(crate) mod starts;
mod workers;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use nano_protocol::message::Stats;
use tracing::{error, info, warn};

use crate::api::crash::Crash;
use crate::api::status::{AppDetail, AppStatus};
use crate::api::usage::Usage;
use crate::config::AppSpec;
use crate::model::exit_reason::ExitReason;
use crate::model::ids::{AppId, WorkerId};
use crate::model::state::AppState;
use crate::telemetry::monitor::Monitor;
use crate::telemetry::seen::{AppCounts, Gauges};
use crate::telemetry::traffic::{Limit, Traffic};
use crons::CronRecord;
use failing::Failing;

use starts::Starts;
use workers::{ReadyWorker, Workers};

/// What the registry knows of one app.
#[derive(Debug)]
struct AppRecord {
    spec: Arc<AppSpec>,
    traffic: Arc<Traffic>,
    /// The address that it listens on, with the actual port where port 0 is configured.
    address: Option<SocketAddr>,
    state: AppState,
    workers: Workers,
    /// How many workers were started after the first, by reason.
    starts: Starts,
    /// Why the last worker ended, and when.
    last_exit: Option<(ExitReason, SystemTime)>,
    /// The reason for which it keeps failing.
    failing: Failing,
    /// What keeps it from running with its configuration.
    problem: Option<Arc<str>>,
    /// When the next start is due, while no worker runs.
    retry: Option<Instant>,
    /// When the current start of a worker began.
    starting: Option<Instant>,
    /// When its first worker was started.
    first_start: Option<Instant>,
    waits_for_turn: bool,
    /// How many workers have ended, by cause.
    ends: BTreeMap<&'static str, u64>,
    /// How many workers have crashed after they had become ready.
    crashes: u64,
    /// How many starts have failed since a worker last became ready.
    failed_starts: u64,
    /// Its crons, in the order of the configuration.
    crons: Vec<CronRecord>,
}

/// The records of all apps. Cheap to clone. Lives on the main thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct Registry {
    records: Rc<RefCell<BTreeMap<AppId, AppRecord>>>,
    last: Rc<Cell<u32>>,
}

impl Registry {
    /// Adds an app in the state stopped. The I/O threads count its requests in `traffic`.
    pub(crate) fn add(&self, spec: Arc<AppSpec>, traffic: Arc<Traffic>) -> AppId {
        let app = AppId(self.last.get() + 1);
        self.last.set(app.0);
        let record = AppRecord {
            spec,
            traffic,
            address: None,
            state: AppState::Stopped,
            workers: Workers::default(),
            starts: Starts::default(),
            last_exit: None,
            failing: Failing::default(),
            problem: None,
            retry: None,
            starting: None,
            first_start: None,
            waits_for_turn: false,
            ends: BTreeMap::new(),
            crashes: 0,
            failed_starts: 0,
            crons: Vec::new(),
        };
        self.records.borrow_mut().insert(app, record);
        app
    }

    pub(crate) fn remove(&self, app: AppId) {
        self.records.borrow_mut().remove(&app);
    }

    /// Sets the configuration of an app.
    pub(crate) fn configure(&self, app: AppId, spec: Arc<AppSpec>) {
        self.with(app, |record| record.spec = spec);
    }

    /// Sets what keeps an app from running with its configuration; `None` if nothing does.
    pub(crate) fn set_problem(&self, app: AppId, problem: Option<Arc<str>>) {
        self.with(app, |record| record.problem = problem);
    }

    /// Sets the address that an app listens on.
    pub(crate) fn listening(&self, app: AppId, address: SocketAddr) {
        self.with(app, |record| record.address = Some(address));
    }

    /// Records that a worker is being started.
    pub(crate) fn starting(&self, app: AppId) {
        if self.state(app) != Some(AppState::Starting) {
            self.change(app, AppState::Starting, |record| {
                record.retry = None;
                record.starting = Some(Instant::now());
                record.first_start = record.first_start.or(record.starting);
            });
        }
    }

    /// Records that a worker is ready, `took` after its process `pid` was started. It replaces the worker of the generation
    /// `replaces`, if given.
    pub(crate) fn ready(&self, (app, generation): WorkerId, pid: u32, replaces: Option<u64>, took: Duration) {
        self.change(app, AppState::Ready, |record| {
            let before = record.pid();
            record.workers.ready(generation, pid, replaces);
            record.failing = Failing::default();
            record.failed_starts = 0;
            let (app, state) = (&record.spec.name, AppState::Ready);
            info!(%app, %state, pid, replaces = before, ms = took.as_millis() as u64, "worker ready");
        });
    }

    /// Records that an app of static files alone is ready.
    pub(crate) fn ready_without_worker(&self, app: AppId) {
        self.change(app, AppState::Ready, |record| {
            record.workers.gone();
            record.failing = Failing::default();
            record.failed_starts = 0;
            let (app, state) = (&record.spec.name, AppState::Ready);
            info!(%app, %state, "static files ready");
        });
    }

    /// Logs that the replacement of a worker did not become ready. The app's state does not change.
    pub(crate) fn kept(&self, app: AppId, reason: &ExitReason) {
        self.with(app, |record| {
            let (app, pid) = (&record.spec.name, record.pid());
            // Someone who develops an app has asked for the new worker, so this is no warning.
            match record.spec.settings.development {
                true => info!(%app, pid, %reason, "the new worker is not ready"),
                false => warn!(%app, pid, %reason, "the new worker is not ready; the one before it stays"),
            }
        });
    }

    /// Records the end of a worker that was told to drain. `crash` is the report if it did not end cleanly.
    pub(crate) fn retired(
        &self,
        (app, generation): WorkerId,
        pid: u32,
        reason: &ExitReason,
        crash: Option<&Crash>,
    ) {
        self.with(app, |record| {
            let is_last = record.workers.retired(generation);
            let app = &record.spec.name;
            let which = if is_last { "draining" } else { "replaced" };
            let Some(crash) = crash else {
                info!(%app, pid, %reason, "{which} worker ended");
                return;
            };
            let (request_id, method, path) = crash.blamed();
            let lost = crash.lost();
            warn!(%app, request_id, method, path, pid, %reason, lost, "{which} worker ended");
            record.count_end(reason, crash);
            if is_last {
                record.last_exit = Some((reason.clone(), SystemTime::now()));
            }
        });
    }

    /// Records that the app's worker drains.
    pub(crate) fn draining(&self, app: AppId) {
        self.change(app, AppState::Draining, |record| {
            let (app, state, pid) = (&record.spec.name, AppState::Draining, record.pid().unwrap_or_default());
            info!(%app, %state, pid, "worker draining");
        });
    }

    /// Records the unexpected exit of a worker. `worker` is `None` if it had not become ready.
    pub(crate) fn crashed(&self, app: AppId, worker: Option<WorkerId>, reason: &ExitReason, crash: &Crash) {
        self.change(app, AppState::Crashed, |record| {
            let pid = worker.and_then(|(_, generation)| record.workers.crashed(generation));
            let (app, state) = (&record.spec.name, AppState::Crashed);
            let (request_id, method, path) = crash.blamed();
            let (heap, memory, cpu_ms) =
                (crash.heap_used, crash.usage.memory, crash.usage.cpu.as_millis() as u64);
            let lost = crash.lost();
            if record.failing.is_logged(reason) {
                warn!(
                    %app, %state, request_id, method, path, pid, %reason, lost, heap, memory, cpu_ms,
                    "worker ended"
                );
            }
            record.count_end(reason, crash);
            record.starts.note_crash(true);
            record.gone(Some(reason));
        });
    }

    /// Records that the next worker is started after `pause`.
    pub(crate) fn backing_off(&self, app: AppId, pause: Duration) {
        self.change(app, AppState::BackingOff, |record| {
            let (app, state) = (&record.spec.name, AppState::BackingOff);
            info!(%app, %state, pause_ms = pause.as_millis() as u64, "restart delayed");
            record.retry = Some(Instant::now() + pause);
        });
    }

    /// Records that the app has failed and is tried again after `pause`.
    pub(crate) fn failed(&self, app: AppId, reason: &ExitReason, pause: Duration) {
        self.change(app, AppState::Failed, |record| {
            let (app, state) = (&record.spec.name, AppState::Failed);
            let retry_in_ms = milliseconds(pause);
            match record.failing.again(reason) {
                1 => error!(%app, %state, %reason, retry_in_ms, "app failed"),
                times if times.is_power_of_two() => {
                    warn!(%app, %state, times, retry_in_ms, "app still fails, for the same reason");
                }
                _ => {}
            }
            record.gone(Some(reason));
            record.retry = Some(Instant::now() + pause);
        });
    }

    /// Sets when a failed app is tried again.
    pub(crate) fn retries(&self, app: AppId, at: Option<Instant>) {
        self.with(app, |record| record.retry = at);
    }

    /// Records that the app's files cannot be loaded, as reported by whoever watches them.
    pub(crate) fn broken(&self, app: AppId, why: &str) {
        self.change(app, AppState::Failed, |record| {
            record.gone(Some(&ExitReason::LoadFailed(why.to_owned())))
        });
    }

    /// Records that the app has no worker and that none will be started.
    pub(crate) fn stopped(&self, app: AppId) {
        if self.state(app) == Some(AppState::Stopped) {
            return;
        }
        self.change(app, AppState::Stopped, |record| {
            let (app, state) = (&record.spec.name, AppState::Stopped);
            info!(%app, %state, "app stopped");
            record.failing = Failing::default();
            record.failed_starts = 0;
            record.gone(None);
            record.starts.note_crash(false);
        });
    }

    /// Counts the start of a worker that is not the app's first.
    pub(crate) fn count_restart(&self, app: AppId) {
        self.with(app, |record| record.starts.count());
    }

    /// Does the same as [`Self::count_restart`] for a worker that was started by a deploy.
    pub(crate) fn count_deploy(&self, app: AppId) {
        self.with(app, |record| record.starts.count_deploy());
    }

    /// Sets since when a worker has not answered a ping; `None` if it owes no answer.
    pub(crate) fn record_unanswered(&self, worker: WorkerId, since: Option<Instant>) {
        self.with_worker(worker, |worker| worker.unanswered = since);
    }

    /// Counts the end of a worker of the app.
    pub(crate) fn count_end(&self, app: AppId, reason: &ExitReason) {
        if *reason == ExitReason::CpuTime {
            self.with(app, |record| record.traffic.count_broken(Limit::CpuTime, 1));
        }
    }

    /// Records the stats that a worker has reported.
    pub(crate) fn record_stats(&self, worker: WorkerId, stats: Stats) {
        self.with_worker(worker, |worker| worker.stats = stats);
    }

    /// Records the usage of a worker as measured by the kernel.
    pub(crate) fn record_usage(&self, worker: WorkerId, usage: Usage) {
        self.with_worker(worker, |worker| worker.usage = usage);
    }

    /// Logs that a worker is about to be recycled.
    pub(crate) fn recycling(&self, app: AppId, why: &str) {
        self.with(app, |record| info!(app = %record.spec.name, pid = record.pid(), %why, "recycling"));
    }

    /// Returns whether a worker is being started, and has been for less than `most`.
    pub(crate) fn is_any_starting(&self, most: Duration) -> bool {
        let is_new = |record: &AppRecord| record.starting.is_none_or(|since| since.elapsed() < most);
        self.records.borrow().values().any(|record| record.state == AppState::Starting && is_new(record))
    }

    /// Returns whether requests wait for a worker of the app.
    pub(crate) fn has_requests_waiting(&self, app: AppId) -> bool {
        self.records.borrow().get(&app).is_some_and(|record| record.traffic.waiting() > 0)
    }

    /// Sets whether the app's next start waits for its turn.
    pub(crate) fn waits_for_turn(&self, app: AppId, waits: bool) {
        self.with(app, |record| {
            if waits {
                let app = &record.spec.name;
                warn!(%app, "the next start waits for its turn (`max_starts_per_second`)");
                record.traffic.count_broken(Limit::Starts, 1);
            }
            record.waits_for_turn = waits;
        });
    }

    /// Returns whether every app is ready, has failed, is stopped, or has had its time to become ready.
    pub(crate) fn are_all_tried(&self) -> bool {
        self.records.borrow().values().all(AppRecord::is_tried)
    }

    pub(crate) fn states(&self) -> Vec<AppState> {
        self.records.borrow().values().map(|record| record.state).collect()
    }

    /// Returns the state of an app, if there is one with this id.
    pub(crate) fn state(&self, app: AppId) -> Option<AppState> {
        self.records.borrow().get(&app).map(|record| record.state)
    }

    /// Returns the status of every app, in the order in which they were added.
    pub(crate) fn status(&self, monitor: &Monitor) -> Vec<AppStatus> {
        let records = self.records.borrow();
        records.iter().map(|(app, record)| record.status(monitor.rates(*app))).collect()
    }

    /// Returns the full status of one app, or `None` if there is no such app.
    pub(crate) fn detail(&self, monitor: &Monitor, name: &str) -> Option<AppDetail> {
        let app = self.find(name)?;
        let records = self.records.borrow();
        let record = records.get(&app)?;
        let limits = record.spec.limits.shown();
        Some(AppDetail {
            status: record.status(monitor.rates(app)),
            folder: record.spec.root.display().to_string(),
            entry: match record.spec.has_worker() {
                true => record.spec.entry.display().to_string(),
                false => "none, static files alone".to_owned(),
            },
            limits: limits.into_iter().map(|(field, limit)| (field.to_owned(), limit)).collect(),
            suspects: Vec::new(),
        })
    }

    /// Returns the id of the app with this name.
    pub(crate) fn find(&self, name: &str) -> Option<AppId> {
        let records = self.records.borrow();
        records.iter().find(|(_, record)| record.spec.name.as_str() == name).map(|(app, _)| *app)
    }

    /// Returns the counts of every app.
    pub(crate) fn seen(&self) -> Vec<AppCounts> {
        self.records.borrow().iter().map(|(app, record)| record.seen(*app)).collect()
    }

    /// Returns the values of every app for the metrics.
    pub(crate) fn gauges(&self) -> Vec<Gauges> {
        self.records.borrow().iter().map(|(app, record)| record.gauges(*app)).collect()
    }

    fn change(&self, app: AppId, next: AppState, then: impl FnOnce(&mut AppRecord)) {
        self.with(app, |record| {
            if !record.state.may_become(next) {
                let (app, from) = (&record.spec.name, record.state);
                error!(%app, %from, to = %next, "impossible change of state (a bug in the supervisor)");
            }
            record.state = next;
            then(record);
        });
    }

    fn with_worker(&self, (app, generation): WorkerId, act: impl FnOnce(&mut ReadyWorker)) {
        self.with(app, |record| {
            if let Some(worker) = record.workers.get(generation) {
                act(worker);
            }
        });
    }

    fn with(&self, app: AppId, act: impl FnOnce(&mut AppRecord)) {
        if let Some(record) = self.records.borrow_mut().get_mut(&app) {
            act(record);
        }
    }
}

impl AppRecord {
    /// Returns the process id of the latest worker.
    fn pid(&self) -> Option<u32> {
        self.workers.latest().map(|worker| worker.pid)
    }

    fn is_tried(&self) -> bool {
        // Each worker that never becomes ready takes the whole of `start_timeout`.
        let had_its_time = |since: Instant| since.elapsed() >= self.spec.limits.start_timeout;
        matches!(self.state, AppState::Ready | AppState::Failed | AppState::Stopped)
            || (!self.ends.is_empty() && self.first_start.is_some_and(had_its_time))
    }

    fn count_end(&mut self, reason: &ExitReason, crash: &Crash) {
        *self.ends.entry(reason.cause()).or_default() += 1;
        let count = if crash.was_ready() { &mut self.crashes } else { &mut self.failed_starts };
        *count += 1;
    }

    fn gone(&mut self, reason: Option<&ExitReason>) {
        self.workers.gone();
        self.retry = None;
        // If the app is given up because of the end that was recorded already, that record stays.
        if let Some(reason) = reason.filter(|reason| {
            self.state == AppState::Crashed || self.last_exit.as_ref().is_none_or(|(last, _)| last != *reason)
        }) {
            self.last_exit = Some((reason.clone(), SystemTime::now()));
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
