//! `schema`.

use std::process::ExitCode;

use super::output::print;
use crate::config;

/// Prints the JSON Schema of the configuration file.
pub(super) fn print_schema() -> ExitCode {
    print(&format_args!("{:#}", config::schema()));
    ExitCode::SUCCESS
}
