//! Changes and queries that concern a single app. All others stay as they are.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::Fleet;
use super::changes::log_warnings;
use super::member::RunningApp;
use super::wanted::{Bound, WantedApp};
use crate::api::crash::{Crash, Suspect};
use crate::apps::lifecycle::Action;
use crate::apps::lifecycle::lifeline::{Adoption, First};
use crate::config::{AppSpec, collision};
use crate::model::change_error::ChangeError;
use crate::model::kind::Kind;
use crate::process::{Started, Worker};
use crate::telemetry::log::app::AppLog;

/// A worker that is ready and that its app does not know of yet.
#[derive(Debug)]
pub(crate) struct Tried {
    /// The configuration that it was started with.
    pub spec: Arc<AppSpec>,
    log: Rc<AppLog>,
    /// `None` for an app of static files alone.
    started: Option<Started>,
    begun: Instant,
}

impl Fleet {
    /// Does the same as [`Self::tell`], without waiting for the outcome.
    pub(crate) fn hurry(&self, name: &str, action: Action) {
        if let Some(member) = self.members.borrow().iter().find(|member| member.spec.name.as_str() == name) {
            member.lifeline.hurry(action);
        }
    }

    /// Returns the kinds of requests that are suspected of ending the app's workers, or `None` if there is no such app.
    pub(crate) fn suspects(&self, name: &str) -> Option<Vec<Suspect>> {
        let app = self.registry().find(name)?;
        Some(self.shared.quarantine.suspects(app, &self.crashes().of(Some(name))))
    }

    /// Returns the latest crashes of one app or of all apps, latest first, with the suspects for each.
    pub(crate) fn told_crashes(&self, name: Option<&str>) -> Vec<Crash> {
        let mut by_app = BTreeMap::<_, Vec<_>>::new();
        for crash in self.crashes().of(name) {
            by_app.entry(crash.app.clone()).or_default().push(crash);
        }
        for (name, crashes) in &mut by_app {
            if let Some(app) = self.registry().find(name) {
                self.shared.quarantine.tell(app, crashes);
            }
        }
        let mut crashes: Vec<_> = by_app.into_values().flatten().collect();
        crashes.sort_by_key(|crash| Reverse(crash.number));
        crashes
    }

    /// Ends the quarantine and suspicion of one kind of an app's requests, or of all kinds if `kind` is `None`. Returns whether
    /// there was any.
    pub(crate) async fn release(&self, name: &str, kind: Option<&Kind>) -> bool {
        let (Some(app), Some(known)) = (self.registry().find(name), self.suspects(name)) else {
            return false;
        };
        let is_known = known.iter().any(|suspect| kind.is_none_or(|kind| suspect.kind == *kind));
        if is_known {
            self.shared.release(app, kind).await;
        }
        is_known
    }

    /// Starts a worker for a new or existing app, without telling the app. The start is given up when `superseded` completes.
    ///
    /// # Errors
    /// Fails with the reason why there is no worker.
    pub(crate) async fn try_out(
        &self,
        spec: AppSpec,
        superseded: impl Future<Output = ()>,
    ) -> Result<Tried, ChangeError> {
        if let Some(fault) = &spec.fault {
            return Err(ChangeError::Config(fault.to_string()));
        }
        let (spec, begun) = (Arc::new(spec), Instant::now());
        log_warnings(&[&spec]);
        let known = self.members.borrow().iter().find(|member| member.spec.name == spec.name).cloned();
        let log = known.map_or_else(
            || Rc::new(AppLog::new(&spec, self.new_traffic())),
            |member| member.lifeline.log.clone(),
        );
        if !spec.has_worker() {
            return Ok(Tried { spec, log, started: None, begun });
        }
        let started = tokio::select! {
            started = Worker::start(&spec, None, &self.shared.spares, &log) => started,
            // Dropping the start kills the process.
            () = superseded => return Err(ChangeError::Superseded),
        };
        let started = started.map_err(|failure| ChangeError::Worker(failure.reason))?;
        Ok(Tried { spec, log, started: Some(started), begun })
    }

    /// Makes an app run with a worker from [`Self::try_out`]. Binds the addresses, then awaits `commit`. If all of that works,
    /// the previous worker is retired. Returns once the worker is in service, for a new app as well.
    ///
    /// # Errors
    /// Fails with what did not work. Nothing has changed then.
    pub(crate) async fn put(
        &self,
        tried: Tried,
        commit: impl Future<Output = Result<(), ChangeError>>,
    ) -> Result<(), ChangeError> {
        let _changing = self.changing.lock().await;
        let Tried { spec, log, started, begun } = tried;
        let mut adoption = started.map(|started| Box::new(Adoption { spec: spec.clone(), started, begun }));
        let holders: Vec<_> = self.members.borrow().iter().map(|member| member.spec.clone()).collect();
        let taken =
            holders.iter().filter(|other| other.name != spec.name).find_map(|other| collision(&spec, other));
        if let Some(flaw) = taken {
            return Err(ChangeError::Conflict(flaw.to_string()));
        }
        let mut specs: Vec<_> = self.members.borrow().iter().map(|member| member.spec.clone()).collect();
        match specs.iter_mut().find(|known| known.name == spec.name) {
            Some(known) => *known = spec.clone(),
            None => specs.push(spec.clone()),
        }
        let wanted = self.enter(specs, Some(&log));
        let Bound { mut sockets, failed } = self.bind(&wanted);
        if let Some((_, why)) = failed.into_iter().next() {
            self.let_go(&sockets);
            self.unregister_new(&wanted);
            return Err(ChangeError::bind(&why));
        }
        if let Err(why) = commit.await {
            self.let_go(&sockets);
            self.unregister_new(&wanted);
            return Err(why);
        }
        if let Some(lifeline) = wanted.iter().find_map(|wanted| wanted.lifeline_of(&spec)) {
            match adoption.take() {
                Some(adoption) => lifeline.tell(Action::Adopt(adoption)).await?,
                None => {
                    lifeline.tell(Action::Configure(spec.clone())).await?;
                    lifeline.tell(Action::Start).await?
                }
            };
        }
        self.route(wanted.iter().map(WantedApp::routed).collect(), &mut sockets).await;
        let mut new = None;
        let after = wanted.into_iter().map(|WantedApp { app, spec, traffic, lifeline }| {
            let lifeline = lifeline.unwrap_or_else(|| {
                let first = adoption.take().map_or(First::Start, First::Adopt);
                let lifeline = self.start_app(app, &spec, log.clone(), first);
                new = Some(lifeline.clone());
                lifeline
            });
            RunningApp { app, spec, traffic, lifeline }
        });
        self.enlist(after.collect());
        self.clear_trouble(&spec.name);
        if let Some(lifeline) = new {
            // A worker that has ended since then is replaced as at any other time.
            let _ = lifeline.tell(Action::Start).await;
        }
        self.want_spares();
        self.shared.tend_spares();
        Ok(())
    }

    /// Removes an app after `commit`. The app gets no further requests, and ends when those in flight are done.
    ///
    /// # Errors
    /// Fails with the error of `commit`. Nothing has changed then.
    pub(crate) async fn remove(
        &self,
        name: &str,
        commit: impl Future<Output = Result<(), ChangeError>>,
    ) -> Result<(), ChangeError> {
        let _changing = self.changing.lock().await;
        commit.await?;
        let (gone, kept): (Vec<_>, Vec<_>) =
            self.members.borrow().iter().cloned().partition(|member| member.spec.name.as_str() == name);
        self.route(kept.iter().map(RunningApp::routed).collect(), &mut HashMap::new()).await;
        self.enlist(kept);
        self.troubles.borrow_mut().retain(|known, _| known.as_str() != name);
        gone.into_iter().for_each(|member| self.remove_app(member));
        self.want_spares();
        self.shared.tend_spares();
        Ok(())
    }
}
