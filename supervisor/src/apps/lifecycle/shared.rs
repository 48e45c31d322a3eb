//! What the lives of all apps share.

use std::cell::Cell;
use std::time::Duration;

use super::folders::Folders;
use super::orders::Orders;
use super::turns::Turns;
use crate::apps::crashes::Crashes;
use crate::apps::quarantine::Quarantine;
use crate::apps::registry::Registry;
use crate::edge::commands::IoThreads;
use crate::process::Spares;

/// How long an app that starts has the processors for itself.
const BOOT: Duration = Duration::from_secs(1);

/// What all apps share.
#[derive(Debug)]
pub(crate) struct AppsShared {
    /// Where their states are kept.
    pub registry: Registry,
    /// Where their workers' connections go.
    pub io_threads: IoThreads,
    /// The way to give workers orders.
    pub orders: Orders,
    /// What is left of workers that ended unasked.
    pub crashes: Crashes,
    /// Worker processes without an app.
    pub spares: Spares,
    /// Which requests are refused because they end workers.
    pub quarantine: Quarantine,
    /// Who may start a worker when.
    pub turns: Turns,
    /// The folders that workers are served from.
    pub folders: Folders,
    /// How long a worker that has been replaced or stopped may take to finish what is in flight.
    pub drain_timeout: Cell<Duration>,
}

impl AppsShared {
    /// Boots spares that are missing, unless an app waits for a worker: that has the processor for itself.
    pub(crate) fn tend_spares(&self) {
        // One that takes its time is not about processors.
        if !self.registry.is_any_starting(BOOT) {
            self.spares.refill();
        }
    }
}
