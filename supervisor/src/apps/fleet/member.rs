//! One running app of the fleet.

use std::rc::Rc;
use std::sync::Arc;

use crate::apps::lifecycle::Lifeline;
use crate::config::AppSpec;
use crate::edge::commands::UpstreamSpec;
use crate::model::ids::AppId;
use crate::telemetry::traffic::Traffic;

/// An app as the fleet runs it.
#[derive(Debug, Clone)]
pub(super) struct RunningApp {
    pub(super) app: AppId,
    pub(super) spec: Arc<AppSpec>,
    pub(super) traffic: Arc<Traffic>,
    pub(super) lifeline: Rc<Lifeline>,
}

impl RunningApp {
    pub(super) fn routed(&self) -> UpstreamSpec {
        UpstreamSpec { app: self.app, spec: self.spec.clone(), traffic: self.traffic.clone() }
    }

    pub(super) async fn ended(&self) {
        self.lifeline.ended().await;
    }
}
