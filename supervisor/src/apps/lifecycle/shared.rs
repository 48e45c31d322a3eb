//! State that the tasks of all apps share.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::events::EventTargets;
use super::folders::Folders;
use super::orders::Orders;
use super::turns::Turns;
use crate::apps::crashes::Crashes;
use crate::apps::quarantine::Quarantine;
use crate::apps::registry::Registry;
use crate::edge::commands::IoThreads;
use crate::process::Spares;

/// For how long a starting app keeps spares from being booted.
const BOOT: Duration = Duration::from_secs(1);

/// State that the tasks of all apps share.
#[derive(Debug)]
pub(crate) struct AppsShared {
    pub registry: Registry,
    /// The I/O threads, which the connections of workers are sent to.
    pub io_threads: IoThreads,
    pub orders: Orders,
    /// The workers that take events.
    pub events: Rc<EventTargets>,
    /// Reports of unexpected exits.
    pub crashes: Crashes,
    /// Worker processes without an app.
    pub spares: Spares,
    /// The requests that are refused because they end workers.
    pub quarantine: Quarantine,
    /// Decides when each app may start a worker.
    pub turns: Turns,
    /// The folders that workers are served from.
    pub folders: Folders,
    /// How long a replaced or stopped worker has to finish what is in flight.
    pub drain_timeout: Cell<Duration>,
}

impl AppsShared {
    /// Boots missing spares, unless an app is starting a worker: that one gets the processors for itself.
    pub(crate) fn tend_spares(&self) {
        // A start that takes longer than `BOOT` is not limited by processor time.
        if !self.registry.is_any_starting(BOOT) {
            self.spares.refill();
        }
    }
}
