//! Output of commands, for people or as JSON, and exit codes.

use std::io::{self, Write as _};
use std::process::ExitCode;

use super::terminal;
use crate::untrusted::visible;

/// Exit code of a failure: an address in use, an app that does not load, no supervisor there. (0 is success; 128 + n is the
/// exit by a second signal n.)
pub(super) const FAILED: u8 = 1;

/// Exit code if the command line or the configuration is wrong. clap uses the same code.
pub(super) const USAGE: u8 = 2;

/// The name of the executable.
pub(super) const NAME: &str = "nano-supervisor";

/// Prints lines for people. A closed pipe is no failure.
pub(super) fn print(text: &impl std::fmt::Display) {
    let text = text.to_string();
    write_out(if terminal::has_colours() { visible::styled(&text) } else { visible::text(&text) });
}

fn write_out(text: impl std::fmt::Display) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// Prints a line of JSON, with control characters escaped.
pub(super) fn print_json(value: &impl serde::Serialize) {
    write_out(visible::json(serde_json::json!(value).to_string()));
}

pub(super) fn complain(error: &impl std::fmt::Display, code: u8) -> ExitCode {
    let _ = writeln!(io::stderr(), "nano-supervisor: {}", visible::text(&error.to_string()));
    code.into()
}
