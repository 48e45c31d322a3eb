//! The place of one connection among all, and the listening address that it came through.

use std::cell::Cell;
use std::net::IpAddr;
use std::rc::Rc;

use super::Crowd;
use crate::shares::{ClientKey, Held, Holding};

/// A listening address, as far as its connections are concerned.
#[derive(Debug, Default)]
pub struct Door {
    pub(super) open: Held,
}

/// The place of one connection.
#[derive(Debug)]
pub struct Seat {
    /// Where the connection comes from, and whose it is if that is no proxy of ours.
    pub(super) from: IpAddr,
    pub(super) key: ClientKey,
    pub(super) address: Holding,
    pub(super) door: Holding,
    /// What its client has sent that asks for nothing.
    pub(super) idle_frames: Rc<Cell<u32>>,
    /// Whether it is to be given up.
    pub(super) is_leaving: Cell<bool>,
    pub(super) crowd: Rc<Crowd>,
}

impl Seat {
    /// Frames of its client that ask for nothing, less those that are forgiven.
    pub fn idle_frames(&self) -> u32 {
        self.idle_frames.get()
    }

    /// So many more have come.
    pub fn count_idle_frames(&self, more: u32) {
        self.idle_frames.set(self.idle_frames.get().saturating_add(more));
    }

    /// So many are forgiven.
    pub fn forgive_idle_frames(&self, forgiven: u32) {
        self.idle_frames.set(self.idle_frames.get().saturating_sub(forgiven));
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
