//! What an operator can have the supervisor do while it runs; signals and the control socket both end here.

use std::rc::Rc;

use tracing::{error, info};

use crate::config::Sources;
use crate::crashes::Crash;
use crate::fleet::{Changes, Fleet};
use crate::lifecycle::{Action, Outcome};
use crate::registry::AppStatus;

/// Carries out what operators ask for.
#[derive(Debug)]
pub struct Operator {
    fleet: Rc<Fleet>,
    sources: Sources,
}

impl Operator {
    /// For this fleet, whose configuration comes from `sources`.
    pub fn new(fleet: Rc<Fleet>, sources: Sources) -> Self {
        Self { fleet, sources }
    }

    /// Every app.
    pub fn status(&self) -> Vec<AppStatus> {
        self.fleet.registry().status()
    }

    /// The process ids of the workers that have no app yet.
    pub fn spares(&self) -> Vec<u32> {
        self.fleet.spares().pids()
    }

    /// What is left of workers that ended unasked, of one app or of all, latest first.
    pub fn crashes(&self, app: Option<&str>) -> Vec<Crash> {
        self.fleet.crashes().of(app)
    }

    /// Reads the configuration again, and makes what runs what it says now. An invalid one changes nothing.
    ///
    /// # Errors
    /// What is wrong with the configuration, or which address cannot be bound; for people.
    pub async fn reload(&self) -> Result<Changes, String> {
        let loaded = self.sources.load().map_err(|problems| problems.to_string());
        let applied = match loaded {
            Ok(config) => self.fleet.apply(config).await.map_err(|error| error.to_string()),
            Err(problems) => Err(problems),
        };
        match &applied {
            Ok(Changes { added, removed, changed, failed, notes }) => {
                let failed: Vec<_> = failed.iter().map(|(app, _)| app.as_str()).collect();
                let list = |names: &[String]| names.join(",");
                info!(
                    added = list(added),
                    removed = list(removed),
                    changed = list(changed),
                    failed = failed.join(","),
                    notes = notes.join("; "),
                    "reloaded"
                );
            }
            Err(why) => error!(%why, "not reloaded: everything goes on as before"),
        }
        applied
    }

    /// Whether there is an app of this name.
    pub fn has(&self, app: &str) -> bool {
        self.fleet.has(app)
    }

    /// That there is no app of this name, and which there are; for people.
    pub fn no_such_app(&self, app: &str) -> String {
        self.fleet.no_such_app(app)
    }

    /// Tells an app what to do, and waits until it has.
    ///
    /// # Errors
    /// Why that did not work, for people.
    pub async fn tell(&self, app: &str, action: Action) -> Outcome {
        self.fleet.tell(app, action).await
    }
}
