//! The result of a reload or of another change of the configuration.

use serde::{Deserialize, Serialize};

/// The result of a change of the configuration, as names of apps.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// New apps.
    pub added: Vec<String>,
    /// Removed apps.
    pub removed: Vec<String>,
    /// Apps that run with another configuration.
    pub changed: Vec<String>,
    /// Apps that could not be changed and run as before: name and reason.
    pub failed: Vec<(String, String)>,
    /// Apps that cannot be run as configured and have no earlier configuration to run with: name and reason.
    #[serde(default)]
    pub broken: Vec<(String, String)>,
    /// Further messages for the operator.
    pub notes: Vec<String>,
}
