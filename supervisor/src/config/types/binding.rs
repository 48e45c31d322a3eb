//! What an app can fetch from by a name in its `env`.

use std::fmt;

use crate::config::types::app_name::AppName;

/// A name in `env`, and what it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) name: String,
    pub(crate) target: BindingTarget,
}

/// What a binding stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BindingTarget {
    /// The static files of the app itself.
    Assets,
    /// The app of this name.
    App(AppName),
}

impl fmt::Display for BindingTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Assets => f.write_str("the static files of the app"),
            Self::App(app) => write!(f, "the app {app}"),
        }
    }
}
