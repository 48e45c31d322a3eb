//! The `env` that an app's handler gets. `environment` merges `values` of the configuration file, files of variables (`dotenv`)
//! and secret files.

pub(crate) mod dotenv;
pub(crate) mod environment;
pub(crate) mod values;
