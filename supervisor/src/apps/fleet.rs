//! All running apps: adds, removes and changes them, one change at a time, without dropping a request.
//!
//! - `one` changes a single app; `changes` records the outcome of a change, and `conclude` that of a slow one.
//! - `crons` tells the schedule which apps there are.
//! - `wanted` holds the next set of apps, and `settle` decides how much of a configuration can take effect.
//! - `binding` binds listening addresses.
//! - `troubles` tracks what keeps apps from running with their configuration; `trouble` holds the types for it.
//! - `looks` does what is due once a second.
//! - `legacy` is what a successor is told.
//! - `member` is one running app.

mod binding;
mod changes;
mod conclude;
mod crons;
mod legacy;
mod looks;
mod member;
mod one;
mod settle;
mod trouble;
mod troubles;
mod wanted;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::net::TcpListener;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{error, info};

pub(crate) use changes::Late;

use self::changes::{change, log_warnings};
use self::member::RunningApp;
use self::trouble::{Trouble, Troubles};
use self::wanted::{Bound, NextFleet, WantedApp};
use crate::api::changes::Changes;
use crate::api::status::AppStatus;
use crate::apps::crashes::Crashes;
use crate::apps::inherited::Inherited;
use crate::apps::lifecycle::folders::Folders;
use crate::apps::lifecycle::lifeline::First;
use crate::apps::lifecycle::orders::Orders;
use crate::apps::lifecycle::shared::AppsShared;
use crate::apps::lifecycle::turns::Turns;
use crate::apps::lifecycle::{Action, Lifeline, NewApp, Outcome};
use crate::apps::quarantine::Quarantine;
use crate::apps::registry::Registry;
use crate::apps::schedule::Schedule;
use crate::apps::sockets::{self, Listening};
use crate::config::{AppName, AppSpec, Config, ServerSettings};
use crate::edge::commands::{IoThreads, Notice, Table, UpstreamSpec};
use crate::model::change_error::ChangeError;
use crate::model::ids::AppId;
use crate::model::ids::ListenerId;
use crate::process::{Cgroups, Spares};
use crate::telemetry::log;
use crate::telemetry::log::app::AppLog;
use crate::telemetry::monitor::Monitor;
use crate::telemetry::occupancy::{Nearness, Occupancy};
use crate::telemetry::traces::Exporter;
use crate::telemetry::traffic::Traffic;

/// How often [`Fleet::tried`] checks whether every app has been tried.
const LOOK: Duration = Duration::from_millis(5);

/// All running apps. Lives on the main thread.
#[derive(Debug)]
pub(crate) struct Fleet {
    shared: Rc<AppsShared>,
    schedule: Schedule,
    settings: RefCell<Arc<ServerSettings>>,
    members: RefCell<Vec<RunningApp>>,
    /// What all connections hold, and which limits were last reported as nearly reached.
    occupancy: Occupancy,
    nearness: RefCell<Nearness>,
    listening: RefCell<Vec<Listening>>,
    last_listener: Cell<u32>,
    /// A copy of every listening socket, to hand over to a successor.
    sockets: RefCell<HashMap<ListenerId, Vec<TcpListener>>>,
    inherited: Inherited,
    monitor: Monitor,
    exporter: Exporter,
    troubles: RefCell<Troubles>,
    /// Held during every change, so that there is one at a time.
    changing: tokio::sync::Mutex<()>,
}

impl Fleet {
    /// Creates a fleet without apps. `state` is the state folder, if there is one.
    pub(crate) fn new(
        settings: ServerSettings,
        registry: Registry,
        io_threads: IoThreads,
        occupancy: Occupancy,
        inherited: Inherited,
        state: Option<PathBuf>,
    ) -> Self {
        let cgroups = Cgroups::take(settings.cgroups);
        let spares = Spares::new(io_threads.count(), cgroups);
        let drain_timeout = Cell::new(settings.drain_timeout);
        let exporter = Exporter::start(settings.traces.as_ref());
        let turns = Turns::new(settings.max_starts_per_second, registry.clone());
        let shared = AppsShared {
            registry,
            io_threads,
            orders: Orders::default(),
            events: Rc::default(),
            crashes: Crashes::default(),
            quarantine: Quarantine::default(),
            turns,
            spares,
            folders: Folders::default(),
            drain_timeout,
        };
        let shared = Rc::new(shared);
        let schedule = Schedule::new(shared.clone(), state);
        schedule.sample(settings.traces.as_ref().map(|traces| traces.sample));
        Self {
            shared,
            schedule,
            settings: RefCell::new(Arc::new(settings)),
            members: RefCell::default(),
            listening: RefCell::default(),
            last_listener: Cell::new(0),
            sockets: RefCell::default(),
            inherited,
            monitor: Monitor::default(),
            occupancy,
            nearness: RefCell::default(),
            exporter,
            troubles: RefCell::default(),
            changing: tokio::sync::Mutex::default(),
        }
    }

    /// Returns how long requests in flight may take to finish.
    pub(crate) fn drain_timeout(&self) -> Duration {
        self.shared.drain_timeout.get()
    }

    pub(crate) fn exporter(&self) -> &Exporter {
        &self.exporter
    }

    /// Returns the monitor of recent rates.
    pub(crate) fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    /// Handles a notice from an I/O thread about a worker.
    pub(crate) fn notice(&self, notice: Notice) {
        match notice {
            Notice::Fault(worker, order) => self.shared.orders.give(worker, order),
            Notice::Lost(worker, request) => self.shared.crashes.lost(worker, request),
        }
    }

    /// Returns the worker processes that have no app yet.
    pub(crate) fn spares(&self) -> &Spares {
        &self.shared.spares
    }

    /// Returns the reports of unexpected exits.
    pub(crate) fn crashes(&self) -> &Crashes {
        &self.shared.crashes
    }

    /// Returns how many apps wait for their turn to start a worker.
    pub(crate) fn starts_waiting(&self) -> usize {
        self.shared.turns.waiting()
    }

    /// Returns the folders that workers are served from.
    pub(crate) fn folders(&self) -> &Folders {
        &self.shared.folders
    }

    /// Returns the registry, which holds the states of all apps.
    pub(crate) fn registry(&self) -> &Registry {
        &self.shared.registry
    }

    /// Changes the running apps to match `config`. An app that cannot run with its new configuration, or whose new worker does
    /// not become ready, keeps running as before. Apps whose next worker is slow to start are returned, to be passed to
    /// [`Self::conclude`].
    ///
    /// # Errors
    /// Fails if an address cannot be bound and the configuration is strict. Nothing has changed then.
    pub(crate) async fn apply(&self, config: Config) -> io::Result<(Changes, Vec<Late>)> {
        let _changing = self.changing.lock().await;
        let mut changes = Changes::default();
        let specs = config.apps.into_iter().map(Arc::new);
        let is_strict = config.server.strict;
        let mut next = self.settle(specs, is_strict)?;
        changes.notes = config.notes;
        changes.notes.extend(self.configure(config.server));
        let late = self.apply_settled(&mut next, None, &mut changes).await;
        changes.broken.extend(config.left_out.iter().cloned());
        for (place, why) in config.left_out {
            error!(place, %why, "left out: this is no app");
        }
        Ok((changes, late))
    }

    /// Applies `spec` to one app, if possible. All other apps stay as they are.
    pub(crate) async fn mend(&self, spec: AppSpec) -> Vec<Late> {
        let _changing = self.changing.lock().await;
        self.mend_now(Arc::new(spec)).await
    }

    /// Does the same as [`Self::mend`] for a caller that already holds the lock on changes.
    async fn mend_now(&self, spec: Arc<AppSpec>) -> Vec<Late> {
        let name = spec.name.clone();
        let mut specs: Vec<_> = self.members.borrow().iter().map(|member| member.spec.clone()).collect();
        let Some(known) = specs.iter_mut().find(|known| known.name == name) else { return Vec::new() };
        *known = spec;
        match self.settle(specs, false) {
            Ok(mut next) => self.apply_settled(&mut next, Some(&name), &mut Changes::default()).await,
            Err(_) => Vec::new(),
        }
    }

    /// Registers new apps, and binds addresses that are missing. An app whose address cannot be bound keeps its old
    /// configuration, or fails if it is new.
    fn settle(
        &self,
        specs: impl IntoIterator<Item = Arc<AppSpec>>,
        is_strict: bool,
    ) -> io::Result<NextFleet> {
        let before = self.members.borrow().clone();
        let old: Vec<_> = before.iter().map(|member| member.spec.clone()).collect();
        let mut settled = settle::settle(&old, specs);
        let mut wanted = self.enter(settled.iter().map(|app| app.spec.clone()), None);
        let Bound { sockets, failed } = self.bind(&wanted);
        for (app, error) in failed {
            if is_strict {
                self.let_go(&sockets);
                self.unregister_new(&wanted);
                return Err(error);
            }
            if let Some(at) = wanted.iter().position(|wanted| wanted.app == app)
                && let Some(refused) = settled.get_mut(at)
            {
                refused.refuse(&old, &error.to_string());
            }
        }
        settle::keep_apart(&old, &mut settled);
        for (wanted, app) in wanted.iter_mut().zip(&settled) {
            wanted.spec = app.spec.clone();
            if wanted.lifeline.is_none() {
                self.shared.registry.configure(wanted.app, app.spec.clone());
            }
        }
        Ok(NextFleet { before, settled, wanted, sockets })
    }

    /// Applies the settled configurations and records what keeps apps from running with theirs: for the app `only`, or for all
    /// apps.
    async fn apply_settled(
        &self,
        next: &mut NextFleet,
        only: Option<&AppName>,
        changes: &mut Changes,
    ) -> Vec<Late> {
        let (NextFleet { before, settled, wanted, sockets }, mut late) = (next, Vec::new());
        log::configure_apps(wanted.iter().map(|wanted| &*wanted.spec));
        let is_new = |wanted: &&WantedApp| before.iter().all(|member| *member.spec != *wanted.spec);
        log_warnings(&wanted.iter().filter(is_new).map(|wanted| &wanted.spec).collect::<Vec<_>>());
        let old: Vec<_> = before.iter().map(|member| member.spec.clone()).collect();
        let mut troubles = Troubles::new();
        let mut routed = Vec::with_capacity(wanted.len());
        for (WantedApp { app, spec, traffic, lifeline }, settled) in wanted.drain(..).zip(&*settled) {
            let name = spec.name.to_string();
            let trouble = settled.trouble.as_ref().map(|why| Trouble {
                why: why.clone(),
                next: Some(Instant::now() + spec.settings.restart.slow_retry),
            });
            let spec = match (&lifeline, &settled.trouble) {
                (Some(_), _) if only.is_some_and(|only| *only != spec.name) => spec,
                // It runs as before. It is not told again, because its old configuration may be impossible to apply by now.
                (Some(_), Some(why)) if settled.is_kept(&old) && spec.fault.is_none() => {
                    changes.failed.push((name.clone(), why.to_string()));
                    spec
                }
                (Some(lifeline), trouble) => {
                    let old = before.iter().find(|member| member.app == app).map(|member| &member.spec);
                    if let Some(why) = trouble {
                        changes.broken.push((name.clone(), why.to_string()));
                    }
                    change(lifeline, old, spec, changes, &mut late).await
                }
                (None, Some(why)) => {
                    changes.broken.push((name.clone(), why.to_string()));
                    spec
                }
                (None, None) => {
                    changes.added.push(name.clone());
                    spec
                }
            };
            let of_code = changes.failed.iter().find(|(failed, _)| *failed == name);
            let trouble =
                trouble.or_else(|| of_code.map(|(_, why)| Trouble { why: why.as_str().into(), next: None }));
            troubles.extend(trouble.map(|trouble| (spec.name.clone(), trouble)));
            routed.push((UpstreamSpec { app, spec, traffic }, lifeline));
        }
        self.note_troubles(&routed, troubles, only);
        self.route(routed.iter().map(|(app, _)| app.clone()).collect(), sockets).await;
        let after = routed.into_iter().map(|(UpstreamSpec { app, spec, traffic }, lifeline)| {
            let first =
                if self.inherited.is_stopped(spec.name.as_str()) { First::Stopped } else { First::Start };
            let start = || self.start_app(app, &spec, AppLog::new(&spec, traffic.clone()).into(), first);
            RunningApp { app, lifeline: lifeline.unwrap_or_else(start), spec, traffic }
        });
        self.enlist(after.collect());
        // An app that could not be changed keeps its log level.
        log::configure_apps(self.members.borrow().iter().map(|member| &*member.spec));
        for member in before.drain(..) {
            if self.members.borrow().iter().all(|kept| kept.app != member.app) {
                changes.removed.push(member.spec.name.to_string());
                self.remove_app(member);
            }
        }
        self.want_spares();
        if changes.added.is_empty() {
            self.shared.tend_spares();
        }
        late
    }

    fn start_app(&self, app: AppId, spec: &Arc<AppSpec>, log: Rc<AppLog>, first: First) -> Rc<Lifeline> {
        Rc::new(NewApp { app, spec: spec.clone(), log, shared: self.shared.clone(), first }.start())
    }

    /// Sets the wanted number of spares for the current apps.
    fn want_spares(&self) {
        let members = self.members.borrow();
        let with_worker = members.iter().filter(|member| member.spec.has_worker());
        let heaps: Vec<_> = with_worker.map(|member| member.spec.limits.heap).collect();
        self.shared.spares.want(self.settings.borrow().spares, heaps);
    }

    /// Removes newly registered apps from the registry because the change has failed.
    fn unregister_new(&self, wanted: &[WantedApp]) {
        let new = wanted.iter().filter(|wanted| wanted.lifeline.is_none());
        new.for_each(|wanted| self.shared.registry.remove(wanted.app));
    }

    /// Registers new apps. If an app already has a log, its requests are counted in that log's counters.
    fn enter(&self, specs: impl IntoIterator<Item = Arc<AppSpec>>, log: Option<&AppLog>) -> Vec<WantedApp> {
        let members = self.members.borrow();
        let wanted =
            specs.into_iter().map(|spec| match members.iter().find(|member| member.spec.name == spec.name) {
                Some(RunningApp { app, traffic, lifeline, .. }) => {
                    WantedApp { app: *app, spec, traffic: traffic.clone(), lifeline: Some(lifeline.clone()) }
                }
                None => {
                    let traffic = log.map_or_else(|| self.new_traffic(), |log| log.traffic().clone());
                    let app = self.shared.registry.add(spec.clone(), traffic.clone());
                    WantedApp { app, spec, traffic, lifeline: None }
                }
            });
        wanted.collect()
    }

    fn new_traffic(&self) -> Arc<Traffic> {
        Arc::new(Traffic::new(self.shared.io_threads.count()))
    }

    /// Tells the I/O threads which apps there are and where they listen. Closes sockets that are no longer needed.
    async fn route(&self, apps: Vec<UpstreamSpec>, sockets: &mut HashMap<ListenerId, Vec<TcpListener>>) {
        let specs: Vec<_> = apps.iter().map(|routed| (routed.app, &*routed.spec)).collect();
        let slots = sockets::assign(&self.listening.borrow(), &specs);
        let mut listening = self.listening.take();
        listening.retain_mut(|bound| {
            let slot = slots.iter().find(|slot| slot.bound == Some(bound.id));
            bound.apps = slot.map(|slot| slot.apps.clone()).unwrap_or_default();
            if slot.is_none() {
                info!(address = %bound.address, "no longer listening");
            }
            slot.is_some()
        });
        for bound in &listening {
            bound.apps.iter().for_each(|app| self.shared.registry.listening(*app, bound.address));
        }
        self.sockets.borrow_mut().retain(|id, _| listening.iter().any(|bound| bound.id == *id));
        let listeners = listening.iter().map(|bound| (bound.id, bound.apps.clone())).collect();
        let mut threads: Vec<Vec<_>> = (0..self.shared.io_threads.count()).map(|_| Vec::new()).collect();
        // Sockets that were bound for apps that cannot run after all are closed here.
        sockets.retain(|id, _| listening.iter().any(|bound| bound.id == *id));
        for (id, sockets) in sockets.drain() {
            threads.iter_mut().zip(sockets).for_each(|(thread, socket)| thread.push((id, socket)));
        }
        *self.listening.borrow_mut() = listening;
        let settings = self.settings.borrow().clone();
        self.shared.io_threads.table(Table { settings, apps, listeners }, threads).await;
    }

    /// Applies the server settings that can change at runtime. Returns a note for each one that cannot.
    fn configure(&self, mut new: ServerSettings) -> Vec<String> {
        let old = self.settings.borrow().clone();
        let notes = new.keep_what_is_fixed(&old);
        self.shared.drain_timeout.set(new.drain_timeout);
        self.shared.turns.configure(new.max_starts_per_second);
        log::configure(&new);
        self.exporter.configure(new.traces.as_ref());
        self.schedule.sample(new.traces.as_ref().map(|traces| traces.sample));
        *self.settings.borrow_mut() = Arc::new(new);
        notes
    }

    /// Ends an app that gets no more requests, in a task of its own.
    fn remove_app(&self, member: RunningApp) {
        member.lifeline.end(self.shared.drain_timeout.get());
        let (shared, registry) = (self.shared.clone(), self.shared.registry.clone());
        tokio::task::spawn_local(async move {
            member.ended().await;
            registry.remove(member.app);
            shared.turns.forget(member.app);
            shared.quarantine.forget(member.app);
            shared.events.forget(member.app);
            // Another app may have taken its name by now.
            if registry.find(member.spec.name.as_str()).is_none() {
                log::forget(&member.spec.name);
            }
        });
    }

    /// Sends a command to an app, and waits until it has been carried out.
    ///
    /// # Errors
    /// Fails if there is no such app, or if the command fails. The text is for people.
    pub(crate) async fn tell(&self, name: &str, action: Action) -> Outcome {
        let found = self.members.borrow().iter().find(|member| member.spec.name.as_str() == name).cloned();
        let Some(member) = found else { return Err(ChangeError::NotFound(self.no_such_app(name))) };
        member.lifeline.tell(action).await
    }

    /// Returns whether there is an app of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.members.borrow().iter().any(|member| member.spec.name.as_str() == name)
    }

    /// Returns an error text that says that there is no such app, and which apps there are.
    pub(crate) fn no_such_app(&self, name: &str) -> String {
        let members = self.members.borrow();
        let names: Vec<_> = members.iter().map(|member| member.spec.name.as_str()).collect();
        if names.is_empty() {
            return format!("there is no app {name:?}; there is none at all");
        }
        format!("there is no app {name:?}; there is: {}", names.join(", "))
    }

    /// Waits until every app has been tried: it is ready, has failed, or is stopped. An app whose workers have ended is not
    /// waited for after its `start_timeout`.
    pub(crate) async fn tried(&self) {
        while !self.registry().are_all_tried() {
            tokio::time::sleep(LOOK).await;
        }
    }

    pub(crate) fn statuses(&self) -> Vec<AppStatus> {
        self.registry().status(&self.monitor)
    }

    pub(crate) fn inherited(&self) -> &Inherited {
        &self.inherited
    }

    /// Closes the fleet's copies of the listening sockets. The I/O threads are about to close theirs.
    pub(crate) fn release_sockets(&self) {
        self.sockets.borrow_mut().clear();
    }

    /// Ends all apps; their workers get `limit` to finish. The I/O threads are drained first, so that requests in flight can
    /// still be answered.
    pub(crate) async fn end(&self, limit: Duration) {
        self.shared.spares.want(0, []);
        self.shared.spares.clear();
        let members = self.members.take();
        members.iter().for_each(|member| member.lifeline.end(limit));
        for member in members {
            member.ended().await;
        }
        self.spares().cgroups().tidy();
    }
}
