//! The place of one connection in the counts of its client, its listening address and its thread.

use std::cell::Cell;
use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;

use crate::edge::pace::TickLimits;
use crate::model::overdue::Overdue;
use crate::model::shares::{ClientKey, Held, Holding};

/// A connection is closed when it has sent `FLOOD` frames that ask for nothing more than were forgiven. `FORGIVEN`
/// are with every tick, others with every part of a response.
pub(crate) const FLOOD: u32 = 10_000;
pub(crate) const FORGIVEN: u32 = 250;

/// All connections of a client together may send as many as this number of connections; beyond that, reading from
/// them stops until the next tick.
const CONNECTIONS: u32 = 4;

/// How many are forgiven to all connections of a client with every tick.
pub(super) const FORGIVEN_OF_CLIENT: u32 = CONNECTIONS * FORGIVEN;

/// How many connections there are.
#[derive(Debug, Default)]
pub(super) struct Population {
    pub open: Cell<usize>,
    /// Those that were told to close.
    pub leaving: Cell<usize>,
}

/// The connections of a listening address.
#[derive(Debug, Default)]
pub(crate) struct Door {
    pub(super) open: Held,
}

/// The place of one connection; given back when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    /// The remote address, and the client that has it, unless that is a proxy of ours.
    pub(super) from: IpAddr,
    pub(super) key: ClientKey,
    pub(super) address: Holding,
    pub(super) door: Holding,
    /// Frames of its client that ask for nothing; not counted for a proxy of ours, which has many clients.
    pub(super) idle_frames: Option<Rc<Cell<u32>>>,
    /// Whether it was told to close.
    pub(super) is_leaving: Cell<bool>,
    pub(super) population: Rc<Population>,
}

/// An admitted connection, as far as the crowd needs to know it.
pub(crate) trait Seated: fmt::Debug {
    fn seat(&self) -> &Seat;
    /// The tick since which it has been idle, apart from an unfinished head. None while a request is in progress or a
    /// response was not fully taken, and once it was told to close.
    fn idle_since(&self) -> Option<u64>;
    /// Bytes of its unfinished head.
    fn head(&self) -> usize;
    /// Closes it if it has exceeded a time limit.
    fn sweep(&self, limits: TickLimits);
    /// Closes it.
    fn end(&self, why: Overdue);
}

impl Seat {
    /// Whether its client has sent too many frames that ask for nothing, on all of its connections.
    pub(crate) fn is_flooded(&self) -> bool {
        self.idle_frames.as_ref().is_some_and(|frames| frames.get() > CONNECTIONS * FLOOD)
    }

    /// Counts further frames that ask for nothing. Returns whether these exceed the limit.
    pub(crate) fn count_idle_frames(&self, more: u32) -> bool {
        let was_flooded = self.is_flooded();
        if let Some(frames) = &self.idle_frames {
            frames.set(frames.get().saturating_add(more));
        }
        !was_flooded && self.is_flooded()
    }

    /// Forgives this many of them.
    pub(crate) fn forgive_idle_frames(&self, forgiven: u32) {
        if let Some(frames) = &self.idle_frames {
            frames.set(frames.get().saturating_sub(forgiven));
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Population { open, leaving } = &*self.population;
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
