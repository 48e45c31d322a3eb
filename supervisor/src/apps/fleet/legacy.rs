//! What a successor is told of the apps that no configuration says: which are stopped, what is refused, how workers have ended.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Fleet;
use crate::api::crash::Crash;
use crate::apps::lifecycle::Action;
use crate::model::kind::Kind;
use crate::model::state::AppState;

/// What the apps leave to a successor.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Legacy {
    /// The apps that are stopped by now.
    stopped: Vec<String>,
    /// Which requests are refused, by app.
    refused: BTreeMap<String, Vec<Kind>>,
    /// What is left of workers, latest first.
    crashes: Vec<Crash>,
}

impl Fleet {
    /// The apps that have no worker and are to have none.
    pub(crate) fn stopped(&self) -> Vec<String> {
        let stopped = self.registry().gauges().into_iter().filter(|app| app.state == AppState::Stopped);
        stopped.map(|app| app.name).collect()
    }

    /// What a successor is to know.
    pub(crate) fn legacy(&self) -> Legacy {
        let members = self.members.borrow();
        let refused = members
            .iter()
            .map(|member| (member.spec.name.to_string(), self.shared.quarantine.refused(member.app)))
            .filter(|(_, kinds)| !kinds.is_empty());
        Legacy { stopped: self.stopped(), refused: refused.collect(), crashes: self.crashes().of(None) }
    }

    /// Takes over what the supervisor before this one knew. What was stopped or started there while this one began is so here,
    /// too.
    pub(crate) async fn inherit(&self, legacy: Legacy) {
        self.crashes().inherit(legacy.crashes);
        let members = self.members.borrow().clone();
        for member in members {
            let name = member.spec.name.as_str();
            if let Some(kinds) = legacy.refused.get(name).filter(|_| member.spec.settings.quarantine) {
                let kinds = self.shared.quarantine.inherit(member.app, kinds.clone());
                self.shared.io_threads.quarantine(member.app, kinds).await;
            }
            let (was, is) = (legacy.stopped.iter().any(|app| app == name), self.is_stopped(name));
            if was != is {
                let action = if was { Action::Stop } else { Action::Start };
                // Clients wait for this supervisor, not for that app.
                tokio::task::spawn_local(async move { member.lifeline.tell(action).await });
            }
        }
    }

    fn is_stopped(&self, name: &str) -> bool {
        self.stopped().iter().any(|stopped| stopped == name)
    }
}
