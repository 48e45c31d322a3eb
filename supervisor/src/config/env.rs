//! What an app's handler gets as `env`: `values` of the configuration file, files of variables (`dotenv`), and secret files, put
//! together by `environment`.

pub(crate) mod dotenv;
pub(crate) mod environment;
pub(crate) mod values;
