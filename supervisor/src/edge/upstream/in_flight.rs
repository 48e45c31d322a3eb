//! The place of a request among those of its app that are in flight.

use std::sync::Arc;

use crate::model::shares::{Held, Holding};
use crate::telemetry::traffic::Traffic;

/// A request's slot among those in flight, and among those of its client. Released when dropped.
#[derive(Debug)]
pub(crate) struct InFlight {
    traffic: Arc<Traffic>,
    held: Holding,
}

impl InFlight {
    /// Takes a slot, for a client that has `held` of them already. `None` if the app has `most` requests in flight.
    pub(super) fn enter(traffic: &Arc<Traffic>, most: usize, held: Held) -> Option<Self> {
        traffic.enter(most).then(|| Self { traffic: traffic.clone(), held: Holding::new(held) })
    }

    /// Returns the number of its client's requests in flight, including this one.
    pub(super) fn held(&self) -> usize {
        self.held.count()
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.traffic.leave();
    }
}
