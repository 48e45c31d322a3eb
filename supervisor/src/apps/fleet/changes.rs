//! Applies a changed configuration to one app, and records the outcome.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinHandle};
use tokio::time::timeout;
use tracing::warn;

use crate::api::changes::Changes;
use crate::apps::lifecycle::{Action, Lifeline, Outcome};
use crate::config::AppSpec;
use crate::model::change_error::ChangeError;

/// How long a change waits for an app that gets another worker. After that the app is late, and the change goes on without it.
const PROMPT: Duration = Duration::from_secs(1);

/// A change of an app whose next worker is slow to start. The app runs as before until that worker is ready.
#[derive(Debug)]
pub(crate) struct Late {
    /// The configuration that it gets when the worker is ready.
    pub(super) new: Arc<AppSpec>,
    pub(super) lifeline: Rc<Lifeline>,
    /// The app's turn when it was told. If it has another turn by now, a later change has superseded this one.
    pub(super) turn: u64,
    pub(super) told: JoinHandle<Outcome>,
}

/// Applies a configuration to an app, and returns the one that it runs with now. If that is not decided soon, the app is added
/// to `late`.
pub(super) async fn change(
    lifeline: &Rc<Lifeline>,
    old: Option<&Arc<AppSpec>>,
    new: Arc<AppSpec>,
    changes: &mut Changes,
    late: &mut Vec<Late>,
) -> Arc<AppSpec> {
    let (line, spec) = (lifeline.clone(), new.clone());
    let mut told = tokio::task::spawn_local(async move { line.tell(Action::Configure(spec)).await });
    let outcome = match timeout(PROMPT, &mut told).await {
        Ok(outcome) => outcome_of(outcome),
        Err(_) => {
            let turn = lifeline.turn();
            late.push(Late { new: new.clone(), lifeline: lifeline.clone(), turn, told });
            return old.cloned().unwrap_or(new);
        }
    };
    let is_new = matches!(outcome, Ok(true)) || old.is_none_or(|old| *old != new);
    if changes.record(&new, outcome, is_new) { new } else { old.cloned().unwrap_or(new) }
}

pub(super) fn outcome_of(told: Result<Outcome, JoinError>) -> Outcome {
    told.unwrap_or_else(|error| Err(ChangeError::System(error.to_string())))
}

impl Changes {
    /// Records the outcome of a change. Returns whether the app runs with `new` now.
    pub(super) fn record(&mut self, new: &AppSpec, outcome: Outcome, is_new: bool) -> bool {
        let name = new.name.to_string();
        match outcome {
            Ok(_) => {
                if is_new {
                    self.changed.push(name);
                }
                true
            }
            Err(why) => {
                warn!(app = name, %why, "the app could not be changed; it goes on as before");
                self.failed.push((name, why.to_string()));
                false
            }
        }
    }
}

/// Logs the warnings of new configurations.
pub(super) fn log_warnings(specs: &[&Arc<AppSpec>]) {
    for spec in specs {
        for warning in &spec.warnings {
            warn!(app = %spec.name, "{warning}");
        }
    }
    let is_exposed = |spec: &&&Arc<AppSpec>| {
        spec.settings.development
            && spec.fault.is_none()
            && spec
                .listen
                .as_ref()
                .is_some_and(|listen| listen.host.is_none_or(|host| !host.to_canonical().is_loopback()))
    };
    let exposed: Vec<_> = specs.iter().filter(is_exposed).map(|spec| spec.name.as_str()).collect();
    if !exposed.is_empty() {
        let apps = exposed.join(",");
        warn!(
            apps,
            "development mode shows errors and source code to everyone who can connect, and not only this machine can"
        );
    }
}
