//! The subcommands that talk to a running supervisor over its control socket.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use bytesize::ByteSize;
use clap::ValueEnum as _;
use clap::builder::PossibleValue;
use hyper::Method;
use serde::de::DeserializeOwned;

use super::{FAILED, Lines, OneApp, Which, complain, print, runtime};
use crate::config::usual_control_path;
use crate::control::api::Status;
use crate::control::client::{self, AskError};
use crate::control::logs::{PATH, query};
use crate::crashes::Crash;
use crate::fleet::Changes;
use crate::log::line::Line;
use crate::log::text::render;
use crate::registry::State;
use crate::status::AppStatus;
use crate::status_table;

/// With how many lines `logs --follow` begins.
const FIRST_LINES: usize = 10;

/// `status --watch`: at a terminal the table stays in its place; elsewhere one follows the other.
pub(super) fn watch(which: &Which, json: bool, pause: Duration) -> ExitCode {
    let is_terminal = io::stdout().is_terminal();
    loop {
        if is_terminal {
            // To the top, and nothing of the last one below it.
            let _ = write!(io::stdout(), "\x1b[H\x1b[J");
        }
        if status(which, json) != ExitCode::SUCCESS {
            return FAILED.into();
        }
        if io::stdout().flush().is_err() {
            // The reader has gone.
            return ExitCode::SUCCESS;
        }
        std::thread::sleep(pause);
    }
}

/// `status`.
pub(super) fn status(which: &Which, json: bool) -> ExitCode {
    match ask::<Status>(which, Method::GET, "/v1/status") {
        Ok(status) if json => print(&serde_json::json!(status)),
        Ok(Status { apps, spares, cgroups, .. }) => {
            print(&status_table::render(&apps));
            if !spares.is_empty() {
                let memory = ByteSize(spares.iter().map(|spare| spare.memory).sum());
                print(&format!("\nspares: {}, memory {memory}", spares.len()));
            }
            print(&format!("control groups: {cgroups}"));
        }
        Err(error) => return complain(&error, FAILED),
    }
    ExitCode::SUCCESS
}

/// `health`.
pub(super) fn health(which: &Which) -> ExitCode {
    let status = match ask::<Status>(which, Method::GET, "/v1/status") {
        Ok(status) => status,
        Err(error) => return complain(&error, FAILED),
    };
    // An app that an operator has stopped is as it should be; `/readyz` says the same.
    let is_down = |app: &&AppStatus| {
        ![State::Ready, State::Stopped].map(|state| state.to_string()).contains(&app.state)
    };
    let (down, fine): (Vec<_>, Vec<_>) = status.apps.iter().partition(is_down);
    if down.is_empty() {
        let stopped = fine.iter().filter(|app| app.state == State::Stopped.to_string()).count();
        let but = if stopped == 0 { String::new() } else { format!(" or stopped ({stopped})") };
        print(&format!("all {} apps are ready{but}", fine.len()));
        return ExitCode::SUCCESS;
    }
    for app in down {
        print(&format!("{} is {}", app.app, app.state));
    }
    FAILED.into()
}

/// `crashes`.
pub(super) fn crashes(app: Option<&str>, which: &Which, json: bool) -> ExitCode {
    let path = app.map_or_else(|| "/v1/crashes".into(), |app| format!("/v1/crashes?app={app}"));
    match ask::<Vec<Crash>>(which, Method::GET, &path) {
        Ok(crashes) if json => print(&serde_json::json!(crashes)),
        Ok(crashes) if crashes.is_empty() => print(&"no worker has crashed"),
        Ok(crashes) => crashes.iter().for_each(show_crash),
        Err(error) => return complain(&error, FAILED),
    }
    ExitCode::SUCCESS
}

fn show_crash(crash: &Crash) {
    let Crash { app, time, reason, ready_ms, usage, heap_used, .. } = crash;
    let ready = humantime::format_duration(Duration::from_millis(*ready_ms));
    print(&format!("{time} {app}: {reason}"));
    if let Some(pid) = crash.pid {
        let (memory, heap) = (ByteSize(usage.memory), ByteSize(*heap_used));
        print(&format!("  pid {pid}, ready for {ready}, memory {memory}, heap {heap}"));
    }
    for (what, lines) in [("last lines", &crash.lines), ("lost requests", &shown_requests(crash))] {
        if !lines.is_empty() {
            print(&format!("  {what}:"));
            lines.iter().flat_map(|line| line.lines()).for_each(|line| print(&format!("    {line}")));
        }
    }
}

fn shown_requests(crash: &Crash) -> Vec<String> {
    crash
        .requests
        .iter()
        .map(|request| format!("{} {} {}", request.method, request.target, request.id))
        .collect()
}

/// `reload`.
pub(super) fn reload(which: &Which, json: bool) -> ExitCode {
    let changes = match ask::<Changes>(which, Method::POST, "/v1/reload") {
        Ok(changes) => changes,
        Err(error) => return complain(&error, FAILED),
    };
    if json {
        print(&serde_json::json!(changes));
    } else {
        show_changes(&changes);
    }
    if changes.failed.is_empty() { ExitCode::SUCCESS } else { FAILED.into() }
}

fn show_changes(changes: &Changes) {
    let Changes { added, removed, changed, failed, notes } = changes;
    for (what, names) in [("added", added), ("removed", removed), ("changed", changed)] {
        names.iter().for_each(|name| print(&format!("{name}: {what}")));
    }
    failed.iter().for_each(|(name, why)| print(&format!("{name}: goes on as before: {why}")));
    notes.iter().for_each(print);
    if added.is_empty() && removed.is_empty() && changed.is_empty() && failed.is_empty() {
        print(&"nothing has changed");
    }
}

/// `upgrade`.
pub(super) fn upgrade(which: &Which) -> ExitCode {
    match ask::<Successor>(which, Method::POST, "/v1/upgrade") {
        Ok(Successor { pid }) => print(&format!("handed over to pid {pid}")),
        Err(error) => return complain(&error, FAILED),
    }
    ExitCode::SUCCESS
}

/// The answer to an upgrade.
#[derive(serde::Deserialize)]
struct Successor {
    pid: u32,
}

/// `start`, `stop` and `restart`: the verb is that of the API.
pub(super) fn tell(app: &OneApp, verb: &str) -> ExitCode {
    match ask::<AppStatus>(&app.which, Method::POST, &format!("/v1/apps/{}/{verb}", app.app)) {
        Ok(AppStatus { app, state, pid: Some(pid), .. }) => print(&format!("{app}: {state}, pid {pid}")),
        Ok(AppStatus { app, state, .. }) => print(&format!("{app}: {state}")),
        Err(error) => return complain(&error, FAILED),
    }
    ExitCode::SUCCESS
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
    which.control.clone().unwrap_or_else(|| usual_control_path(|name| std::env::var_os(name)))
}

fn ask<T: DeserializeOwned>(which: &Which, method: Method, path: &str) -> Result<T, io::Error> {
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
