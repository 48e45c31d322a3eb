//! What a name in the `env` of an app stands for that is no variable.

use std::time::Duration;

use std::fmt;

use nano_protocol::limits::MAX_ENTRYPOINT;
use serde_json::Value as Json;

use crate::config::bounds;
use crate::config::errors::Flaw;
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
    /// The files of a Workers Site.
    Bucket,
    /// What another app exports, or its static files.
    App(Service),
    /// Something that the app counts by keys, which the supervisor does for all of its workers.
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

/// Another app, or one of its entrypoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) app: AppName,
    /// The name by which the app exports it. `None` for the default one.
    pub(crate) entrypoint: Option<String>,
    /// What its handler gets as `ctx.props`, as JSON text. `None` for the app's own.
    pub(crate) props: Option<String>,
}

impl Service {
    /// The app itself.
    pub(crate) fn of(app: AppName) -> Self {
        Self { app, entrypoint: None, props: None }
    }

    /// An entrypoint of an app, with props.
    ///
    /// # Errors
    /// What is too long: each request brings both.
    pub(crate) fn new(app: AppName, entrypoint: Option<&str>, props: Option<&Json>) -> Result<Self, Flaw> {
        let entrypoint = entrypoint.filter(|name| !["", "default"].contains(name)).map(str::to_owned);
        if entrypoint.as_ref().is_some_and(|name| name.len() > MAX_ENTRYPOINT) {
            let fix = format!("name what the app exports, in at most {MAX_ENTRYPOINT} bytes");
            return Err(Flaw::new("has an `entrypoint` with too long a name", fix));
        }
        let props = props.map(Json::to_string);
        if let Some(size) = props.as_ref().map(String::len).filter(|size| *size > bounds::SERVICE_PROPS) {
            let fix = format!("keep them below {} bytes", bounds::SERVICE_PROPS);
            return Err(Flaw::new(format!("has `props` that are too large: {size} bytes as JSON"), fix));
        }
        Ok(Self { app, entrypoint, props })
    }
}

impl fmt::Display for BindingTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Assets => f.write_str("the static files of the app"),
            Self::Bucket => f.write_str("the bucket of a Workers Site"),
            Self::App(Service { app, entrypoint: None, .. }) => write!(f, "the app {app}"),
            Self::App(Service { app, entrypoint: Some(name), .. }) => write!(f, "{name} of the app {app}"),
            Self::RateLimit(_) => f.write_str("a rate limit"),
            Self::Dataset(name) => write!(f, "the dataset {name:?}"),
            Self::Secret => f.write_str("a secret"),
            Self::Version => f.write_str("the version"),
            Self::Hyperdrive => f.write_str("a database"),
        }
    }
}
