//! The next set of apps, while it is being decided how much of a configuration can take effect.

use std::collections::HashMap;
use std::io;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;

use super::member::RunningApp;
use super::settle::Settled;
use crate::apps::lifecycle::Lifeline;
use crate::config::AppSpec;
use crate::edge::commands::UpstreamSpec;
use crate::model::ids::{AppId, ListenerId};
use crate::telemetry::traffic::Traffic;

/// The next set of apps.
pub(super) struct NextFleet {
    pub(super) before: Vec<RunningApp>,
    pub(super) settled: Vec<Settled>,
    /// The apps as they are to become, in the same order as `settled`.
    pub(super) wanted: Vec<WantedApp>,
    pub(super) sockets: HashMap<ListenerId, Vec<TcpListener>>,
}

/// The outcome of binding addresses.
pub(super) struct Bound {
    pub(super) sockets: HashMap<ListenerId, Vec<TcpListener>>,
    /// The apps whose address could not be bound, and why.
    pub(super) failed: Vec<(AppId, io::Error)>,
}

/// An app as it is to become.
pub(super) struct WantedApp {
    pub(super) app: AppId,
    pub(super) spec: Arc<AppSpec>,
    pub(super) traffic: Arc<Traffic>,
    /// The handle to its task, or `None` if it is new.
    pub(super) lifeline: Option<Rc<Lifeline>>,
}

impl WantedApp {
    pub(super) fn routed(&self) -> UpstreamSpec {
        UpstreamSpec { app: self.app, spec: self.spec.clone(), traffic: self.traffic.clone() }
    }

    /// Returns the handle to the app's task, if the app has the name of `spec` and already runs.
    pub(super) fn lifeline_of(&self, spec: &AppSpec) -> Option<&Rc<Lifeline>> {
        self.lifeline.as_ref().filter(|_| self.spec.name == spec.name)
    }
}
