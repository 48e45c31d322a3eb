//! The commands of operators to the running supervisor, from signals, the control socket and the admin listener. [`deploys`]:
//! the commands about deploys; [`attempts`]: which of those are in progress.

pub(crate) mod attempts;
pub(crate) mod deploys;

use std::cell::{Cell, RefCell};
use std::net::TcpListener;
use std::rc::Rc;
use std::time::{Duration, Instant};
use std::{fmt, fs};

use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;
use tracing::{error, info};

use crate::api::changes::Changes;
use crate::api::crash::{Crash, Suspect};
use crate::api::schedule::RunReport;
use crate::api::status::{AppDetail, AppStatus, CgroupStatus, MachineStatus, Phase, SpareStatus};
use crate::api::usage::Usage;
use crate::apps::fleet::{Fleet, Late};
use crate::apps::lifecycle::{Action, Outcome};
use crate::config::{AppName, Config, ConfigErrors, Deployed, Sources};
use crate::model::change_error::ChangeError;
use crate::model::kind::Kind;
use crate::model::state::AppState;
use crate::ops::deploy::Available;
use crate::ops::news::{News, Newsroom};
use crate::ops::systemd;
use crate::ops::upgrade::{self, Invocation, Upgraded, Worse};
use crate::telemetry::log::Dropped;
use crate::telemetry::machine::Machine;
use crate::telemetry::metrics::Sample;
use crate::telemetry::monitor::Seconds;
use crate::telemetry::traces;
use attempts::Attempts;

/// How often to check whether an app is due for a retry.
const RETRY_CHECK: Duration = Duration::from_millis(250);

#[derive(Debug)]
pub(crate) struct Operator {
    fleet: Rc<Fleet>,
    sources: Sources,
    deploys: Available,
    attempts: Attempts,
    invocation: Invocation,
    log_lines_dropped: Dropped,
    started: Instant,
    newsroom: Newsroom,
    machine: Machine,
    admin: RefCell<Option<TcpListener>>,
    is_upgrading: Cell<bool>,
    phase: Cell<Phase>,
    handed_over: Notify,
    /// Locked from reading the configuration until it has been applied.
    changing: tokio::sync::Mutex<()>,
}

impl Operator {
    /// The configuration of `fleet` comes from `sources`, overridden by `deploys`.
    pub(crate) fn new(
        fleet: Rc<Fleet>,
        sources: Sources,
        deploys: Available,
        invocation: Invocation,
        log_lines_dropped: Dropped,
    ) -> Self {
        Self {
            fleet,
            sources,
            deploys,
            attempts: Attempts::default(),
            invocation,
            log_lines_dropped,
            started: Instant::now(),
            newsroom: Newsroom::default(),
            machine: Machine::default(),
            admin: RefCell::default(),
            is_upgrading: Cell::new(false),
            phase: Cell::new(Phase::Starting),
            handed_over: Notify::new(),
            changing: tokio::sync::Mutex::default(),
        }
    }

    /// Starts the executable again as the successor, and hands over to it once it is ready.
    ///
    /// # Errors
    /// Why this supervisor continues instead.
    pub(crate) async fn upgrade(&self) -> Result<Upgraded, ChangeError> {
        if self.is_upgrading.replace(true) {
            return Err(ChangeError::Conflict("an upgrade is under way already".into()));
        }
        // The successor has to lock the state folder.
        let held = match &self.deploys {
            Ok(deploys) => deploys.release().await.ok(),
            Err(_) => None,
        };
        let excuse = async |missing| self.excuse(missing).await;
        let upgraded = upgrade::upgrade(&self.fleet, self.admin_copy(), &self.invocation, excuse).await;
        match &upgraded {
            Ok(_) => self.handed_over.notify_one(),
            Err(_) => {
                self.is_upgrading.set(false);
                if let Ok(deploys) = &self.deploys {
                    deploys.reacquire();
                }
            }
        }
        drop(held);
        upgraded
    }

    /// Checks whether the apps that are `missing` in the successor would also fail to start here now, so that one broken app
    /// does not block an upgrade. Returns why each of them fails. If any would start here, the successor is at fault: an
    /// error.
    async fn excuse(&self, missing: Vec<(String, String)>) -> Result<Vec<(String, String)>, Worse> {
        if missing.is_empty() {
            return Ok(missing);
        }
        let refuse = |why: &dyn fmt::Display| {
            let all: Vec<_> = missing.iter().map(|(app, how)| format!("{app} {how}")).collect();
            Worse::Unready { apps: all.join("; "), why: why.to_string() }
        };
        let ready =
            self.fleet.registry().states().into_iter().filter(|state| *state == AppState::Ready).count();
        if ready == missing.len() {
            return Err(refuse(&"nothing that is served would be"));
        }
        let config = self.load().await.map_err(|problems| refuse(&problems))?;
        if config.server.strict {
            return Err(refuse(&"fix: mend that, or upgrade without `strict`"));
        }
        let mut excused = Vec::new();
        for spec in config.apps.into_iter().filter(|spec| missing.iter().any(|(app, _)| *spec.name == **app))
        {
            let name = spec.name.to_string();
            match self.fleet.try_out(spec, std::future::pending()).await {
                Ok(_) => return Err(refuse(&format!("{name} would be here, so it is not the app"))),
                Err(why) => excused.push((name, why.to_string())),
            }
        }
        Ok(excused)
    }

    pub(crate) fn keep_admin(&self, socket: Option<TcpListener>) {
        *self.admin.borrow_mut() = socket;
    }

    fn admin_copy(&self) -> Option<TcpListener> {
        self.admin.borrow().as_ref().and_then(|socket| socket.try_clone().ok())
    }

    pub(crate) async fn handed_over(&self) {
        self.handed_over.notified().await;
    }

    /// A snapshot for `/metrics`.
    pub(crate) fn sample(&self) -> Sample {
        let descriptors = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        Sample {
            apps: self.fleet.registry().gauges(),
            spares: self.spares(),
            spans: traces::counts(),
            occupied: self.fleet.occupied(),
            has_cgroups: self.cgroups().path.is_some(),
            starts_waiting: self.fleet.starts_waiting(),
            supervisor: Usage::of(std::process::id()).unwrap_or_default(),
            descriptors,
            log_lines_dropped: self.log_lines_dropped.lines(),
            uptime: self.started.elapsed().as_secs_f64(),
        }
    }

    /// The name and state of every app.
    pub(crate) fn readiness(&self) -> Vec<(String, AppState)> {
        self.fleet.registry().gauges().into_iter().map(|app| (app.name, app.state)).collect()
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// Changes the phase.
    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.set(phase);
    }

    /// What an app did in each second, from the number `from` on; none if there is no such app.
    pub(crate) fn history(&self, app: &str, from: u64) -> Option<Seconds> {
        let app = self.fleet.registry().find(app)?;
        Some(self.fleet.monitor().seconds(app, from))
    }

    /// What has changed since the mark `since`.
    pub(crate) fn news(&self, since: Option<u64>) -> News {
        self.newsroom.since(since, self.status())
    }

    pub(crate) fn machine(&self) -> MachineStatus {
        self.machine.status()
    }

    /// The status of every app.
    pub(crate) fn status(&self) -> Vec<AppStatus> {
        self.fleet.statuses()
    }

    /// The details of one app.
    pub(crate) fn detail(&self, app: &str) -> Option<AppDetail> {
        let detail = self.fleet.registry().detail(self.fleet.monitor(), app)?;
        Some(AppDetail { suspects: self.suspects(app).unwrap_or_default(), ..detail })
    }

    /// The idle workers without an app.
    pub(crate) fn spares(&self) -> Vec<SpareStatus> {
        let memory = |pid| Usage::of(pid).unwrap_or_default().memory;
        let pids = self.fleet.spares().pids().into_iter();
        pids.map(|pid| SpareStatus { pid, memory: memory(pid) }).collect()
    }

    /// Whether control groups enforce the limits of workers, and where they are.
    pub(crate) fn cgroups(&self) -> CgroupStatus {
        self.fleet.spares().cgroups().status()
    }

    /// Crash reports of one app or of all, latest first.
    pub(crate) fn crashes(&self, app: Option<&str>) -> Vec<Crash> {
        self.fleet.told_crashes(app)
    }

    /// The requests of an app that are suspected of ending its workers; none if there is no such app.
    pub(crate) fn suspects(&self, app: &str) -> Option<Vec<Suspect>> {
        self.fleet.suspects(app)
    }

    /// Releases one kind of an app's requests from suspicion and refusal, or all of them. Returns those that remain.
    ///
    /// # Errors
    /// If none was refused or suspected.
    pub(crate) async fn release(&self, app: &str, kind: Option<&Kind>) -> Result<Vec<Suspect>, ChangeError> {
        if !self.fleet.release(app, kind).await {
            return Err(ChangeError::NotFound(match kind {
                Some(Kind { method, path }) => format!("{method} {path} is neither refused nor suspected"),
                None => "nothing is refused or suspected".to_owned(),
            }));
        }
        Ok(self.suspects(app).unwrap_or_default())
    }

    /// Reads the configuration again and applies it. An invalid one changes nothing.
    ///
    /// # Errors
    /// What is wrong with the configuration, or which address cannot be bound.
    pub(crate) async fn reload(&self) -> Result<Changes, ChangeError> {
        systemd::reloading();
        let applied = self.apply().await;
        match &applied {
            Ok(Changes { added, removed, changed, failed, broken, notes }) => {
                let names = |apps: &[(String, String)]| {
                    apps.iter().map(|(app, _)| app.as_str()).collect::<Vec<_>>().join(",")
                };
                let list = |names: &[String]| names.join(",");
                info!(
                    added = list(added),
                    removed = list(removed),
                    changed = list(changed),
                    failed = names(failed),
                    broken = names(broken),
                    notes = notes.join("; "),
                    "reloaded"
                );
            }
            Err(why) => error!(%why, "not reloaded: everything goes on as before"),
        }
        systemd::ready();
        applied
    }

    /// Retries apps whose configuration could not be applied, when they are due. Returns when draining starts.
    pub(crate) async fn keep_retrying(&self) {
        let mut checks = tokio::time::interval(RETRY_CHECK);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            checks.tick().await;
            // A successor may have the addresses now.
            if self.phase() == Phase::Draining {
                return;
            }
            let due = self.fleet.due(Instant::now());
            if !due.is_empty() {
                let late = self.mend(&due).await;
                let fleet = self.fleet.clone();
                tokio::task::spawn_local(async move {
                    fleet.conclude(late, &mut Changes::default()).await;
                });
            }
        }
    }

    /// Tries to apply the current configuration to these apps.
    async fn mend(&self, names: &[AppName]) -> Vec<Late> {
        let _changing = self.changing.lock().await;
        let mut late = Vec::new();
        // An error in the configuration as a whole is reported by a reload.
        let Ok(config) = self.load().await else { return late };
        for spec in config.apps.into_iter().filter(|spec| names.contains(&spec.name)) {
            late.extend(self.fleet.mend(spec).await);
        }
        late
    }

    async fn load(&self) -> Result<Config, ConfigErrors> {
        let deployed = self.deploys.as_ref().map(|deploys| deploys.deployed(&deploys.state()));
        self.read(deployed.unwrap_or_default()).await
    }

    /// Reads the configuration with these deploys laid over it. The static files of all apps are part of it, so it is read on a
    /// thread that may block.
    async fn read(&self, deployed: Vec<Deployed>) -> Result<Config, ConfigErrors> {
        let sources = self.sources.clone();
        let read = tokio::task::spawn_blocking(move || sources.load_with(|_| Ok(deployed)));
        read.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }

    /// As [`Self::reload`], but does not log the outcome.
    ///
    /// # Errors
    /// As [`Self::reload`].
    pub(crate) async fn apply(&self) -> Result<Changes, ChangeError> {
        let changing = self.changing.lock().await;
        let config = self.load().await.map_err(|problems| ChangeError::Config(problems.to_string()))?;
        let (mut changes, late) =
            self.fleet.apply(config).await.map_err(|error| ChangeError::bind(&error))?;
        // A slow app must not hold up other commands.
        drop(changing);
        self.fleet.conclude(late, &mut changes).await;
        Ok(changes)
    }

    /// Has the `scheduled` handler of an app run now, and waits for its end.
    ///
    /// # Errors
    /// Why it does not run.
    pub(crate) async fn trigger(&self, app: &str, cron: Option<&str>) -> Result<RunReport, ChangeError> {
        self.fleet.trigger(app, cron).await
    }

    pub(crate) fn has(&self, app: &str) -> bool {
        self.fleet.has(app)
    }

    /// An error message that lists the existing apps.
    pub(crate) fn no_such_app(&self, app: &str) -> String {
        self.fleet.no_such_app(app)
    }

    /// As [`Self::tell`], without waiting for the outcome.
    pub(crate) fn hurry(&self, app: &str, action: Action) {
        self.fleet.hurry(app, action);
    }

    /// Carries out an action on an app, and waits for the outcome.
    ///
    /// # Errors
    /// Why it failed.
    pub(crate) async fn tell(&self, app: &str, action: Action) -> Outcome {
        if matches!(action, Action::Stop) {
            self.attempts.supersede(app);
        }
        if matches!(action, Action::Start | Action::Restart | Action::Roll)
            && self.fleet.is_troubled(app)
            && let Ok(name) = app.parse()
        {
            let late = self.mend(&[name]).await;
            self.fleet.conclude(late, &mut Changes::default()).await;
            // Ending the worker would be pointless: a new one could not run with this configuration.
            if let Some(why) = self.fleet.stays_because(app) {
                return Err(ChangeError::Config(format!(
                    "the app goes on as it was; it cannot be run as it is configured now: {why}"
                )));
            }
        }
        self.fleet.tell(app, action).await
    }
}
