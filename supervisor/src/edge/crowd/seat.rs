//! The place of one connection among all, and the listening address that it came through.

use std::cell::Cell;
use std::net::IpAddr;
use std::rc::Rc;

use super::Crowd;
use crate::model::shares::{ClientKey, Held, Holding};

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
    pub(super) crowd: Rc<Crowd>,
}

impl Seat {
    /// Frames of its client that ask for nothing, less those that are forgiven.
    pub(crate) fn idle_frames(&self) -> u32 {
        self.idle_frames.as_ref().map_or(0, |frames| frames.get())
    }

    /// So many more have come.
    pub(crate) fn count_idle_frames(&self, more: u32) {
        if let Some(frames) = &self.idle_frames {
            frames.set(frames.get().saturating_add(more));
        }
    }

    /// So many are forgiven.
    pub(crate) fn forgive_idle_frames(&self, forgiven: u32) {
        if let Some(frames) = &self.idle_frames {
            frames.set(frames.get().saturating_sub(forgiven));
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let crowd = &self.crowd;
        crowd.open.set(crowd.open.get() - 1);
        if self.is_leaving.get() {
            crowd.leaving.set(crowd.leaving.get() - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;

    use super::*;
    use crate::config::{ForwardedPolicy, ServerSettings};

    #[test]
    fn what_a_proxy_of_ours_sends_for_many_is_held_against_none_of_them() {
        let append = ServerSettings { forwarded: ForwardedPolicy::Append, ..ServerSettings::default() };
        for (settings, counted) in [(append, 0), (ServerSettings::default(), 50_000)] {
            let crowd = Rc::new(Crowd::new(settings, usize::MAX, Arc::default()));
            let seat = crowd.admit(IpAddr::from([127, 0, 0, 1]), &Door::default(), false).unwrap();
            seat.count_idle_frames(50_000);
            assert_eq!(seat.idle_frames(), counted);
        }
    }
}
