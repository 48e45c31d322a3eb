//! What keeps apps from living by their configuration: the values.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use crate::config::AppName;

/// What keeps an app from living by its configuration.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    /// For people.
    pub(super) why: Arc<str>,
    /// When it is tried again; never by itself if it is its code.
    pub(super) next: Option<Instant>,
}

/// By the names of apps.
pub(super) type Troubles = BTreeMap<AppName, Trouble>;
