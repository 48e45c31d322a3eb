//! The apps of one I/O thread by their names, for bindings.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::pin::pin;
use std::rc::Rc;

use tokio::sync::Notify;

use crate::config::AppName;
use crate::edge::upstream::Upstream;

/// The apps of one I/O thread by their names.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    apps: RefCell<HashMap<AppName, Rc<Upstream>>>,
    /// Whether the supervisor finishes what is in flight, and then ends.
    is_draining: Cell<bool>,
    drains: Notify,
}

impl Directory {
    /// Replaces all apps.
    pub(crate) fn replace<'a>(&self, upstreams: impl Iterator<Item = &'a Rc<Upstream>>) {
        let named = upstreams.map(|upstream| (upstream.spec().name.clone(), upstream.clone()));
        *self.apps.borrow_mut() = named.collect();
    }

    /// Returns the app of this name.
    pub(crate) fn find(&self, name: &AppName) -> Option<Rc<Upstream>> {
        self.apps.borrow().get(name).cloned()
    }

    /// Has what lasts between apps end, as what lasts of clients does.
    pub(crate) fn drain(&self) {
        self.is_draining.set(true);
        self.drains.notify_waiters();
    }

    /// Completes once [`Self::drain`] has been called.
    pub(crate) async fn drains(&self) {
        let mut drains = pin!(self.drains.notified());
        drains.as_mut().enable();
        if !self.is_draining.get() {
            drains.await;
        }
    }
}
