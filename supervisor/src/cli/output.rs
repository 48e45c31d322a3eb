//! What commands print, for people and programs, and the codes with which they end.

use std::io::{self, Write as _};
use std::process::ExitCode;

use super::terminal;
use crate::untrusted::visible;

/// It did not work: an address in use, an app that does not load, no supervisor there. (0 is success; 128 + n is the
/// end by a second signal n.)
pub(super) const FAILED: u8 = 1;

/// The command line or the configuration is wrong; clap uses the same code.
pub(super) const USAGE: u8 = 2;

/// What it is called.
pub(super) const NAME: &str = "nano-supervisor";

/// Lines for people. A reader that has gone away is no failure of ours.
pub(super) fn print(text: &impl std::fmt::Display) {
    let text = text.to_string();
    write_out(if terminal::has_colours() { visible::styled(&text) } else { visible::text(&text) });
}

fn write_out(text: impl std::fmt::Display) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// A line for programs, harmless at a terminal.
pub(super) fn print_json(value: &impl serde::Serialize) {
    write_out(visible::json(serde_json::json!(value).to_string()));
}

pub(super) fn complain(error: &impl std::fmt::Display, code: u8) -> ExitCode {
    let _ = writeln!(io::stderr(), "nano-supervisor: {}", visible::text(&error.to_string()));
    code.into()
}
