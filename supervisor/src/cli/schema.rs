//! `schema`: prints the JSON Schema of the configuration file.

use std::process::ExitCode;

use super::output::print;
use crate::config;

pub(super) fn print_schema() -> ExitCode {
    print(&format_args!("{:#}", config::schema()));
    ExitCode::SUCCESS
}
