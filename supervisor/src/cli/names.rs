//! Names of running apps, for completions.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap_complete::CompletionCandidate;

use super::runtime::runtime;
use crate::api::client;
use crate::config::found_control_path;

/// Timeout for asking the supervisor: a user waits at the prompt.
const PATIENCE: Duration = Duration::from_millis(300);

/// The app names of the supervisor that the incomplete command line refers to.
pub(super) fn apps() -> Vec<CompletionCandidate> {
    let socket = named_socket(std::env::args_os())
        .unwrap_or_else(|| found_control_path(|name| std::env::var_os(name)));
    let asked = runtime().map(|runtime| {
        runtime.block_on(async { tokio::time::timeout(PATIENCE, client::status(&socket)).await })
    });
    let Ok(Ok(Ok(status))) = asked else { return Vec::new() };
    status
        .apps
        .into_iter()
        .map(|app| CompletionCandidate::new(app.app).help(Some(app.state.as_str().into())))
        .collect()
}

/// The value of `--control` on the command line.
fn named_socket(words: impl Iterator<Item = OsString>) -> Option<PathBuf> {
    let mut words = words.skip_while(|word| word != "--").skip(1);
    while let Some(word) = words.next() {
        if word == "--control" {
            return words.next().map(PathBuf::from);
        }
        if let Some(path) = word.to_str().and_then(|word| word.strip_prefix("--control=")) {
            return Some(path.into());
        }
    }
    None
}
