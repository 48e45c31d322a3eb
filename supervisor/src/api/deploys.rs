//! The requests and responses of deploy, rollback and remove.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The request to deploy an app.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeployOrder {
    /// The app's folder, an absolute path.
    pub path: PathBuf,
    /// The port of an app that is not in the configuration.
    #[serde(default)]
    pub port: Option<u16>,
    /// The address of an app that is not in the configuration; all addresses if none.
    #[serde(default)]
    pub host: Option<IpAddr>,
    /// The hosts that an app serves that is not in the configuration; all if empty.
    #[serde(default)]
    pub hosts: Vec<String>,
}

/// The request to roll back to an earlier deploy.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollbackOrder {
    /// A prefix of that deploy's digest; the deploy before the current one if none.
    #[serde(default)]
    pub to: Option<String>,
}

/// The response to a deploy or a rollback.
#[derive(Debug, Serialize, Deserialize)]
pub struct Switched {
    /// The app's name.
    pub app: String,
    /// The digest of the deploy that the app is served from now.
    pub digest: String,
    /// What was copied, unless this is a rollback.
    pub copied: Option<Copied>,
}

/// What a deploy copied.
#[derive(Debug, Serialize, Deserialize)]
pub struct Copied {
    /// How many files.
    pub files: usize,
    /// Their total size, in bytes.
    pub bytes: u64,
    /// Whether no identical copy existed before.
    pub is_new: bool,
}

/// The response to a removal.
#[derive(Debug, Serialize, Deserialize)]
pub struct Removed {
    /// The app's name.
    pub app: String,
    /// The folder in the configuration from which the app is served now; none if the app was removed.
    pub folder: Option<PathBuf>,
}

/// One deploy of an app.
#[derive(Debug, Serialize, Deserialize)]
pub struct DeployRow {
    /// The digest of its files.
    pub digest: String,
    /// When the app was last switched to it, as RFC 3339.
    pub deployed_at: String,
    /// Whether the app is served from it.
    pub is_current: bool,
}
