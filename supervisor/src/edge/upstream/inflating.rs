//! The places of compressed messages that have not arrived as a whole. Each holds what has been inflated last, to which what follows may
//! refer: about 48 KiB.

use std::sync::Arc;

use crate::model::shares::{self, ClientKey, Held, Holders, Holding};
use crate::telemetry::traffic::{Limit, Traffic};

/// How many WebSockets an app may have for each place.
const SOCKETS: usize = 16;

/// Places of an app at least.
const LEAST: usize = 16;

/// Such messages of an app on one I/O thread.
#[derive(Debug)]
pub(super) struct Inflating {
    traffic: Arc<Traffic>,
    taken: Held,
    /// Those of each client.
    clients: Holders,
}

/// The places that a client may take.
#[derive(Debug, Clone)]
pub(crate) struct InflatePlaces {
    traffic: Arc<Traffic>,
    taken: Held,
    held: Held,
    /// How many there are on this thread.
    most: usize,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(crate) struct InflatePlace {
    _taken: Holding,
    _held: Holding,
}

impl Inflating {
    pub(super) fn new(traffic: &Arc<Traffic>) -> Self {
        Self { traffic: traffic.clone(), taken: Held::default(), clients: Holders::default() }
    }

    /// Returns the places that a client may take of an app that may have this many WebSockets.
    pub(super) fn places(&self, sockets: usize, client: ClientKey) -> InflatePlaces {
        InflatePlaces {
            traffic: self.traffic.clone(),
            taken: self.taken.clone(),
            held: self.clients.of(client),
            most: ((sockets / SOCKETS).max(LEAST) / self.traffic.threads().max(1)).max(1),
        }
    }
}

impl InflatePlaces {
    /// Takes a place. None if all are taken, or if the free ones are reserved for other clients.
    pub(crate) fn enter(&self) -> Option<InflatePlace> {
        if shares::may_have(self.most, self.taken.get(), self.held.get(), 1) {
            let [taken, held] = [&self.taken, &self.held].map(|count| Holding::new(count.clone()));
            return Some(InflatePlace { _taken: taken, _held: held });
        }
        self.traffic.count_broken(Limit::Inflating, 1);
        None
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn a_client_does_not_take_all_places() {
        let traffic = Arc::new(Traffic::new(2));
        let inflating = Inflating::new(&traffic);
        let of = |address: [u8; 4]| inflating.places(512, ClientKey::from(IpAddr::from(address)));
        let (greedy, modest) = (of([1; 4]), of([2; 4]));
        let mut taken: Vec<_> = std::iter::repeat_with(|| greedy.enter()).map_while(|place| place).collect();
        assert_eq!((taken.len(), traffic.broken(Limit::Inflating)), (12, 1));
        let other = modest.enter().unwrap();
        taken.pop();
        assert!(greedy.enter().is_none() && modest.enter().is_none());
        drop(other);
        assert!(greedy.enter().is_some() && modest.enter().is_some());
    }
}
