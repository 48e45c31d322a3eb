//! What the command line says of the supervisor itself, as it was given.

use std::path::PathBuf;

use crate::config::types::log::{AccessLog, LogFormat, LogLevel};

/// Flags about the supervisor itself. One that is not given leaves what the configuration file says.
#[derive(Debug, Clone, Default)]
pub(crate) struct ServerFlags {
    /// Threads that serve connections.
    pub io_threads: Option<usize>,
    /// The form of log lines.
    pub log_format: Option<LogFormat>,
    /// The least important level that is logged.
    pub log_level: Option<LogLevel>,
    /// Where lines go.
    pub log_file: Option<PathBuf>,
    /// Whether there is a line per request, and in which form.
    pub access_log: Option<AccessLog>,
    /// Where the lines of the access log go.
    pub access_log_file: Option<PathBuf>,
    /// Where the control socket is.
    pub control: Option<PathBuf>,
    /// How long what is in flight may take to finish at the end, with its unit.
    pub drain_timeout: Option<String>,
    /// What to make of a client's forwarding fields.
    pub forwarded: Option<String>,
    /// Where translated modules are kept between starts.
    pub cache_dir: Option<PathBuf>,
    /// Translated modules are not kept.
    pub no_cache: bool,
    /// Where the admin listener is.
    pub admin: Option<String>,
    /// What its clients must know.
    pub admin_token_file: Option<PathBuf>,
    /// Where spans go.
    pub otlp_endpoint: Option<String>,
    /// Where deploys are kept.
    pub state_dir: Option<PathBuf>,
    /// One app that cannot be run keeps all of them from being run.
    pub strict: bool,
}
