//! Deploy, rollback, remove: what is asked, and what it has come to.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What is to be deployed.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeployOrder {
    /// The folder: an absolute path.
    pub path: PathBuf,
    /// Where an app listens that the configuration does not have.
    #[serde(default)]
    pub port: Option<u16>,
    /// As above; all addresses if none.
    #[serde(default)]
    pub host: Option<IpAddr>,
    /// The hosts that such an app serves; all if empty.
    #[serde(default)]
    pub hosts: Vec<String>,
}

/// Where to go back to.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollbackOrder {
    /// How the digest of that deploy begins; the one before the current if none.
    #[serde(default)]
    pub to: Option<String>,
}

/// What a deploy or a rollback has come to.
#[derive(Debug, Serialize, Deserialize)]
pub struct Switched {
    /// The app.
    pub app: String,
    /// The digest of what it is served from now.
    pub digest: String,
    /// What was deployed, unless this is a rollback.
    pub copied: Option<Copied>,
}

/// What was deployed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Copied {
    /// Files.
    pub files: usize,
    /// Their contents together, in bytes.
    pub bytes: u64,
    /// Whether there was no such copy before.
    pub is_new: bool,
}

/// What a removal has come to.
#[derive(Debug, Serialize, Deserialize)]
pub struct Removed {
    /// The app.
    pub app: String,
    /// The folder that the configuration names, from which it is served now; none if it is gone.
    pub folder: Option<PathBuf>,
}

/// One deploy of an app.
#[derive(Debug, Serialize, Deserialize)]
pub struct DeployRow {
    /// Its digest.
    pub digest: String,
    /// When the app was last switched to it, as RFC 3339.
    pub deployed_at: String,
    /// Whether the app is served from it.
    pub is_current: bool,
}
