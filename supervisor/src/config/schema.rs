//! The settings, each declared once: `server`, and of apps `limits`, `app` and `restart`; `defaults` are those that apps share.
//!
//! To add one, declare it there, use it, and run the tests: they say which document to bring up to date, and ask for a test that
//! sets it.

pub(crate) mod app;
pub(crate) mod defaults;
pub(crate) mod limits;
#[cfg(test)]
mod reference;
pub(crate) mod restart;
pub(crate) mod server;
#[cfg(test)]
mod tests;

use serde_json::{Value as Json, json};

use crate::config::setting::json::object;
use crate::config::setting::{About, Group as _};
use app::OwnSettings;
use defaults::Defaults;

/// What `nano-supervisor schema` prints (JSON Schema 2020-12). It knows less than `check` does: what it refuses is wrong.
pub(crate) fn json() -> Json {
    let shared =
        |about: &About| json!({ "$ref": format!("#/properties/defaults/properties/{}", about.name) });
    let mut of_app = object(OwnSettings::about());
    if let Some(properties) = of_app["properties"].as_object_mut() {
        properties.extend(Defaults::about().map(|about| (about.name.to_owned(), shared(about))));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "nano.toml",
        "description": "Configuration of nano-supervisor",
        "type": "object",
        "properties": {
            "server": object(server::all()),
            "defaults": object(Defaults::about()),
            "apps": {
                "description": "The apps, each by its name",
                "type": "object",
                "propertyNames": { "pattern": "^[A-Za-z0-9][a-z0-9._-]{0,62}$" },
                "additionalProperties": of_app,
            },
        },
        "additionalProperties": false,
    })
}
