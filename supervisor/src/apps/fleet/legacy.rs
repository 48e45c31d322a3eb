//! The state that a successor inherits and that is in no configuration: stopped apps, quarantined requests, crash reports, and when
//! crons were due.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Fleet;
use crate::api::crash::Crash;
use crate::apps::lifecycle::Action;
use crate::apps::schedule::store::LastDue;
use crate::model::kind::Kind;
use crate::model::state::AppState;

/// The state of all apps that a successor inherits.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Legacy {
    /// The names of the stopped apps.
    stopped: Vec<String>,
    /// The kinds of requests that are refused, by app.
    refused: BTreeMap<String, Vec<Kind>>,
    /// The crash reports, latest first.
    crashes: Vec<Crash>,
    /// Up to when each cron was looked after.
    last_due: LastDue,
}

impl Fleet {
    /// Returns the names of the apps that are stopped.
    pub(crate) fn stopped(&self) -> Vec<String> {
        let stopped = self.registry().gauges().into_iter().filter(|app| app.state == AppState::Stopped);
        stopped.map(|app| app.name).collect()
    }

    /// Collects the state for a successor, which looks after the crons from now on.
    pub(crate) fn legacy(&self) -> Legacy {
        let members = self.members.borrow();
        let refused = members
            .iter()
            .map(|member| (member.spec.name.to_string(), self.shared.quarantine.refused(member.app)))
            .filter(|(_, kinds)| !kinds.is_empty());
        self.schedule.turn(false);
        Legacy {
            stopped: self.stopped(),
            refused: refused.collect(),
            crashes: self.crashes().of(None),
            last_due: self.schedule.last_due(),
        }
    }

    /// Takes over the state of the predecessor. Apps that were stopped or started there while this supervisor was starting are
    /// stopped or started here, too.
    pub(crate) async fn inherit(&self, legacy: Legacy) {
        self.crashes().inherit(legacy.crashes);
        self.schedule.inherit(legacy.last_due);
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
                // Clients wait for this supervisor, so it must not wait for that app.
                tokio::task::spawn_local(async move { member.lifeline.tell(action).await });
            }
        }
    }

    fn is_stopped(&self, name: &str) -> bool {
        self.stopped().iter().any(|stopped| stopped == name)
    }
}
