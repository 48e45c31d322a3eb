//! Every app and what is known of its workers. The one place where an app's state changes:
//! [`state`](crate::model::state) says which changes there are.
//!
//! - `workers`: those that there are; [`starts`] counts how many there were.
//! - [`failing`]: what is said of an app that goes on failing.
//! - `shown`: what people and programs are told; [`seen`](crate::telemetry::seen) is what is counted.

pub(crate) mod failing;
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
use failing::Failing;

use starts::Starts;
use workers::{ReadyWorker, Workers};

/// One app.
#[derive(Debug)]
struct AppRecord {
    spec: Arc<AppSpec>,
    traffic: Arc<Traffic>,
    /// Where it listens in fact, which port 0 leaves open.
    address: Option<SocketAddr>,
    state: AppState,
    workers: Workers,
    /// Workers after the first, by why they were started.
    starts: Starts,
    /// Why the last worker ended, and when.
    last_exit: Option<(ExitReason, SystemTime)>,
    /// What it fails with.
    failing: Failing,
    /// What keeps it from living by its configuration.
    problem: Option<Arc<str>>,
    /// When the next start is to be, while the app rests.
    retry: Option<Instant>,
    /// Since when a worker is being started, while one is.
    starting: Option<Instant>,
    /// When its first worker was started.
    first_start: Option<Instant>,
    /// Whether the next start waits for its turn.
    waits_for_turn: bool,
    /// How workers have ended, by cause.
    ends: BTreeMap<&'static str, u64>,
    /// How many of these ended after they had become ready.
    crashes: u64,
    /// Starts since the last worker that was ready, none of which came to that.
    failed_starts: u64,
}

/// All apps. Cheap to clone; lives on the main thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct Registry {
    records: Rc<RefCell<BTreeMap<AppId, AppRecord>>>,
    last: Rc<Cell<u32>>,
}

impl Registry {
    /// Enters an app, stopped, with what the I/O threads will count of it.
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
        };
        self.records.borrow_mut().insert(app, record);
        app
    }

    /// Strikes an app off.
    pub(crate) fn remove(&self, app: AppId) {
        self.records.borrow_mut().remove(&app);
    }

    /// An app has another configuration.
    pub(crate) fn configure(&self, app: AppId, spec: Arc<AppSpec>) {
        self.with(app, |record| record.spec = spec);
    }

    /// It cannot live by its configuration for this reason, or it can.
    pub(crate) fn troubled(&self, app: AppId, problem: Option<Arc<str>>) {
        self.with(app, |record| record.problem = problem);
    }

    /// Its socket is bound.
    pub(crate) fn listening(&self, app: AppId, address: SocketAddr) {
        self.with(app, |record| record.address = Some(address));
    }

    /// A worker is being started.
    pub(crate) fn starting(&self, app: AppId) {
        if self.state(app) != Some(AppState::Starting) {
            self.change(app, AppState::Starting, |record| {
                record.retry = None;
                record.starting = Some(Instant::now());
                record.first_start = record.first_start.or(record.starting);
            });
        }
    }

    /// A worker takes requests, this long after its process `pid` was started, and takes the place of another one if that is named.
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

    /// The worker that was to replace the present one did not become ready: all stays as it is.
    pub(crate) fn kept(&self, app: AppId, reason: &ExitReason) {
        self.with(app, |record| {
            let (app, pid) = (&record.spec.name, record.pid());
            // Who develops an app has asked for another worker, and is told.
            match record.spec.settings.development {
                true => info!(%app, pid, %reason, "the new worker is not ready"),
                false => warn!(%app, pid, %reason, "the new worker is not ready; the one before it stays"),
            }
        });
    }

    /// A worker that was told to finish has ended; `crash` is the report if it did not end well.
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

    /// The worker finishes what is in flight.
    pub(crate) fn draining(&self, app: AppId) {
        self.change(app, AppState::Draining, |record| {
            let (app, state, pid) = (&record.spec.name, AppState::Draining, record.pid().unwrap_or_default());
            info!(%app, %state, pid, "worker draining");
        });
    }

    /// A worker has ended unasked: this one, if it had become ready.
    pub(crate) fn crashed(&self, app: AppId, worker: Option<WorkerId>, reason: &ExitReason, crash: &Crash) {
        self.change(app, AppState::Crashed, |record| {
            let pid = worker.and_then(|(_, generation)| record.workers.crashed(generation));
            let (app, state) = (&record.spec.name, AppState::Crashed);
            let (request_id, method, path) = crash.blamed();
            let (heap, memory, cpu_ms) =
                (crash.heap_used, crash.usage.memory, crash.usage.cpu.as_millis() as u64);
            let lost = crash.lost();
            if record.failing.is_told_apart(reason) {
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

    /// The next worker starts after `pause`.
    pub(crate) fn backing_off(&self, app: AppId, pause: Duration) {
        self.change(app, AppState::BackingOff, |record| {
            let (app, state) = (&record.spec.name, AppState::BackingOff);
            info!(%app, %state, pause_ms = pause.as_millis() as u64, "restart delayed");
            record.retry = Some(Instant::now() + pause);
        });
    }

    /// The app is given up for `pause`.
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

    /// A failed app is tried again at this time.
    pub(crate) fn retries(&self, app: AppId, at: Option<Instant>) {
        self.with(app, |record| record.retry = at);
    }

    /// What is to be loaded cannot be, as somebody knows who says so.
    pub(crate) fn broken(&self, app: AppId, why: &str) {
        self.change(app, AppState::Failed, |record| {
            record.gone(Some(&ExitReason::LoadFailed(why.to_owned())))
        });
    }

    /// No worker, and none will be started.
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

    /// A worker is started that is not the app's first.
    pub(crate) fn count_restart(&self, app: AppId) {
        self.with(app, |record| record.starts.count());
    }

    /// As [`Self::count_restart`], for a worker that was started to deploy something.
    pub(crate) fn count_deploy(&self, app: AppId) {
        self.with(app, |record| record.starts.count_deploy());
    }

    /// Since when a worker owes an answer to a ping; none if it owes none.
    pub(crate) fn record_unanswered(&self, worker: WorkerId, since: Option<Instant>) {
        self.with_worker(worker, |worker| worker.unanswered = since);
    }

    /// A worker of the app has ended.
    pub(crate) fn count_end(&self, app: AppId, reason: &ExitReason) {
        if *reason == ExitReason::CpuTime {
            self.with(app, |record| record.traffic.count_broken(Limit::CpuTime, 1));
        }
    }

    /// What a worker said of itself.
    pub(crate) fn record_stats(&self, worker: WorkerId, stats: Stats) {
        self.with_worker(worker, |worker| worker.stats = stats);
    }

    /// What the kernel says of a worker.
    pub(crate) fn record_usage(&self, worker: WorkerId, usage: Usage) {
        self.with_worker(worker, |worker| worker.usage = usage);
    }

    /// The worker is about to be replaced although it is well.
    pub(crate) fn recycling(&self, app: AppId, why: &str) {
        self.with(app, |record| info!(app = %record.spec.name, pid = record.pid(), %why, "recycling"));
    }

    /// Whether a worker is being started, and has been for less than `most`.
    pub(crate) fn is_any_starting(&self, most: Duration) -> bool {
        let is_new = |record: &AppRecord| record.starting.is_none_or(|since| since.elapsed() < most);
        self.records.borrow().values().any(|record| record.state == AppState::Starting && is_new(record))
    }

    /// Whether requests wait for a worker of the app.
    pub(crate) fn has_requests_waiting(&self, app: AppId) -> bool {
        self.records.borrow().get(&app).is_some_and(|record| record.traffic.waiting() > 0)
    }

    /// Whether the app's next start waits for its turn.
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

    /// Whether every app is ready, has failed or is not to run, or has had its time to become ready.
    pub(crate) fn are_all_tried(&self) -> bool {
        self.records.borrow().values().all(AppRecord::is_tried)
    }

    /// The state of every app.
    pub(crate) fn states(&self) -> Vec<AppState> {
        self.records.borrow().values().map(|record| record.state).collect()
    }

    fn state(&self, app: AppId) -> Option<AppState> {
        self.records.borrow().get(&app).map(|record| record.state)
    }

    /// Every app, in the order in which they came.
    pub(crate) fn status(&self, monitor: &Monitor) -> Vec<AppStatus> {
        let records = self.records.borrow();
        records.iter().map(|(app, record)| record.status(monitor.rates(*app))).collect()
    }

    /// All that is told of one app.
    pub(crate) fn detail(&self, monitor: &Monitor, name: &str) -> Option<AppDetail> {
        let app = self.find(name)?;
        let records = self.records.borrow();
        let record = records.get(&app)?;
        let limits = record.spec.limits.shown();
        Some(AppDetail {
            status: record.status(monitor.rates(app)),
            folder: record.spec.root.display().to_string(),
            entry: record.spec.entry.display().to_string(),
            limits: limits.into_iter().map(|(field, limit)| (field.to_owned(), limit)).collect(),
            suspects: Vec::new(),
        })
    }

    /// The number of an app.
    pub(crate) fn find(&self, name: &str) -> Option<AppId> {
        let records = self.records.borrow();
        records.iter().find(|(_, record)| record.spec.name.as_str() == name).map(|(app, _)| *app)
    }

    /// What is counted of every app.
    pub(crate) fn seen(&self) -> Vec<AppCounts> {
        self.records.borrow().iter().map(|(app, record)| record.seen(*app)).collect()
    }

    /// What the metrics say of every app.
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
    /// The process of its latest worker.
    fn pid(&self) -> Option<u32> {
        self.workers.latest().map(|worker| worker.pid)
    }

    fn is_tried(&self) -> bool {
        // Workers that never become ready take the whole of `start_timeout` each.
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
        // An app that is given up is so for the end that was told already.
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
