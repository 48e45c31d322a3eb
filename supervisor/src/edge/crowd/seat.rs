//! The place of one connection among all, and the listening address that it came through.

use std::cell::Cell;
use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;

use crate::edge::pace::TickLimits;
use crate::model::overdue::Overdue;
use crate::model::shares::{ClientKey, Held, Holding};

/// Frames that ask for nothing of which a connection ends: so many more than those that are forgiven, with every tick and with
/// every part of an answer.
pub(crate) const FLOOD: u32 = 10_000;
pub(crate) const FORGIVEN: u32 = 250;

/// The same for all connections of a client together, as those of so many; nothing more is read of them then before the next tick.
const CONNECTIONS: u32 = 4;

/// How many of those are forgiven with every tick.
pub(super) const FORGIVEN_OF_CLIENT: u32 = CONNECTIONS * FORGIVEN;

/// How many places are taken.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub open: Cell<usize>,
    /// Of these, those of connections that are told to go.
    pub leaving: Cell<usize>,
}

/// A listening address, as far as its connections are concerned.
#[derive(Debug, Default)]
pub(crate) struct Door {
    pub(super) open: Held,
}

/// The place of one connection.
#[derive(Debug)]
pub(crate) struct Seat {
    /// Where the connection comes from, and whose it is if that is no proxy of ours.
    pub(super) from: IpAddr,
    pub(super) key: ClientKey,
    pub(super) address: Holding,
    pub(super) door: Holding,
    /// What its client has sent that asks for nothing; not counted where it is a proxy of ours, which has many.
    pub(super) idle_frames: Option<Rc<Cell<u32>>>,
    /// Whether it is to be given up.
    pub(super) is_leaving: Cell<bool>,
    pub(super) taken: Rc<Taken>,
}

/// A connection that has its seat.
pub(crate) trait Seated: fmt::Debug {
    /// Its place among the connections.
    fn seat(&self) -> &Seat;
    /// Since which tick nothing is under way but, perhaps, a head that has begun to come. None while there is, if only the rest
    /// of an answer that the client has yet to take, and once it is to be closed.
    fn idle_since(&self) -> Option<u64>;
    /// Bytes of its head that is unfinished.
    fn head(&self) -> usize;
    /// Closes it if it has done the same for longer than the limits allow.
    fn sweep(&self, limits: TickLimits);
    /// Closes it.
    fn end(&self, why: Overdue);
}

impl Seat {
    /// Whether its client has sent too many frames that ask for nothing, on all of its connections.
    pub(crate) fn is_flooded(&self) -> bool {
        self.idle_frames.as_ref().is_some_and(|frames| frames.get() > CONNECTIONS * FLOOD)
    }

    /// So many more frames that ask for nothing have come. Whether these are the ones that are too many.
    pub(crate) fn count_idle_frames(&self, more: u32) -> bool {
        let was_flooded = self.is_flooded();
        if let Some(frames) = &self.idle_frames {
            frames.set(frames.get().saturating_add(more));
        }
        !was_flooded && self.is_flooded()
    }

    /// So many of them are forgiven.
    pub(crate) fn forgive_idle_frames(&self, forgiven: u32) {
        if let Some(frames) = &self.idle_frames {
            frames.set(frames.get().saturating_sub(forgiven));
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Taken { open, leaving } = &*self.taken;
        open.set(open.get() - 1);
        if self.is_leaving.get() {
            leaving.set(leaving.get() - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;

    use super::*;
    use crate::config::{ForwardedPolicy, ServerSettings};
    use crate::edge::crowd::Crowd;

    #[test]
    fn what_a_proxy_of_ours_sends_for_many_is_held_against_none_of_them() {
        let append = ServerSettings { forwarded: ForwardedPolicy::Append, ..ServerSettings::default() };
        for (settings, is_flooded) in [(append, false), (ServerSettings::default(), true)] {
            let crowd = Rc::new(Crowd::new(settings, usize::MAX, Arc::default()));
            let seat = crowd.admit(IpAddr::from([127, 0, 0, 1]), &Door::default(), false).unwrap();
            assert_eq!(seat.count_idle_frames(50_000), is_flooded);
            assert_eq!(seat.is_flooded(), is_flooded);
        }
    }
}
