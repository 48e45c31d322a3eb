//! What a change of the configuration came to.

use serde::{Deserialize, Serialize};

/// What a change of the configuration came to; names of apps.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// New apps.
    pub added: Vec<String>,
    /// Apps that are gone.
    pub removed: Vec<String>,
    /// Apps that live by another configuration.
    pub changed: Vec<String>,
    /// Apps that could not be changed and go on as before, each with the reason.
    pub failed: Vec<(String, String)>,
    /// Apps that cannot be run as they are configured and have nothing to go on with, each with the reason.
    #[serde(default)]
    pub broken: Vec<(String, String)>,
    /// What else the operator should know.
    pub notes: Vec<String>,
}
