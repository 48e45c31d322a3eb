//! `reload`: has a running supervisor read its configuration again.

use std::process::ExitCode;

use hyper::Method;

use super::ask::{Which, ask};
use super::output::{FAILED, complain, print, print_json};
use crate::api::changes::Changes;

/// `reload`.
pub(super) fn reload(which: &Which, json: bool) -> ExitCode {
    let changes = match ask::<Changes>(which, Method::POST, "/v1/reload") {
        Ok(changes) => changes,
        Err(error) => return complain(&error, FAILED),
    };
    if json {
        print_json(&changes);
    } else {
        show_changes(&changes);
    }
    if changes.failed.is_empty() && changes.broken.is_empty() { ExitCode::SUCCESS } else { FAILED.into() }
}

fn show_changes(changes: &Changes) {
    let Changes { added, removed, changed, failed, broken, notes } = changes;
    for (what, names) in [("added", added), ("removed", removed), ("changed", changed)] {
        names.iter().for_each(|name| print(&format!("{name}: {what}")));
    }
    failed.iter().for_each(|(name, why)| print(&format!("{name}: goes on as before: {why}")));
    broken.iter().for_each(|(name, why)| print(&format!("{name}: cannot be run: {why}")));
    if broken.is_empty() && added.is_empty() && removed.is_empty() && changed.is_empty() && failed.is_empty()
    {
        print(&"nothing has changed");
    }
    notes.iter().for_each(print);
}
