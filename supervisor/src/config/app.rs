//! One app as it is configured.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use crate::config::env::environment::EnvSources;
use crate::config::schema::app::AppSettings;
use crate::config::schema::limits::AppLimits;
use crate::config::types::app_name::AppName;
use crate::config::types::host_pattern::HostPattern;
use crate::config::types::listen::Listen;

/// An app, one that can be run unless it has a [`Self::fault`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AppSpec {
    /// Unique among the apps.
    pub name: AppName,
    /// Its folder: an absolute path without symlinks, in UTF-8.
    pub root: PathBuf,
    /// Its entry module, relative to [`Self::root`] and inside it.
    pub entry: PathBuf,
    /// Where it listens; none only for one that cannot be run, if its address is part of what is wrong.
    pub listen: Option<Listen>,
    /// The hosts it serves; empty for all that no other app with the same [`Self::listen`] claims.
    pub hosts: Vec<HostPattern>,
    /// What its handler gets as `env`.
    pub env: EnvSources,
    /// What its handler gets as `ctx.props`.
    pub props: serde_json::Value,
    /// Where its translated modules are kept between starts, if there is such a place.
    pub emit_cache: Option<PathBuf>,
    /// What it may use.
    pub limits: AppLimits,
    /// What else is configured of it.
    pub settings: AppSettings,
    /// What its operator should know and may ignore, a line each.
    pub warnings: Vec<String>,
    /// Why it cannot be run as it is configured, a line for each problem, for people. Such an app is there, and has failed.
    pub fault: Option<Arc<str>>,
}

impl AppSpec {
    /// Where it listens, for people; `address` is what the kernel has made of that.
    pub(crate) fn shown_listen(&self, address: Option<SocketAddr>) -> String {
        match (&self.listen, address) {
            (Some(_), Some(address)) => address.to_string(),
            (Some(listen), None) => listen.to_string(),
            (None, _) => "-".into(),
        }
    }

    /// This app, not to be run for this reason, and without an address.
    #[must_use]
    pub(crate) fn broken(&self, why: impl Into<Arc<str>>) -> Self {
        Self { fault: Some(why.into()), listen: None, ..self.clone() }
    }
}
