//! The types for what keeps apps from running with their configuration.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use crate::config::AppName;

/// What keeps an app from running with its configuration.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    /// The reason, as text for people.
    pub(super) why: Arc<str>,
    /// When it is tried again. `None` if its code is at fault, which is not tried again automatically.
    pub(super) next: Option<Instant>,
}

/// The troubles by app name.
pub(super) type Troubles = BTreeMap<AppName, Trouble>;
