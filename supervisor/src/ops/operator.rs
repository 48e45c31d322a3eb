//! What an operator can have the supervisor do while it runs; signals and the control socket both end here. [`deploys`] has
//! the verbs about deploys, [`attempts`] knows which of those are under way.

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
use crate::api::status::{AppDetail, AppStatus, CgroupStatus, MachineStatus, Phase, SpareStatus};
use crate::api::usage::Usage;
use crate::apps::fleet::{Fleet, Late};
use crate::apps::lifecycle::{Action, Outcome};
use crate::config::{AppName, Config, ConfigErrors, Sources};
use crate::model::change_error::ChangeError;
use crate::model::kind::Kind;
use crate::model::state::AppState;
use crate::ops::deploy::Available;
use crate::ops::news::{News, Newsroom};
use crate::ops::systemd;
use crate::ops::upgrade::{self, Invocation, Upgraded};
use crate::telemetry::log::Dropped;
use crate::telemetry::machine::Machine;
use crate::telemetry::metrics::Sample;
use crate::telemetry::monitor::Seconds;
use crate::telemetry::traces;
use attempts::Attempts;

/// How often it is looked whether an app is to be tried again.
const LOOK: Duration = Duration::from_millis(250);

/// Carries out what operators ask for.
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
    /// The socket of the admin listener, for a successor.
    admin: RefCell<Option<TcpListener>>,
    is_upgrading: Cell<bool>,
    phase: Cell<Phase>,
    handed_over: Notify,
    /// Held from when the configuration is read until all is as it says.
    changing: tokio::sync::Mutex<()>,
}

impl Operator {
    /// For this fleet, whose configuration comes from `sources`, with `deploys` over it.
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

    /// Starts the executable again, and hands over to it if it is ready.
    ///
    /// # Errors
    /// Why everything goes on as before.
    pub(crate) async fn upgrade(&self) -> Result<Upgraded, ChangeError> {
        if self.is_upgrading.replace(true) {
            return Err(ChangeError::Conflict("an upgrade is under way already".into()));
        }
        // The successor must be able to hold the state folder.
        let held = match &self.deploys {
            Ok(deploys) => deploys.let_go().await.ok(),
            Err(_) => None,
        };
        let excuse = async |missing| self.excuse(missing).await;
        let upgraded = upgrade::upgrade(&self.fleet, self.admin_copy(), &self.invocation, excuse).await;
        match &upgraded {
            Ok(_) => self.handed_over.notify_one(),
            Err(_) => {
                self.is_upgrading.set(false);
                if let Ok(deploys) = &self.deploys {
                    deploys.take_back();
                }
            }
        }
        drop(held);
        upgraded
    }

    /// Which of the apps that a successor does not serve could not be started here either, as things are by now, and why: what is
    /// wrong with one app holds up nobody else. All of them, or the successor is to blame.
    async fn excuse(&self, missing: Vec<(String, String)>) -> Result<Vec<(String, String)>, String> {
        if missing.is_empty() {
            return Ok(missing);
        }
        let worse = |why: &dyn fmt::Display| {
            let all: Vec<_> = missing.iter().map(|(app, how)| format!("{app} {how}")).collect();
            format!("not ready there: {}; {why}", all.join("; "))
        };
        let ready =
            self.fleet.registry().states().into_iter().filter(|state| *state == AppState::Ready).count();
        if ready == missing.len() {
            return Err(worse(&"nothing that is served would be"));
        }
        let config = self.load().map_err(|problems| worse(&problems))?;
        if config.server.strict {
            return Err(worse(&"fix: mend that, or upgrade without `strict`"));
        }
        let mut excused = Vec::new();
        for spec in config.apps.into_iter().filter(|spec| missing.iter().any(|(app, _)| *spec.name == **app))
        {
            let name = spec.name.to_string();
            match self.fleet.try_out(spec, std::future::pending()).await {
                Ok(_) => return Err(worse(&format!("{name} would be here, so it is not the app"))),
                Err(why) => excused.push((name, why.to_string())),
            }
        }
        Ok(excused)
    }

    /// Keeps the socket of the admin listener for a successor.
    pub(crate) fn keep_admin(&self, socket: Option<TcpListener>) {
        *self.admin.borrow_mut() = socket;
    }

    fn admin_copy(&self) -> Option<TcpListener> {
        self.admin.borrow().as_ref().and_then(|socket| socket.try_clone().ok())
    }

    /// Waits until a successor has taken over.
    pub(crate) async fn handed_over(&self) {
        self.handed_over.notified().await;
    }

    /// What there is to be said in metrics.
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

    /// Every app by its name, and its state.
    pub(crate) fn readiness(&self) -> Vec<(String, AppState)> {
        self.fleet.registry().gauges().into_iter().map(|app| (app.name, app.state)).collect()
    }

    /// Whether apps are served.
    pub(crate) fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// It goes on to another phase.
    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.set(phase);
    }

    /// What an app did in each second from that number on; none if there is no such app.
    pub(crate) fn history(&self, app: &str, from: u64) -> Option<Seconds> {
        let app = self.fleet.registry().find(app)?;
        Some(self.fleet.monitor().seconds(app, from))
    }

    /// What has changed of the apps since then.
    pub(crate) fn news(&self, since: Option<u64>) -> News {
        self.newsroom.since(since, self.status())
    }

    /// How much of the machine is in use.
    pub(crate) fn machine(&self) -> MachineStatus {
        self.machine.status()
    }

    /// Every app.
    pub(crate) fn status(&self) -> Vec<AppStatus> {
        self.fleet.statuses()
    }

    /// All that is told of one app.
    pub(crate) fn detail(&self, app: &str) -> Option<AppDetail> {
        let detail = self.fleet.registry().detail(self.fleet.monitor(), app)?;
        Some(AppDetail { suspects: self.suspects(app).unwrap_or_default(), ..detail })
    }

    /// The workers that have no app yet.
    pub(crate) fn spares(&self) -> Vec<SpareStatus> {
        let memory = |pid| Usage::of(pid).unwrap_or_default().memory;
        let pids = self.fleet.spares().pids().into_iter();
        pids.map(|pid| SpareStatus { pid, memory: memory(pid) }).collect()
    }

    /// Whether and where the kernel holds workers to their limits.
    pub(crate) fn cgroups(&self) -> CgroupStatus {
        self.fleet.spares().cgroups().status()
    }

    /// What is left of workers that ended unasked, of one app or of all, latest first.
    pub(crate) fn crashes(&self, app: Option<&str>) -> Vec<Crash> {
        self.fleet.told_crashes(app)
    }

    /// Which requests of an app are suspected of ending its workers; none if there is no such app.
    pub(crate) fn suspects(&self, app: &str) -> Option<Vec<Suspect>> {
        self.fleet.suspects(app)
    }

    /// Refuses and suspects one kind of an app's requests no more, or none at all.
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

    /// Reads the configuration again, and makes what runs what it says now. An invalid one changes nothing.
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

    /// Looks again at the configuration of apps that could not live by it, when it is time to. Never returns.
    pub(crate) async fn keep_mending(&self) {
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            // The addresses are the successor's now, if there is one.
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

    /// Has these apps live by the configuration as it is now, if they can.
    async fn mend(&self, names: &[AppName]) -> Vec<Late> {
        let _changing = self.changing.lock().await;
        let mut late = Vec::new();
        // What all apps share is for a reload, which says what is wrong with it.
        let Ok(config) = self.load() else { return late };
        for spec in config.apps.into_iter().filter(|spec| names.contains(&spec.name)) {
            late.extend(self.fleet.mend(spec).await);
        }
        late
    }

    fn load(&self) -> Result<Config, ConfigErrors> {
        let deployed = || self.deploys.as_ref().map(|deploys| deploys.deployed(&deploys.state()));
        self.sources.load_with(|_| Ok(deployed().unwrap_or_default()))
    }

    /// As [`Self::reload`], without a word in the log of what has come of it.
    ///
    /// # Errors
    /// As there.
    pub(crate) async fn apply(&self) -> Result<Changes, ChangeError> {
        let changing = self.changing.lock().await;
        let config = self.load().map_err(|problems| ChangeError::Config(problems.to_string()))?;
        let (mut changes, late) =
            self.fleet.apply(config).await.map_err(|error| ChangeError::Conflict(error.to_string()))?;
        // Nobody else has to wait for an app that takes its time.
        drop(changing);
        self.fleet.conclude(late, &mut changes).await;
        Ok(changes)
    }

    /// Whether there is an app of this name.
    pub(crate) fn has(&self, app: &str) -> bool {
        self.fleet.has(app)
    }

    /// That there is no app of this name, and which there are; for people.
    pub(crate) fn no_such_app(&self, app: &str) -> String {
        self.fleet.no_such_app(app)
    }

    /// As [`Self::tell`], without waiting for what comes of it.
    pub(crate) fn hurry(&self, app: &str, action: Action) {
        self.fleet.hurry(app, action);
    }

    /// Tells an app what to do, and waits until it has.
    ///
    /// # Errors
    /// Why that did not work.
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
            // It would end for nothing: the next worker could not be told what it is to be told.
            if let Some(why) = self.fleet.stays_because(app) {
                return Err(ChangeError::Config(format!(
                    "the app goes on as it was; it cannot be run as it is configured now: {why}"
                )));
            }
        }
        self.fleet.tell(app, action).await
    }
}
