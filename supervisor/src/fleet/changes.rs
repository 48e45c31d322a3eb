//! What a change of the configuration came to.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::config::AppSpec;
use crate::lifecycle::{Action, Lifeline};

/// What a change of the configuration came to; names of apps.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// New apps.
    pub added: Vec<String>,
    /// Apps that are gone.
    pub removed: Vec<String>,
    /// Apps that live by another configuration.
    pub changed: Vec<String>,
    /// Apps that could not be changed and go on as before, each with the reason.
    pub failed: Vec<(String, String)>,
    /// Apps that cannot be run as they are configured and have nothing to go on with, each with the reason.
    #[serde(default)]
    pub broken: Vec<(String, String)>,
    /// What else the operator should know.
    pub notes: Vec<String>,
}

/// Makes an app live by another configuration; by which it lives in the end.
pub(super) async fn change(
    lifeline: &Lifeline,
    old: Option<&Arc<AppSpec>>,
    new: Arc<AppSpec>,
    changes: &mut Changes,
) -> Arc<AppSpec> {
    let name = new.name.to_string();
    match lifeline.tell(Action::Configure(new.clone())).await {
        Ok(did_roll) => {
            if did_roll || old.is_none_or(|old| *old != new) {
                changes.changed.push(name);
            }
            new
        }
        Err(why) => {
            warn!(app = name, %why, "the app could not be changed; it goes on as before");
            changes.failed.push((name, why));
            old.cloned().unwrap_or(new)
        }
    }
}

/// What the operator should know of new configurations.
pub(super) fn warn_of(specs: &[&Arc<AppSpec>]) {
    for spec in specs {
        for warning in &spec.warnings {
            warn!(app = %spec.name, "{warning}");
        }
    }
    let is_exposed = |spec: &&&Arc<AppSpec>| {
        spec.development
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
