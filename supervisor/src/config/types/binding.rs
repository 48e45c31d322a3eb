//! What a name in the `env` of an app stands for that is no variable.

use std::time::Duration;

use std::fmt;

use crate::config::types::app_name::AppName;

/// A name in `env`, and what it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) name: String,
    pub(crate) target: BindingTarget,
}

impl Binding {
    /// How many bytes of it the worker is told.
    pub(crate) fn told(&self) -> usize {
        let dataset = match &self.target {
            BindingTarget::Dataset(name) => name.len(),
            _ => 0,
        };
        self.name.len() + dataset
    }
}

/// What a binding stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BindingTarget {
    /// The static files of the app itself.
    Assets,
    /// The app of this name.
    App(AppName),
    /// A rate limit.
    RateLimit(RateLimit),
    /// The dataset of this name.
    Dataset(String),
    /// A secret that the app asks for.
    Secret,
    /// The version of the app.
    Version,
    /// A database, whose connection string is the variable of the same name.
    Hyperdrive,
}

impl BindingTarget {
    /// Returns whether the app has to have a variable of its name.
    pub(crate) fn is_variable(&self) -> bool {
        matches!(self, Self::Secret | Self::Hyperdrive)
    }
}

/// How often something may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateLimit {
    /// How often in each period.
    pub(crate) limit: u32,
    pub(crate) period: Duration,
}

impl fmt::Display for BindingTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Assets => f.write_str("the static files of the app"),
            Self::App(app) => write!(f, "the app {app}"),
            Self::RateLimit(_) => f.write_str("a rate limit"),
            Self::Dataset(name) => write!(f, "the dataset {name:?}"),
            Self::Secret => f.write_str("a secret"),
            Self::Version => f.write_str("the version"),
            Self::Hyperdrive => f.write_str("a database"),
        }
    }
}
