//! The client of a running supervisor's control socket.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use clap_complete::ArgValueCandidates;
use hyper::Method;
use serde::de::DeserializeOwned;

use super::names;
use super::runtime::runtime;
use crate::api::client::{self, AskError};
use crate::config::found_control_path;

/// A running supervisor.
#[derive(Debug, Clone, Args)]
pub struct Which {
    /// Its control socket (`serve --control SOCKET`) [default: in $RUNTIME_DIRECTORY, $XDG_RUNTIME_DIR, /run or /run/nano-supervisor].
    #[arg(long, value_name = "SOCKET", env = "NANO_SUPERVISOR_CONTROL")]
    control: Option<PathBuf>,
}

/// An app of a running supervisor.
#[derive(Debug, Args)]
pub struct AppArgs {
    /// Its name.
    #[arg(value_name = "APP", add = ArgValueCandidates::new(names::apps))]
    pub(super) app: String,
    /// Which supervisor.
    #[command(flatten)]
    pub(super) which: Which,
}

pub(super) fn socket(which: &Which) -> PathBuf {
    which.control.clone().unwrap_or_else(|| found_control_path(|name| std::env::var_os(name)))
}

/// Sends a request without a body.
pub(super) fn ask<T: DeserializeOwned>(which: &Which, method: Method, path: &str) -> Result<T, io::Error> {
    ask_with(which, method, path, None)
}

/// Sends a request, with a JSON body if there is one.
pub(super) fn ask_with<T: DeserializeOwned>(
    which: &Which,
    method: Method,
    path: &str,
    body: Option<&serde_json::Value>,
) -> Result<T, io::Error> {
    let socket = socket(which);
    let asked = runtime()?.block_on(client::ask(&socket, method, path, body));
    asked.map_err(|error| explain(error, which, &socket))
}

pub(super) fn explain(error: AskError, which: &Which, socket: &Path) -> io::Error {
    let error = match error {
        AskError::Refused { error, .. } => return io::Error::other(error),
        AskError::Unreachable(error) => error,
    };
    let path = socket.display();
    io::Error::new(
        error.kind(),
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                let flag = if which.control.is_some() { format!(" --control {path}") } else { String::new() };
                format!("no supervisor answers on {path}; start one with: nano-supervisor serve{flag} ...")
            }
            io::ErrorKind::PermissionDenied => format!("{path} belongs to another user's supervisor"),
            _ => format!("cannot ask the supervisor on {path}: {error}"),
        },
    )
}
