//! The places of an app's WebSockets, and what limits the bytes that are buffered of them.

use std::sync::Arc;

use nano_protocol::Budget;

use super::inflating::{InflatePlaces, Inflating};
use crate::config::AppSpec;
use crate::model::refusal::Refusal;
use crate::model::shares::{self, ClientKey, Holders, Holding};
use crate::telemetry::traffic::{Limit, Traffic};

/// The places for WebSockets of an app, as one I/O thread sees them.
#[derive(Debug)]
pub(crate) struct SocketPlaces {
    traffic: Arc<Traffic>,
    /// The WebSockets of each client on this thread.
    clients: Holders,
    /// Compressed messages that have not arrived as a whole.
    inflating: Inflating,
    /// Limits the bytes of WebSockets that are buffered on this thread. It is not that of bodies: WebSockets last, and their
    /// windows would leave none for requests.
    pub budget: Arc<Budget>,
}

impl SocketPlaces {
    /// Creates places none of which is taken. `most` is the number of bytes that may be buffered.
    pub(super) fn new(traffic: &Arc<Traffic>, most: usize) -> Self {
        let budget = Arc::new(Budget::new(most, None));
        let inflating = Inflating::new(traffic);
        Self { traffic: traffic.clone(), clients: Holders::default(), inflating, budget }
    }

    /// Takes a place.
    ///
    /// # Errors
    /// [`Refusal::TooManyWebSockets`] if all places are taken, or if the free ones are reserved for other clients.
    pub(crate) fn enter(&self, spec: &AppSpec, client: ClientKey) -> Result<SocketPlace, Refusal> {
        let held = self.clients.of(client);
        let (max, taken) = (spec.limits.max_websockets, self.traffic.sockets());
        if shares::may_have(max, taken, held.get(), self.traffic.threads()) && self.traffic.open_socket(max) {
            return Ok(SocketPlace { traffic: self.traffic.clone(), _held: Holding::new(held) });
        }
        self.traffic.count_broken(Limit::WebSockets, 1);
        Err(Refusal::TooManyWebSockets)
    }

    /// Returns the places for compressed messages that a client may take.
    pub(crate) fn inflating(&self, spec: &AppSpec, client: ClientKey) -> InflatePlaces {
        self.inflating.places(spec.limits.max_websockets, client)
    }
}

/// A WebSocket's place among those of the app, and among those of its client. Released when dropped.
#[derive(Debug)]
pub(crate) struct SocketPlace {
    traffic: Arc<Traffic>,
    _held: Holding,
}

impl Drop for SocketPlace {
    fn drop(&mut self) {
        self.traffic.close_socket();
    }
}
