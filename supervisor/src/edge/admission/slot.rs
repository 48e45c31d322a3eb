//! The slot of one connection among those of its client, its listening address and its thread.

use std::cell::Cell;
use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;

use crate::edge::pace::TickLimits;
use crate::model::overdue::Overdue;
use crate::model::shares::{ClientKey, Held, Holding};

/// A connection is closed when it has sent more than `FLOOD` idle frames, which request and carry nothing, beyond those
/// that were forgiven. Every tick forgives `FORGIVEN`, and every part of a response forgives some, too.
pub(crate) const FLOOD: u32 = 10_000;
pub(crate) const FORGIVEN: u32 = 250;

/// All connections of a client together may send as many idle frames as this many connections may. Beyond that, reading
/// from them stops until the next tick.
const CONNECTIONS: u32 = 4;

/// Idle frames that every tick forgives to all connections of a client together.
pub(super) const FORGIVEN_OF_CLIENT: u32 = CONNECTIONS * FORGIVEN;

/// The number of connections of a thread.
#[derive(Debug, Default)]
pub(super) struct Population {
    pub open: Cell<usize>,
    /// How many of these were told to close.
    pub leaving: Cell<usize>,
}

/// The connections of a listening address.
#[derive(Debug, Default)]
pub(crate) struct ListenerConnections {
    pub(super) open: Held,
}

/// The slot of one connection. Released when dropped.
#[derive(Debug)]
pub(crate) struct ConnectionSlot {
    /// The remote address, and the client that has it. A trusted proxy at this address carries many clients.
    pub(super) from: IpAddr,
    pub(super) key: ClientKey,
    pub(super) address: Holding,
    pub(super) listener: Holding,
    /// Counter of the idle frames of the connection's client. `None` for a trusted proxy, which carries many clients.
    pub(super) idle_frames: Option<Rc<Cell<u32>>>,
    /// Whether the connection was told to close.
    pub(super) is_leaving: Cell<bool>,
    pub(super) population: Rc<Population>,
}

/// An admitted connection, as [`super::Admission`] sees it.
pub(crate) trait Admitted: fmt::Debug {
    fn slot(&self) -> &ConnectionSlot;
    /// Returns the tick since which the connection has been idle, apart from an unfinished head. `None` while a request
    /// is in flight or the client has yet to read part of a response, and once the connection was told to close.
    fn idle_since(&self) -> Option<u64>;
    /// Returns the bytes of its unfinished head.
    fn head(&self) -> usize;
    /// Closes the connection if it has exceeded a time limit.
    fn sweep(&self, limits: TickLimits);
    fn end(&self, why: Overdue);
}

impl ConnectionSlot {
    /// Returns whether its client has sent too many idle frames, on all of its connections together.
    pub(crate) fn is_flooded(&self) -> bool {
        self.idle_frames.as_ref().is_some_and(|frames| frames.get() > CONNECTIONS * FLOOD)
    }

    /// Counts further idle frames. Returns whether these are the ones that exceed the limit.
    pub(crate) fn count_idle_frames(&self, more: u32) -> bool {
        let was_flooded = self.is_flooded();
        if let Some(frames) = &self.idle_frames {
            frames.set(frames.get().saturating_add(more));
        }
        !was_flooded && self.is_flooded()
    }

    /// Forgives this many idle frames.
    pub(crate) fn forgive_idle_frames(&self, forgiven: u32) {
        if let Some(frames) = &self.idle_frames {
            frames.set(frames.get().saturating_sub(forgiven));
        }
    }
}

impl Drop for ConnectionSlot {
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
    use crate::edge::admission::Admission;
    use crate::edge::descriptors::Descriptors;

    #[test]
    fn what_a_proxy_of_ours_sends_for_many_is_held_against_none_of_them() {
        let append = ServerSettings { forwarded: ForwardedPolicy::Append, ..ServerSettings::default() };
        for (settings, is_flooded) in [(append, false), (ServerSettings::default(), true)] {
            let admission = Rc::new(Admission::new(settings, Descriptors::PLENTY, Arc::default()));
            let slot = admission
                .admit(IpAddr::from([127, 0, 0, 1]), &ListenerConnections::default(), false)
                .unwrap();
            assert_eq!(slot.count_idle_frames(50_000), is_flooded);
            assert_eq!(slot.is_flooded(), is_flooded);
        }
    }
}
