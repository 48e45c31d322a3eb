//! Decides which connections are closed when there is no room for all of them.
//!
//! While there is room, every connection is admitted. The last quarter of the slots is reserved for clients with few
//! connections, and the last eighth for listening addresses with few. Any other client then gets a slot only if one of
//! its own idle connections can be closed. Only idle connections are closed: first those of the client with the most
//! connections, and of these the one that has been idle longest. A connection with a request in flight is never closed.

use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::{Rc, Weak};

use super::slot::{Admitted, ConnectionSlot, ListenerConnections};
use super::{Admission, AdmissionError, longest_head};
use crate::model::overdue::Overdue;
use crate::model::shares::{self, ClientKey};
use crate::telemetry::occupancy::Event;

/// Ticks for which a connection must have been idle before it can be closed to make room, unless its client has many: a
/// new connection is about to send something.
const SETTLED: u64 = 4;

/// The fraction of all slots that is reserved for listening addresses with few connections, as a divisor.
const DOORS: usize = 8;

/// The fraction of all connections, as a divisor, that is closed at once where one client has many: the search is
/// expensive.
const BATCH: usize = 64;

impl Admission {
    /// Makes room for one connection. A client that has many loses one of its own, a listening address that has many
    /// loses one of its own, and for all others any connection may be closed.
    pub(super) fn make_room(
        &self,
        (from, key): (IpAddr, ClientKey),
        own: usize,
        listener: &ListenerConnections,
    ) -> Result<(), AdmissionError> {
        let limit = self.limit();
        if self.is_heavy(from, own, limit) {
            if self.shed(&|slot| slot.key == key) {
                return Ok(());
            }
            self.counts.count(Event::Refused);
            return Err(AdmissionError::Rejected);
        }
        let is_made = match listener.open.get() {
            open if self.is_heavy_listener(open) => {
                self.staying() < limit - limit / DOORS
                    || self.shed(&|slot| self.is_heavy_listener(slot.listener.count()))
            }
            _ => self.staying() < limit || self.shed_any(),
        };
        if is_made { Ok(()) } else { Err(AdmissionError::Wait) }
    }

    /// Returns whether this many connections are many for one address. A trusted proxy never counts as having many.
    fn is_heavy(&self, address: IpAddr, count: usize, limit: usize) -> bool {
        count >= shares::little(limit, 1) && self.is_counted(address)
    }

    /// Returns whether a listening address with this many open connections has more than its share.
    fn is_heavy_listener(&self, open: usize) -> bool {
        open * self.listeners.borrow().len() > self.limit()
    }

    /// Closes any connection that can be closed. If there is none, searches again only after the next tick.
    pub(crate) fn shed_any(&self) -> bool {
        if self.in_vain.get() == Some(self.now()) {
            return false;
        }
        let is_made = self.shed(&|_| true);
        self.in_vain.set((!is_made).then(|| self.now()));
        is_made
    }

    /// Closes the idle connection that can best be spared, out of those for which `may` returns true. If its client has
    /// many, closes several of them.
    fn shed(&self, may: &dyn Fn(&ConnectionSlot) -> bool) -> bool {
        let (limit, now) = (self.limit(), self.now());
        let can_go = |client: Rc<dyn Admitted>| {
            let since = client.idle_since()?;
            let (slot, own) = (client.slot(), client.slot().address.count());
            let is_heavy = self.is_heavy(slot.from, own, limit);
            if !may(slot) || (!is_heavy && now - since < SETTLED) {
                return None;
            }
            let weight = if is_heavy { own } else { 0 };
            let rank = (!self.is_heavy_listener(slot.listener.count()), usize::MAX - weight, since);
            Some((rank, client))
        };
        let clients = self.clients.borrow();
        let mut idle: Vec<_> = clients.iter().filter_map(|client| can_go(client.upgrade()?)).collect();
        drop(clients);
        idle.sort_by_key(|(rank, _)| *rank);
        let Some(((_, first, _), _)) = idle.first() else { return false };
        let (first, batch) = (*first, if *first == usize::MAX { 1 } else { (limit / BATCH).max(1) });
        for (_, client) in idle.iter().take(batch).take_while(|((_, weight, _), _)| *weight == first) {
            self.population.leaving.set(self.population.leaving.get() + 1);
            client.slot().is_leaving.set(true);
            client.end(Overdue::Shed);
        }
        true
    }

    /// Returns the limit, in bytes, of all unfinished heads on this thread. It allows at least one head of the greatest
    /// length.
    fn most_heads(&self) -> usize {
        let settings = self.settings.borrow();
        self.share(settings.max_heads).max(longest_head(&settings))
    }

    /// Updates the total when an unfinished head has grown or was completed.
    pub(crate) fn count_head(&self, before: usize, now: usize) {
        self.heads.set(self.heads.get() - before + now);
        let most = self.most_heads();
        if now > before && self.heads.get() > most {
            self.end_heads(shares::common(most));
        }
    }

    /// Closes connections with unfinished heads until these have at most `most` bytes in total: first those of the
    /// client with the most bytes, and of these the oldest.
    fn end_heads(&self, most: usize) {
        let clients: Vec<_> = self.clients.borrow().iter().filter_map(Weak::upgrade).collect();
        let mut held = HashMap::<ClientKey, usize>::new();
        for client in &clients {
            *held.entry(client.slot().key).or_default() += client.head();
        }
        let mut begun: Vec<_> = clients.into_iter().filter(|client| client.head() > 0).collect();
        begun.sort_by_key(|client| {
            let slot = client.slot();
            let weight = if self.is_counted(slot.from) { held[&slot.key] } else { 0 };
            let idle = client.idle_since();
            (usize::MAX - weight, idle.is_none(), idle)
        });
        for client in begun {
            if self.heads.get() <= most {
                return;
            }
            client.end(Overdue::Head);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::{ForwardedPolicy, ServerSettings};
    use crate::edge::admission::REST_OF_HEAD;
    use crate::edge::client::Client;
    use crate::edge::client::serving::Serving;
    use crate::edge::descriptors::Descriptors;
    use crate::model::ids::ListenerId;

    /// A thread with this many slots and two listening addresses.
    struct Tested {
        admission: Rc<Admission>,
        listeners: [Rc<ListenerConnections>; 2],
        clients: Vec<Rc<Client>>,
    }

    impl Tested {
        fn new(max_connections: usize) -> Self {
            let settings = ServerSettings { io_threads: 1, max_connections, ..ServerSettings::default() };
            let admission = Rc::new(Admission::new(settings, Descriptors::PLENTY, Arc::default()));
            let listeners = [1, 2].map(|id| admission.add_listener(ListenerId(id)));
            Self { admission, listeners, clients: Vec::new() }
        }

        /// Opens a connection from an address, if it is admitted.
        fn comes(&mut self, address: u8, listener: usize) -> Option<Rc<Client>> {
            let slot =
                self.admission.admit([192, 0, 2, address].into(), &self.listeners[listener], false).ok()?;
            let client = Rc::new(Client::new(&self.admission, slot, &Rc::default()));
            self.admission.enter(&client);
            self.clients.push(client.clone());
            Some(client)
        }

        /// Opens a connection with a request in flight.
        fn busy(&mut self, address: u8, listener: usize) -> Option<Serving> {
            self.comes(address, listener).map(|client| Serving::new(&client))
        }

        /// Returns the indexes of the connections that are not idle, in the order in which they came: those that were
        /// told to close, and those with a request in flight.
        fn gone(&self) -> Vec<usize> {
            let is_gone = |index: &usize| self.clients[*index].idle_since().is_none();
            (0..self.clients.len()).filter(is_gone).collect()
        }

        fn settle(&self) {
            (0..SETTLED).for_each(|_| self.admission.tick());
        }
    }

    #[test]
    fn who_has_much_gives_up_its_own_idle_connections_the_longest_idle_first() {
        let mut tested = Tested::new(16);
        let early = tested.comes(1, 1).unwrap();
        tested.admission.tick();
        for _ in 0..11 {
            tested.comes(66, 0).unwrap();
        }
        assert_eq!(tested.gone(), [0; 0]);
        for gone in 1..=20 {
            assert!(tested.comes(66, 0).is_some());
            assert_eq!(tested.gone(), (1..=gone).collect::<Vec<_>>());
        }
        assert!(tested.comes(2, 1).is_some() && early.idle_since().is_some());
    }

    #[test]
    fn what_is_under_way_stays_and_the_last_places_are_for_others() {
        let mut tested = Tested::new(16);
        let mut busy: Vec<_> = (0..12).map(|_| tested.busy(66, 0).unwrap()).collect();
        assert!(tested.comes(66, 0).is_none() && tested.comes(66, 1).is_none(), "nothing of it is idle");
        for address in 1..=4 {
            busy.push(tested.busy(address, 1).unwrap());
        }
        assert!(tested.comes(5, 1).is_none(), "all is taken by those who wait for answers");
        drop(busy.remove(3));
        tested.admission.tick();
        assert!(tested.comes(5, 1).is_some());
        // A connection with a request in flight does not count as idle.
        assert!(tested.clients[3].idle_since().is_none());
    }

    #[test]
    fn an_address_that_many_use_leaves_room_for_the_others() {
        let mut tested = Tested::new(16);
        // Each connection has its own client, and none of these has many.
        let busy: Vec<_> = (0..14).map(|address| tested.busy(address, 0).unwrap()).collect();
        assert!(tested.busy(100, 0).is_none());
        let others: Vec<_> = (200..202).map(|address| tested.busy(address, 1).unwrap()).collect();
        assert_eq!((busy.len(), others.len()), (14, 2));
    }

    #[test]
    fn one_that_has_just_come_may_say_what_it_wants() {
        let mut tested = Tested::new(4);
        for address in 1..=4 {
            tested.comes(address, usize::from(address % 2)).unwrap();
        }
        *tested.admission.settings.borrow_mut() = Rc::new(ServerSettings {
            forwarded: ForwardedPolicy::Append,
            ..(*tested.admission.settings()).clone()
        });
        assert!(tested.comes(5, 0).is_none());
        tested.settle();
        assert!(tested.comes(5, 0).is_some());
    }

    #[test]
    fn a_head_of_the_greatest_length_fits_however_many_threads_there_are() {
        let settings = ServerSettings { io_threads: 64, max_heads: 128 << 10, ..ServerSettings::default() };
        let greatest = settings.max_uri + settings.max_header;
        let admission = Rc::new(Admission::new(settings, Descriptors::PLENTY, Arc::default()));
        let listener = admission.add_listener(ListenerId(1));
        let mut tested = Tested { admission, listeners: [listener.clone(), listener], clients: Vec::new() };
        let client = tested.comes(1, 0).unwrap();
        tested.admission.count_head(0, greatest);
        assert!(client.idle_since().is_some());
        assert_eq!(tested.admission.most_heads(), greatest + REST_OF_HEAD);
    }

    #[test]
    fn places_are_given_back() {
        let mut tested = Tested::new(16);
        for round in 0..100 {
            assert!(tested.comes(66, 0).is_some(), "{round}");
            tested.clients.clear();
        }
        assert_eq!(
            (
                tested.admission.population.open.get(),
                tested.admission.population.leaving.get(),
                tested.listeners[0].open.get()
            ),
            (0, 0, 0)
        );
    }
}
