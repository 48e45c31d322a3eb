//! Validates a configuration file with the schema that the executable prints, as an editor does.

use std::sync::LazyLock;

use jsonschema_valid::Config;
use jsonschema_valid::schemas::Draft;
use serde_json::Value;

use super::executable;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let output = executable().arg("schema").output().expect("run the executable");
    serde_json::from_slice(&output.stdout).expect("JSON")
});

/// Validates a nano.toml. The error says why it is rejected.
pub(crate) fn check(text: &str) -> Result<(), String> {
    let value: Value = toml::from_str(text).map_err(|error| error.to_string())?;
    // The validator supports draft 7, in which the keywords in use mean the same as in 2020-12.
    let config = Config::from_schema(&SCHEMA, Some(Draft::Draft7)).expect("a schema");
    assert!(config.validate_schema().is_ok(), "it is no schema");
    let found = config.validate(&value);
    found.map_err(|errors| errors.map(|error| error.to_string()).collect::<Vec<_>>().join("\n"))
}
