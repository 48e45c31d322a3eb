//! The subcommands that talk to a running supervisor over its control socket.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum as _};
use clap_complete::ArgValueCandidates;
use hyper::Method;
use serde::de::DeserializeOwned;

use super::{FAILED, complain, complete, print, print_json, runtime};
use crate::api::changes::Changes;
use crate::api::client::{self, AskError};
use crate::api::status::AppStatus;
use crate::api::status::Status;
use crate::config::{LogLevel, found_control_path};
use crate::model::state::State;
use crate::ops::control::logs::{PATH, query};
use crate::ops::upgrade::Upgraded;
use crate::telemetry::log::line::Line;
use crate::telemetry::log::text::render;

/// A running supervisor.
#[derive(Debug, Clone, Args)]
pub struct Which {
    /// Its control socket (`serve --control SOCKET`) [default: in $RUNTIME_DIRECTORY, $XDG_RUNTIME_DIR, /run or /run/nano-supervisor].
    #[arg(long, value_name = "SOCKET", env = "NANO_SUPERVISOR_CONTROL")]
    control: Option<PathBuf>,
}

/// An app of a running supervisor.
#[derive(Debug, Args)]
pub struct OneApp {
    /// Its name.
    #[arg(value_name = "APP", add = ArgValueCandidates::new(complete::apps))]
    pub(super) app: String,
    /// Which supervisor.
    #[command(flatten)]
    pub(super) which: Which,
}

/// Which lines of the log, and how.
#[derive(Debug, Args)]
pub struct Lines {
    /// Go on with what comes, beginning with the latest ten lines unless -n or --since say otherwise.
    #[arg(long, short)]
    pub(super) follow: bool,
    /// Only those since then: "5m" ago, or a time such as "2026-01-31T12:00:00Z".
    #[arg(long, value_name = "TIME")]
    pub(super) since: Option<String>,
    /// Only those at least as important.
    #[arg(long, value_name = "LEVEL")]
    pub(super) level: Option<LogLevel>,
    /// Only the latest so many.
    #[arg(long, short = 'n', value_name = "LINES")]
    pub(super) lines: Option<usize>,
    /// Print JSON, one object per line.
    #[arg(long)]
    pub(super) json: bool,
}

/// With how many lines `logs --follow` begins.
const FIRST_LINES: usize = 10;

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

/// `upgrade`.
pub(super) fn upgrade(which: &Which) -> ExitCode {
    match ask::<Upgraded>(which, Method::POST, "/v1/upgrade") {
        Ok(Upgraded { pid, failed }) => {
            print(&format!("handed over to pid {pid}"));
            for (app, why) in &failed {
                print(&format!(
                    "{app}: was ready, and has failed there, as it would have at any other start: {why}"
                ));
            }
        }
        Err(error) => return complain(&error, FAILED),
    }
    ExitCode::SUCCESS
}

/// `restart`, of one app or of all.
pub(super) fn restart(app: Option<&str>, which: &Which, is_rolling: bool) -> ExitCode {
    let verb = if is_rolling { "roll" } else { "restart" };
    match app {
        Some(app) => tell(app, which, verb),
        None => tell_all(which, verb),
    }
}

/// `start`, `stop` and `restart`: the verb is that of the API.
pub(super) fn tell(app: &str, which: &Which, verb: &str) -> ExitCode {
    match ask::<AppStatus>(which, Method::POST, &format!("/v1/apps/{app}/{verb}")) {
        Ok(AppStatus { app, state, pid: Some(pid), .. }) => print(&format!("{app}: {state}, pid {pid}")),
        Ok(AppStatus { app, state, .. }) => print(&format!("{app}: {state}")),
        Err(error) => return complain(&error, FAILED),
    }
    ExitCode::SUCCESS
}

/// `restart --all`: one app after the other; one that was stopped stays so.
pub(super) fn tell_all(which: &Which, verb: &str) -> ExitCode {
    let apps = match ask::<Status>(which, Method::GET, "/v1/status") {
        Ok(status) => status.apps,
        Err(error) => return complain(&error, FAILED),
    };
    let mut code = ExitCode::SUCCESS;
    for AppStatus { app, state, .. } in &apps {
        if *state == State::Stopped.to_string() {
            print(&format!("{app}: stopped, and stays so"));
        } else if let Err(error) = ask::<AppStatus>(which, Method::POST, &format!("/v1/apps/{app}/{verb}")) {
            code = complain(&format!("{app}: {error}"), FAILED);
        } else {
            print(&format!("{app}: restarted"));
        }
    }
    code
}

/// `logs`.
pub(super) fn logs(app: Option<&str>, lines: &Lines, which: &Which) -> ExitCode {
    let level = lines.level.and_then(|level| level.to_possible_value());
    let level = level.as_ref().map(PossibleValue::get_name);
    let is_limited = lines.lines.is_some() || lines.since.is_some();
    let count = lines.lines.or((lines.follow && !is_limited).then_some(FIRST_LINES));
    let query = query(&[
        ("app", app.as_ref().map(|app| app as _)),
        ("since", lines.since.as_ref().map(|since| since as _)),
        ("level", level.as_ref().map(|level| level as _)),
        ("lines", count.as_ref().map(|count| count as _)),
        ("follow", lines.follow.then_some(&true)),
    ]);
    let mut out = io::stdout();
    let has_colours = out.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let show = |json: &str| match serde_json::from_str::<Line>(json) {
        Ok(line) if !lines.json => writeln!(out, "{}", render(&line, has_colours)).is_ok(),
        // A reader that has gone away is no failure of ours.
        _ => writeln!(out, "{json}").is_ok(),
    };
    let socket = socket(which);
    let shown = runtime().and_then(|runtime| {
        let shown = runtime.block_on(client::lines(&socket, &format!("{PATH}?{query}"), show));
        shown.map_err(|error| explain(error, which, &socket))
    });
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error, FAILED),
    }
}

fn socket(which: &Which) -> PathBuf {
    which.control.clone().unwrap_or_else(|| found_control_path(|name| std::env::var_os(name)))
}

/// Asks the supervisor.
pub(super) fn ask<T: DeserializeOwned>(which: &Which, method: Method, path: &str) -> Result<T, io::Error> {
    ask_with(which, method, path, None)
}

/// Asks the supervisor, with a body of JSON if there is one.
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

fn explain(error: AskError, which: &Which, socket: &Path) -> io::Error {
    let error = match error {
        AskError::Refused(why) => return io::Error::other(why),
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
