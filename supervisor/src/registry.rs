//! Every app and what is known of its worker. The one place where an app's state changes.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use nano_protocol::message::Stats;
use serde::Serialize;
use tracing::{error, info, warn};

use crate::config::AppSpec;
use crate::worker::ExitReason;

/// An app's place in the configuration; its name for everything that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AppIndex(pub usize);

/// Where an app is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// A worker is being started.
    Starting,
    /// A worker takes requests.
    Ready,
    /// The worker finishes what is in flight and takes nothing new.
    Draining,
    /// The worker has ended unasked.
    Crashed,
    /// The next worker starts after a pause.
    BackingOff,
    /// The app does not load or crashes in a loop; it is tried again only slowly.
    Failed,
    /// No worker, and none will be started.
    Stopped,
}

impl State {
    /// Whether the life of an app may go from here to `next`.
    pub fn may_become(self, next: Self) -> bool {
        use State::{BackingOff, Crashed, Draining, Failed, Ready, Starting, Stopped};
        match next {
            Starting => matches!(self, Stopped | Crashed | BackingOff | Failed),
            Ready => self == Starting,
            Draining => matches!(self, Ready | Starting),
            Crashed => matches!(self, Ready | Starting | Draining),
            BackingOff => self == Crashed,
            Failed => matches!(self, Crashed | Starting),
            Stopped => self != Stopped,
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Draining => "draining",
            Self::Crashed => "crashed",
            Self::BackingOff => "backing-off",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        })
    }
}

/// One app.
#[derive(Debug)]
struct Record {
    spec: Arc<AppSpec>,
    /// Requests in flight or waiting; the I/O threads count.
    in_flight: Arc<AtomicUsize>,
    /// Where it listens in fact, which port 0 leaves open.
    address: Option<SocketAddr>,
    state: State,
    pid: Option<u32>,
    started: Option<(SystemTime, Instant)>,
    restarts: u64,
    last_exit: Option<ExitReason>,
    stats: Stats,
}

/// All apps. Cheap to clone; lives on the main thread.
#[derive(Debug, Clone)]
pub struct Registry {
    records: Rc<RefCell<Vec<Record>>>,
}

/// What people and programs are told of an app.
#[derive(Debug, Clone, Serialize, serde::Deserialize)]
pub struct AppStatus {
    /// Name.
    pub app: String,
    /// State, as in [`State`]'s text form.
    pub state: String,
    /// Process id of its worker.
    pub pid: Option<u32>,
    /// Seconds since the worker became ready.
    pub uptime_seconds: Option<u64>,
    /// Requests in flight or waiting.
    pub in_flight: usize,
    /// Workers started after the first.
    pub restarts: u64,
    /// Why the last worker ended.
    pub last_exit: Option<String>,
    /// V8 heap in use, in bytes, at the last ping.
    pub heap_used: u64,
    /// Requests answered by this worker, at the last ping.
    pub requests: u64,
    /// The address it listens on.
    pub listen: String,
    /// The hosts it serves; all if empty.
    pub hosts: Vec<String>,
}

impl Registry {
    /// All apps, stopped, each with its count of requests in flight.
    pub fn new(apps: &[(Arc<AppSpec>, Arc<AtomicUsize>)]) -> Self {
        let record = |(spec, in_flight): &(Arc<AppSpec>, Arc<AtomicUsize>)| Record {
            spec: spec.clone(),
            in_flight: in_flight.clone(),
            address: None,
            state: State::Stopped,
            pid: None,
            started: None,
            restarts: 0,
            last_exit: None,
            stats: Stats::default(),
        };
        Self { records: Rc::new(RefCell::new(apps.iter().map(record).collect())) }
    }

    /// Its socket is bound.
    pub fn listening(&self, app: AppIndex, address: SocketAddr) {
        if let Some(record) = self.records.borrow_mut().get_mut(app.0) {
            record.address = Some(address);
        }
    }

    /// A worker is being started.
    pub fn starting(&self, app: AppIndex) {
        self.change(app, State::Starting, |_| {});
    }

    /// The worker `pid` takes requests, this long after it was started.
    pub fn ready(&self, app: AppIndex, pid: u32, took: Duration) {
        self.change(app, State::Ready, |record| {
            record.pid = Some(pid);
            record.started = Some((SystemTime::now(), Instant::now()));
            let (app, state) = (&record.spec.name, State::Ready);
            info!(%app, %state, pid, ms = took.as_millis() as u64, "worker ready");
        });
    }

    /// The worker finishes what is in flight.
    pub fn draining(&self, app: AppIndex) {
        self.change(app, State::Draining, |record| {
            let (app, state, pid) = (&record.spec.name, State::Draining, record.pid.unwrap_or_default());
            info!(%app, %state, pid, "worker draining");
        });
    }

    /// The worker has ended unasked.
    pub fn crashed(&self, app: AppIndex, reason: &ExitReason) {
        self.change(app, State::Crashed, |record| {
            let (app, state) = (&record.spec.name, State::Crashed);
            let pid = record.pid.take();
            warn!(%app, %state, pid, %reason, "worker ended");
            record.gone(Some(reason));
        });
    }

    /// The next worker starts after `pause`.
    pub fn backing_off(&self, app: AppIndex, pause: Duration) {
        self.change(app, State::BackingOff, |record| {
            let (app, state) = (&record.spec.name, State::BackingOff);
            info!(%app, %state, pause_ms = pause.as_millis() as u64, "restart delayed");
        });
    }

    /// The app is given up for `pause`.
    pub fn failed(&self, app: AppIndex, reason: &ExitReason, pause: Duration) {
        self.change(app, State::Failed, |record| {
            let (app, state) = (&record.spec.name, State::Failed);
            error!(%app, %state, %reason, retry_in_ms = pause.as_millis() as u64, "app failed");
            record.gone(Some(reason));
        });
    }

    /// No worker, and none will be started.
    pub fn stopped(&self, app: AppIndex) {
        self.change(app, State::Stopped, |record| {
            let (app, state) = (&record.spec.name, State::Stopped);
            info!(%app, %state, "app stopped");
            record.gone(None);
        });
    }

    /// A worker is started that is not the app's first.
    pub fn count_restart(&self, app: AppIndex) {
        if let Some(record) = self.records.borrow_mut().get_mut(app.0) {
            record.restarts += 1;
        }
    }

    /// What the worker said of itself.
    pub fn record_stats(&self, app: AppIndex, stats: Stats) {
        if let Some(record) = self.records.borrow_mut().get_mut(app.0) {
            record.stats = stats;
        }
    }

    /// Every app, in the order of the configuration.
    pub fn status(&self) -> Vec<AppStatus> {
        self.records.borrow().iter().map(Record::status).collect()
    }

    fn change(&self, app: AppIndex, next: State, then: impl FnOnce(&mut Record)) {
        let mut records = self.records.borrow_mut();
        let Some(record) = records.get_mut(app.0) else { return };
        if !record.state.may_become(next) {
            let (app, from) = (&record.spec.name, record.state);
            error!(%app, %from, to = %next, "impossible change of state (a bug in the supervisor)");
        }
        record.state = next;
        then(record);
    }
}

impl Record {
    fn gone(&mut self, reason: Option<&ExitReason>) {
        self.pid = None;
        self.started = None;
        self.stats = Stats::default();
        self.last_exit = reason.cloned().or_else(|| self.last_exit.take());
    }

    fn status(&self) -> AppStatus {
        AppStatus {
            app: self.spec.name.to_string(),
            state: self.state.to_string(),
            pid: self.pid,
            uptime_seconds: self.started.map(|(_, since)| since.elapsed().as_secs()),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            restarts: self.restarts,
            last_exit: self.last_exit.as_ref().map(ToString::to_string),
            heap_used: self.stats.heap_used,
            requests: self.stats.requests,
            listen: self.address.map_or_else(|| self.spec.listen.to_string(), |address| address.to_string()),
            hosts: self.spec.hosts.iter().map(ToString::to_string).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::State::{self, BackingOff, Crashed, Draining, Failed, Ready, Starting, Stopped};

    #[test]
    fn only_sensible_changes_of_state_are_allowed() {
        let life =
            [Stopped, Starting, Ready, Crashed, BackingOff, Starting, Failed, Starting, Ready, Draining];
        assert!(life.windows(2).all(|step| step[0].may_become(step[1])));
        for (from, to) in [(Stopped, Ready), (BackingOff, Ready), (Ready, Starting), (Failed, Crashed)] {
            assert!(!State::may_become(from, to), "{from} -> {to}");
        }
    }
}
