//! `start`, `stop` and `restart`.

use std::process::ExitCode;

use hyper::Method;

use super::ask::{Which, ask};
use super::output::{FAILED, complain, print};
use crate::api::status::{AppStatus, Status};
use crate::model::state::AppState;

/// `restart`, of one app or of all.
pub(super) fn restart(app: Option<&str>, which: &Which, is_rolling: bool) -> ExitCode {
    let verb = if is_rolling { "roll" } else { "restart" };
    match app {
        Some(app) => tell(app, which, verb),
        None => tell_all(which, verb),
    }
}

/// `start`, `stop` and `restart` of one app. `verb` is the API's.
pub(super) fn tell(app: &str, which: &Which, verb: &str) -> ExitCode {
    match ask::<AppStatus>(which, Method::POST, &format!("/v1/apps/{app}/{verb}")) {
        Ok(AppStatus { app, state, pid: Some(pid), .. }) => print(&format!("{app}: {state}, pid {pid}")),
        Ok(AppStatus { app, state, .. }) => print(&format!("{app}: {state}")),
        Err(error) => return complain(&error, FAILED),
    }
    ExitCode::SUCCESS
}

/// `restart --all`: one app after the other. Stopped apps stay stopped.
fn tell_all(which: &Which, verb: &str) -> ExitCode {
    let apps = match ask::<Status>(which, Method::GET, "/v1/status") {
        Ok(status) => status.apps,
        Err(error) => return complain(&error, FAILED),
    };
    let mut code = ExitCode::SUCCESS;
    for AppStatus { app, state, .. } in &apps {
        if *state == AppState::Stopped {
            print(&format!("{app}: stopped, and stays so"));
        } else if let Err(error) = ask::<AppStatus>(which, Method::POST, &format!("/v1/apps/{app}/{verb}")) {
            code = complain(&format!("{app}: {error}"), FAILED);
        } else {
            print(&format!("{app}: restarted"));
        }
    }
    code
}
