//! The apps of one I/O thread by their names, for bindings.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::config::AppName;
use crate::edge::upstream::Upstream;

/// The apps of one I/O thread by their names.
#[derive(Debug, Default)]
pub(crate) struct Directory(RefCell<HashMap<AppName, Rc<Upstream>>>);

impl Directory {
    /// Replaces all apps.
    pub(crate) fn replace<'a>(&self, upstreams: impl Iterator<Item = &'a Rc<Upstream>>) {
        let named = upstreams.map(|upstream| (upstream.spec().name.clone(), upstream.clone()));
        *self.0.borrow_mut() = named.collect();
    }

    /// Returns the app of this name.
    pub(crate) fn find(&self, name: &AppName) -> Option<Rc<Upstream>> {
        self.0.borrow().get(name).cloned()
    }
}
