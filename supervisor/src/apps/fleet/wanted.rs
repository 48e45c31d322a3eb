//! What is to be next, while it is found out how far that can be.

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

/// What is to be next.
pub(super) struct NextFleet {
    pub(super) before: Vec<RunningApp>,
    pub(super) settled: Vec<Settled>,
    /// In the same order.
    pub(super) wanted: Vec<WantedApp>,
    pub(super) sockets: HashMap<ListenerId, Vec<TcpListener>>,
}

/// What came of binding.
pub(super) struct Bound {
    pub(super) sockets: HashMap<ListenerId, Vec<TcpListener>>,
    /// The apps that could not have their address, and why.
    pub(super) failed: Vec<(AppId, io::Error)>,
}

/// An app as it is to be.
pub(super) struct WantedApp {
    pub(super) app: AppId,
    pub(super) spec: Arc<AppSpec>,
    pub(super) traffic: Arc<Traffic>,
    /// None if it is new.
    pub(super) lifeline: Option<Rc<Lifeline>>,
}

impl WantedApp {
    pub(super) fn routed(&self) -> UpstreamSpec {
        UpstreamSpec { app: self.app, spec: self.spec.clone(), traffic: self.traffic.clone() }
    }

    /// The app's lifeline, if this is the app of that name and it is there already.
    pub(super) fn lifeline_of(&self, spec: &AppSpec) -> Option<&Rc<Lifeline>> {
        self.lifeline.as_ref().filter(|_| self.spec.name == spec.name)
    }
}
