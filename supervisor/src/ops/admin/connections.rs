//! The connection limit of the admin listener. A new connection is always accepted, so that probes are answered whatever
//! other clients do. When all slots are taken, an idle connection is closed: of the client with the most connections, the one
//! that has been idle longest.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Instant;

use tokio::sync::Notify;

/// Maximum number of open connections.
pub(crate) const MOST: usize = 256;

/// Maximum number of active requests, not counting probes but counting followers of the log. Lower than [`MOST`], so that
/// there is always an idle connection to close.
pub(crate) const MOST_BUSY: usize = 192;

/// All open connections.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    open: RefCell<Vec<Rc<AdminSlot>>>,
    busy: Cell<usize>,
}

/// The state of one connection.
#[derive(Debug)]
struct AdminSlot {
    peer: IpAddr,
    /// Its active requests.
    busy: Cell<usize>,
    idle_since: Cell<Instant>,
    evicted: Notify,
}

/// A connection's slot, freed on drop.
#[derive(Debug)]
pub(crate) struct AdminConnection {
    all: Rc<Connections>,
    slot: Rc<AdminSlot>,
}

/// An active request, until it is dropped.
#[derive(Debug)]
pub(crate) struct Busy {
    all: Rc<Connections>,
    slot: Rc<AdminSlot>,
}

impl Connections {
    /// Registers a connection from `peer`. If all slots are taken, an idle connection is closed.
    pub(crate) fn enter(self: &Rc<Self>, peer: IpAddr) -> AdminConnection {
        let slot = AdminSlot {
            peer,
            busy: Cell::new(0),
            idle_since: Cell::new(Instant::now()),
            evicted: Notify::new(),
        };
        let slot = Rc::new(slot);
        let mut open = self.open.borrow_mut();
        if open.len() >= MOST
            && let Some(at) = eviction_candidate(&open)
        {
            open.swap_remove(at).evicted.notify_one();
        }
        open.push(slot.clone());
        AdminConnection { all: self.clone(), slot }
    }
}

impl AdminConnection {
    /// Waits until this connection has to close in favour of another.
    pub(crate) async fn evicted(&self) {
        self.slot.evicted.notified().await;
    }

    /// Starts a request; none if too many are active.
    pub(crate) fn begin(&self) -> Option<Busy> {
        if self.all.busy.get() >= MOST_BUSY {
            return None;
        }
        self.all.busy.set(self.all.busy.get() + 1);
        self.slot.busy.set(self.slot.busy.get() + 1);
        Some(Busy { all: self.all.clone(), slot: self.slot.clone() })
    }
}

impl Drop for AdminConnection {
    fn drop(&mut self) {
        self.all.open.borrow_mut().retain(|slot| !Rc::ptr_eq(slot, &self.slot));
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.all.busy.set(self.all.busy.get().saturating_sub(1));
        self.slot.busy.set(self.slot.busy.get().saturating_sub(1));
        self.slot.idle_since.set(Instant::now());
    }
}

/// The index of the idle connection to close.
fn eviction_candidate(open: &[Rc<AdminSlot>]) -> Option<usize> {
    let mut counts = HashMap::<IpAddr, usize>::new();
    open.iter().for_each(|slot| *counts.entry(slot.peer).or_default() += 1);
    let idle = open.iter().enumerate().filter(|(_, slot)| slot.busy.get() == 0);
    let rank = |slot: &AdminSlot| (std::cmp::Reverse(counts.get(&slot.peer).copied()), slot.idle_since.get());
    idle.min_by_key(|(_, slot)| rank(slot)).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    fn has(all: &Connections, entry: &AdminConnection) -> bool {
        all.open.borrow().iter().any(|slot| Rc::ptr_eq(slot, &entry.slot))
    }

    #[test]
    fn the_longest_idle_of_the_greediest_goes_first() {
        let all = Rc::<Connections>::default();
        let modest = all.enter(peer(1));
        let greedy: Vec<_> = (1..MOST).map(|_| all.enter(peer(2))).collect();
        let working = greedy[0].begin().unwrap();
        let next = all.enter(peer(3));
        assert!(has(&all, &modest) && has(&all, &next) && has(&all, &greedy[0]) && !has(&all, &greedy[1]));
        drop(working);
        // It has been idle for less long than the others.
        let _last = all.enter(peer(3));
        assert!(has(&all, &greedy[0]) && !has(&all, &greedy[2]));
        drop(greedy);
        assert_eq!(all.open.borrow().len(), 3);
    }

    #[test]
    fn there_is_always_one_that_can_go() {
        let all = Rc::<Connections>::default();
        let entries: Vec<_> = (0..MOST).map(|_| all.enter(peer(1))).collect();
        let busy: Vec<_> = entries.iter().filter_map(AdminConnection::begin).collect();
        assert_eq!(busy.len(), MOST_BUSY);
        assert!(has(&all, &all.enter(peer(1))));
        drop(busy);
        assert!(entries[0].begin().is_some());
    }
}
