//! Deploy, rollback and remove: switch an app to another folder, start-before-stop. If the new worker does not become ready,
//! the app stays on its folder.

use std::path::Path;
use std::time::SystemTime;

use tokio::sync::MutexGuard;
use tracing::{info, warn};

use super::Operator;
use super::attempts::Attempt;
use crate::api::deploys::{Copied, DeployOrder, DeployRow, Removed, RollbackOrder, Switched};
use crate::config::{AppName, AppSpec, Config, Deployed, HostPattern, Listen, app_folder};
use crate::model::change_error::ChangeError;
use crate::ops::deploy::Deploys;
use crate::ops::deploy::state::{DeployState, show_time};

impl Operator {
    /// Copies a folder, and serves the app from the copy.
    ///
    /// # Errors
    /// Why it failed. Then nothing has changed.
    pub(crate) async fn deploy(&self, name: &AppName, order: DeployOrder) -> Result<Switched, ChangeError> {
        let done = self.try_deploy(name, order).await;
        match &done {
            Ok(Switched { digest, .. }) => info!(app = %name, digest, "deployed"),
            Err(why) => warn!(app = %name, %why, "not deployed: everything goes on as before"),
        }
        done
    }

    async fn try_deploy(&self, name: &AppName, order: DeployOrder) -> Result<Switched, ChangeError> {
        let deploys = self.deploys()?;
        if !order.path.is_absolute() {
            return Err(ChangeError::Invalid(format!("{} is not an absolute path", order.path.display())));
        }
        let root = app_folder(&order.path).map_err(|flaw| ChangeError::Invalid(flaw.to_string()))?;
        let mut attempt = self.attempts.begin(name);
        let held = deploys.hold().await?;
        let state = deploys.state();
        // Validated before anything is copied: errors come early, and name the operator's folder instead of the copy.
        let site = self.site(deploys, &state, name, &order, &root).await?;
        let stored = deploys.copy(&held, name, &root).await?;
        let digest = stored.seen.digest.clone();
        let next =
            |state: DeployState| Ok(state.with_deploy(name, digest.clone(), site.clone(), SystemTime::now()));
        self.switch(deploys, held, name, next, &mut attempt).await?;
        let copied = Copied { files: stored.seen.files, bytes: stored.seen.bytes, is_new: stored.is_new };
        Ok(Switched { app: name.to_string(), digest: digest.to_string(), copied: Some(copied) })
    }

    /// The address and hosts of the app, if the configuration does not contain it.
    async fn site(
        &self,
        deploys: &Deploys,
        state: &DeployState,
        name: &AppName,
        order: &DeployOrder,
        root: &Path,
    ) -> Result<Option<(Listen, Vec<HostPattern>)>, ChangeError> {
        let before = state.apps.get(name).and_then(|entry| entry.site.as_ref());
        let hosts: Result<Vec<HostPattern>, _> = order.hosts.iter().map(|host| host.parse()).collect();
        let hosts = hosts.map_err(|flaw| ChangeError::Invalid(flaw.to_string()))?;
        let port = order.port.or(before.map(|(listen, _)| listen.port));
        let site = port.map(|port| {
            let host = order.host.or(before.and_then(|(listen, _)| listen.host));
            let hosts_before = || before.map(|(_, hosts)| hosts.clone()).unwrap_or_default();
            (Listen { host, port }, if hosts.is_empty() { hosts_before() } else { hosts })
        });
        let mut deployed = deploys.deployed(state);
        deployed.retain(|known| known.name != *name);
        let place = format!("deploy {name}");
        deployed.push(Deployed { name: name.clone(), path: root.to_owned(), site: site.clone(), place });
        let config = self.config(deployed).await?;
        let spec = config.apps.iter().find(|app| app.name == *name);
        if let Some(fault) = spec.and_then(|app| app.fault.as_ref()) {
            return Err(ChangeError::Config(fault.to_string()));
        }
        if config.only_deployed.contains(name) {
            return Ok(site);
        }
        if config.apps.iter().all(|app| app.name != *name) {
            return Err(ChangeError::Invalid(format!(
                "app {name} is new, and nothing says where it listens; fix: add --port"
            )));
        }
        if order.port.is_some() || order.host.is_some() || !order.hosts.is_empty() {
            return Err(ChangeError::Invalid(format!(
                "the configuration says where app {name} listens; fix: leave out --port, --host and --hosts"
            )));
        }
        Ok(None)
    }

    /// Switches back to an earlier deploy.
    ///
    /// # Errors
    /// Why it failed. Then nothing has changed.
    pub(crate) async fn rollback(
        &self,
        name: &AppName,
        order: &RollbackOrder,
    ) -> Result<Switched, ChangeError> {
        let deploys = self.deploys()?;
        let mut attempt = self.attempts.begin(name);
        let held = deploys.hold().await?;
        let next = |state: DeployState| state.rolled_back(name, order.to.as_deref(), SystemTime::now());
        let state = next(deploys.state())?;
        let Some(digest) = state.apps.get(name).map(|entry| entry.current.digest.to_string()) else {
            return Err(ChangeError::NotFound(format!("app {name} was never deployed")));
        };
        if !deploys.has_copy(&state, name) {
            return Err(ChangeError::NotFound(format!(
                "the copy of {digest} is gone; fix: deploy its folder again"
            )));
        }
        let switched = self.switch(deploys, held, name, next, &mut attempt).await;
        match &switched {
            Ok(()) => info!(app = %name, digest, "rolled back"),
            Err(why) => warn!(app = %name, %why, "not rolled back: everything goes on as before"),
        }
        switched?;
        Ok(Switched { app: name.to_string(), digest, copied: None })
    }

    /// Removes the deploys of an app. It is then served from its configured folder, or removed if it has none.
    ///
    /// # Errors
    /// Why it failed. Then nothing has changed.
    pub(crate) async fn remove(&self, name: &AppName) -> Result<Removed, ChangeError> {
        if self.was_never_deployed(name) {
            return Err(ChangeError::Conflict(format!(
                "app {name} was never deployed; fix: remove it from nano.toml and reload"
            )));
        }
        let deploys = self.deploys()?;
        let mut attempt = self.attempts.begin(name);
        let held = deploys.hold().await?;
        let config = self.config(deploys.deployed(&deploys.state().without(name))).await?;
        let folder = find(config, name).map(|spec| spec.root);
        if folder.is_some() {
            self.switch(deploys, held, name, |state| Ok(state.without(name)), &mut attempt).await?;
        } else {
            let changing = self.changing.lock().await;
            self.fleet.remove(name, deploys.commit(deploys.state().without(name))).await?;
            drop(changing);
            deploys.delete_unused(&held, |folder| self.fleet.folders().is_held(folder)).await;
        }
        info!(app = %name, folder = folder.as_ref().map(|path| tracing::field::display(path.display())), "deploys removed");
        Ok(Removed { app: name.to_string(), folder })
    }

    /// The deploys of an app, the current one first.
    pub(crate) fn deploys_of(&self, name: &AppName) -> Vec<DeployRow> {
        let Ok(deploys) = &self.deploys else { return Vec::new() };
        let state = deploys.state();
        let rows = state.apps.get(name).into_iter().flat_map(|entry| entry.deploys());
        let row = |(at, deploy): (usize, &crate::ops::deploy::state::Deploy)| DeployRow {
            digest: deploy.digest.to_string(),
            deployed_at: show_time(deploy.deployed_at),
            is_current: at == 0,
        };
        rows.enumerate().map(row).collect()
    }

    /// Whether the app has no deploy.
    fn was_never_deployed(&self, name: &AppName) -> bool {
        let is_deployed = |deploys: &Deploys| deploys.state().apps.contains_key(name);
        !self.deploys.as_ref().is_ok_and(is_deployed)
    }

    /// Deletes unused copies when the last worker that used them has ended. Returns if a successor has taken over.
    pub(crate) async fn keep_deleting_unused(&self) {
        let Ok(deploys) = &self.deploys else { return };
        let folders = self.fleet.folders();
        loop {
            let Ok(held) = deploys.hold().await else { return };
            deploys.delete_unused(&held, |folder| folders.is_held(folder)).await;
            drop(held);
            folders.released().await;
        }
    }

    /// Switches an app to the state that `next` computes, and commits that state. Locks nothing while the new worker starts.
    async fn switch<'a>(
        &self,
        deploys: &'a Deploys,
        held: MutexGuard<'a, ()>,
        name: &AppName,
        next: impl Fn(DeployState) -> Result<DeployState, ChangeError>,
        attempt: &mut Attempt,
    ) -> Result<(), ChangeError> {
        let spec = async |state: &DeployState| {
            let config = self.config(deploys.deployed(state)).await?;
            let gone = || {
                ChangeError::Conflict(format!(
                    "the configuration has no app {name} any more; fix: deploy it with --port"
                ))
            };
            find(config, name).ok_or_else(gone)
        };
        let tried = spec(&next(deploys.state())?).await;
        // No deploy refers to the copy yet: this protects it from deletion.
        let copy = tried.as_ref().ok().map(|spec| self.fleet.folders().hold(&spec.root));
        drop(held);
        let tried = match tried {
            Ok(spec) => self.fleet.try_out(spec, attempt.superseded()).await,
            Err(why) => Err(why),
        };
        let held = deploys.hold().await?;
        let switched = async {
            let (tried, _changing) = (tried?, self.changing.lock().await);
            attempt.check()?;
            let next = next(deploys.state())?;
            if spec(&next).await? != *tried.spec {
                return Err(ChangeError::Conflict(format!(
                    "the configuration of app {name} has changed meanwhile; fix: try again"
                )));
            }
            self.fleet.put(tried, deploys.commit(next)).await
        };
        let switched = switched.await;
        drop(copy);
        deploys.delete_unused(&held, |folder| self.fleet.folders().is_held(folder)).await;
        switched
    }

    async fn config(&self, deployed: Vec<Deployed>) -> Result<Config, ChangeError> {
        self.read(deployed).await.map_err(|problems| ChangeError::Config(problems.to_string()))
    }

    fn deploys(&self) -> Result<&Deploys, ChangeError> {
        self.deploys.as_ref().map_err(|why| {
            let fix = "start the supervisor with --state-dir DIR, or set `state_dir` in its configuration";
            ChangeError::Conflict(format!("this supervisor cannot keep deploys: {why}; fix: {fix}"))
        })
    }
}

fn find(config: Config, name: &AppName) -> Option<AppSpec> {
    config.apps.into_iter().find(|app| app.name == *name)
}
