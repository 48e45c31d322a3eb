//! Runs the `scheduled` handlers of all apps when their crons are due, or when an operator asks for it.
//!
//! - `clock` waits until a cron is due; `due` decides when that is.
//! - `run` is one run: it finds a worker and waits for the end.
//! - `store` keeps, across restarts, up to when each cron was looked after.

mod clock;
mod due;
mod run;
pub(crate) mod store;

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::{Notify, watch};
use tracing::warn;

use crate::api::schedule::RunReport;
use crate::apps::lifecycle::shared::AppsShared;
use crate::config::{AppSpec, Cron};
use crate::model::change_error::ChangeError;
use crate::model::ids::AppId;
use crate::model::run_outcome::RunOutcome;
use crate::model::state::AppState;
use clock::Duty;
use run::ScheduledRun;
use store::{LastDue, LastDueStore};

/// The crons of all apps. Cheap to clone. Lives on the main thread.
#[derive(Debug, Clone)]
pub(crate) struct Schedule(Rc<Crons>);

#[derive(Debug)]
struct Crons {
    shared: Rc<AppsShared>,
    store: LastDueStore,
    crons: RefCell<Vec<Rc<AppCron>>>,
    /// The runs that are under way: app and cron expression.
    running: RefCell<HashSet<(AppId, String)>>,
    is_on: watch::Sender<bool>,
    /// The probability with which the span of a run is recorded; none if no spans are.
    sample: Cell<Option<f64>>,
}

/// One cron of one app.
#[derive(Debug)]
struct AppCron {
    app: AppId,
    cron: Cron,
    spec: RefCell<Arc<AppSpec>>,
    is_removed: Notify,
}

impl Schedule {
    /// Creates a schedule without crons, whose clock stands still. `state` is the state folder, if there is one.
    pub(crate) fn new(shared: Rc<AppsShared>, state: Option<PathBuf>) -> Self {
        Self(Rc::new(Crons {
            shared,
            store: LastDueStore::open(state),
            crons: RefCell::default(),
            running: RefCell::default(),
            is_on: watch::Sender::new(false),
            sample: Cell::new(None),
        }))
    }

    /// Starts or stops the clock. What is due while it stands still is made up for, once, when it goes on.
    pub(crate) fn turn(&self, is_on: bool) {
        self.0.is_on.send_replace(is_on);
    }

    /// Sets the probability with which the span of a run is recorded; none for no spans.
    pub(crate) fn sample(&self, sample: Option<f64>) {
        self.0.sample.set(sample);
    }

    /// Sets the apps. Runs that are under way go on.
    pub(crate) fn set(&self, apps: &[(AppId, Arc<AppSpec>)]) {
        let mut crons = self.0.crons.borrow_mut();
        crons.retain(|app_cron| {
            let spec = apps.iter().find(|(app, _)| *app == app_cron.app).map(|(_, spec)| spec);
            let spec = spec.filter(|spec| spec.crons.contains(&app_cron.cron));
            match spec {
                Some(spec) => *app_cron.spec.borrow_mut() = spec.clone(),
                None => app_cron.is_removed.notify_one(),
            }
            spec.is_some()
        });
        // An app that comes again later has missed nothing.
        self.0.store.retain(|name, cron| {
            let has = |spec: &AppSpec| {
                spec.name.as_str() == name && spec.crons.iter().any(|known| known.as_str() == cron)
            };
            apps.iter().any(|(_, spec)| has(spec))
        });
        for (app, spec) in apps {
            self.0.shared.registry.set_crons(*app, &spec.crons);
            for cron in &spec.crons {
                if crons.iter().any(|app_cron| app_cron.app == *app && app_cron.cron == *cron) {
                    continue;
                }
                let app_cron = Rc::new(AppCron {
                    app: *app,
                    cron: cron.clone(),
                    spec: RefCell::new(spec.clone()),
                    is_removed: Notify::new(),
                });
                tokio::task::spawn_local(self.0.clone().keep(app_cron.clone()));
                crons.push(app_cron);
            }
        }
    }

    /// Runs the handler of an app now. `cron` is the expression that the handler gets; if there is none, that of the app's only
    /// one. Waits for the end.
    ///
    /// # Errors
    /// Fails if it is not clear which cron is meant, if it runs already, or if the app is stopped.
    pub(crate) async fn trigger(
        &self,
        app: AppId,
        spec: Arc<AppSpec>,
        cron: Option<&str>,
    ) -> Result<RunReport, ChangeError> {
        let cron = chosen(&spec, cron)?.to_owned();
        if !spec.has_worker() {
            return Err(ChangeError::Conflict(format!("{} has no code that could run", spec.name)));
        }
        if self.0.shared.registry.state(app) == Some(AppState::Stopped) {
            return Err(ChangeError::Conflict(format!("{} is stopped; fix: start it", spec.name)));
        }
        let Some(_running) = Running::begin(&self.0, app, &cron) else {
            return Err(ChangeError::Conflict(format!("{cron:?} of {} runs already", spec.name)));
        };
        Ok(self.0.run(app, spec, &cron, SystemTime::now()).await)
    }

    /// Returns up to when each cron was looked after, for a successor.
    pub(crate) fn last_due(&self) -> LastDue {
        self.0.store.all()
    }

    /// Takes over from the predecessor up to when each cron was looked after. The clock must stand still.
    pub(crate) fn inherit(&self, before: LastDue) {
        self.0.store.inherit(before);
    }
}

/// Returns the cron that is meant.
fn chosen<'a>(spec: &'a AppSpec, cron: Option<&'a str>) -> Result<&'a str, ChangeError> {
    let all = || spec.crons.iter().map(|cron| format!("{:?}", cron.as_str())).collect::<Vec<_>>().join(", ");
    match (cron, &spec.crons[..]) {
        (None, [cron]) => Ok(cron.as_str()),
        (None, []) => Ok(""),
        (None, _) => Err(ChangeError::Invalid(format!(
            "{} has more than one cron; fix: name one of them with --cron: {}",
            spec.name,
            all()
        ))),
        // An app without crons may be given any, to try out what its handler does.
        (Some(cron), []) => Ok(cron),
        (Some(cron), crons) if crons.iter().any(|known| known.as_str() == cron) => Ok(cron),
        (Some(cron), _) => {
            Err(ChangeError::NotFound(format!("{} has no cron {cron:?}; there is: {}", spec.name, all())))
        }
    }
}

impl Crons {
    async fn keep(self: Rc<Self>, app_cron: Rc<AppCron>) {
        let duty = CronDuty { schedule: &self, app_cron: &app_cron };
        let is_on = self.is_on.subscribe();
        clock::keep(&app_cron.cron, SystemTime::now, is_on, &app_cron.is_removed, &duty).await;
    }

    async fn run(&self, app: AppId, spec: Arc<AppSpec>, cron: &str, due: SystemTime) -> RunReport {
        ScheduledRun { shared: &self.shared, app, spec, cron, due, sample: self.sample.get() }.run().await
    }
}

/// What the clock of a cron acts on.
struct CronDuty<'a> {
    schedule: &'a Rc<Crons>,
    app_cron: &'a AppCron,
}

impl Duty for CronDuty<'_> {
    async fn since(&self) -> SystemTime {
        let (AppCron { cron, spec, .. }, store) = (self.app_cron, &self.schedule.store);
        let name = spec.borrow().name.clone();
        match store.last(name.as_str(), cron.as_str()) {
            Some(last) => last,
            // From now on it can be missed.
            None => {
                let now = SystemTime::now();
                store.set(name.as_str(), cron.as_str(), now).await;
                now
            }
        }
    }

    fn next(&self, time: Option<SystemTime>) {
        let AppCron { app, cron, .. } = self.app_cron;
        self.schedule.shared.registry.cron_is_due(*app, cron.as_str(), time);
    }

    async fn run(&self, time: SystemTime) {
        let (AppCron { app, cron, spec, .. }, schedule) = (self.app_cron, self.schedule);
        let spec = spec.borrow().clone();
        // Before the run, so that one which ends the supervisor is not repeated.
        schedule.store.set(spec.name.as_str(), cron.as_str(), time).await;
        // An operator who has stopped an app wants no runs of it.
        if schedule.shared.registry.state(*app) == Some(AppState::Stopped) {
            return;
        }
        match Running::begin(schedule, *app, cron.as_str()) {
            Some(_running) => drop(schedule.run(*app, spec, cron.as_str(), time).await),
            None => self.skipped(time),
        }
    }

    fn skipped(&self, _: SystemTime) {
        let (AppCron { app, cron, spec, .. }, outcome) = (self.app_cron, RunOutcome::Skipped);
        self.schedule.shared.registry.run_skipped(*app, cron.as_str());
        let text = "scheduled run skipped: the one before it was not over";
        warn!(app = %spec.borrow().name, %cron, %outcome, "{text}");
    }
}

/// Keeps a cron from being run twice at a time, until it is dropped.
struct Running {
    schedule: Rc<Crons>,
    run: (AppId, String),
}

impl Running {
    fn begin(schedule: &Rc<Crons>, app: AppId, cron: &str) -> Option<Self> {
        let run = (app, cron.to_owned());
        let is_first = schedule.running.borrow_mut().insert(run.clone());
        is_first.then(|| Self { schedule: schedule.clone(), run })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.schedule.running.borrow_mut().remove(&self.run);
    }
}
