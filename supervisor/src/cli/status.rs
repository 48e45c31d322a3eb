//! `status`, `list` and `health`: the state of a running supervisor's apps, for people or as JSON.
//!
//! - `problem`: what is wrong with an app; `table`: all apps; `detail`: one app.
//! - `screen`: the full-screen view of `--watch`.

mod detail;
mod problem;
mod screen;
mod table;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use bytesize::ByteSize;
use clap::Args;
use hyper::Method;
use serde_json::json;

use super::ask::{Which, ask};
use super::output::{FAILED, complain, print, print_json};
use super::terminal::{self, Paint};
use crate::api::crash::Crash;
use crate::api::deploys::DeployRow;
use crate::api::status::{AppDetail, AppStatus, Phase, Status};
use crate::model::state::AppState;
use crate::untrusted::visible;

/// How many crashes of an app are shown.
const CRASHES: usize = 3;

/// The minimum width of a name, in columns.
const NAME: usize = 14;

#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    which: Which,
    /// Print JSON.
    #[arg(long, conflicts_with = "names")]
    json: bool,
    /// Print nothing but the names.
    #[arg(long)]
    names: bool,
}

/// `status`, of all apps or of one.
pub(super) fn status(app: Option<&str>, which: &Which, json: bool) -> ExitCode {
    let shown = match app {
        Some(app) => one(app, which, json),
        None => all(which, json),
    };
    match shown {
        Ok(text) => {
            print(&text);
            ExitCode::SUCCESS
        }
        Err(error) => complain(&error, FAILED),
    }
}

/// `status --watch`: full-screen at a terminal; otherwise prints one table after the other.
pub(super) fn watch(app: Option<&str>, which: &Which, json: bool, pause: Duration) -> ExitCode {
    if terminal::is_one() && !json {
        let (app, which) = (app.map(str::to_owned), which.clone());
        let frame = move || match &app {
            Some(app) => one(app, &which, false),
            None => all(&which, false),
        };
        // A failure of the first request is final. Later ones are not: a supervisor that exits may be restarted.
        return match frame() {
            Ok(_) => screen::show(frame, pause),
            Err(error) => complain(&error, FAILED),
        };
    }
    loop {
        let code = status(app, which, json);
        if code != ExitCode::SUCCESS {
            return code;
        }
        if io::stdout().flush().is_err() {
            // The pipe was closed.
            return ExitCode::SUCCESS;
        }
        std::thread::sleep(pause);
    }
}

fn all(which: &Which, json: bool) -> io::Result<String> {
    let status: Status = ask(which, Method::GET, "/v1/status")?;
    if json {
        return Ok(visible::json(json!(status).to_string()));
    }
    let Status { apps, spares, cgroups, .. } = status;
    let (width, paint) = (terminal::width(), Paint(terminal::has_colours()));
    let mut lines = table::render(&apps, width, paint, SystemTime::now());
    lines.push(String::new());
    let mut ends = vec![table::summary(&apps)];
    if !spares.is_empty() {
        let memory = ByteSize(spares.iter().map(|spare| spare.memory).sum());
        ends.push(format!("spares: {}, memory {memory}", spares.len()));
    }
    ends.push(format!("control groups: {cgroups}"));
    for end in ends {
        match width {
            Some(width) => lines.extend(terminal::wrap(&end, width)),
            None => lines.push(end),
        }
    }
    Ok(lines.join("\n"))
}

fn one(app: &str, which: &Which, json: bool) -> io::Result<String> {
    let detail: AppDetail = ask(which, Method::GET, &format!("/v1/apps/{app}"))?;
    if json {
        return Ok(visible::json(json!(detail).to_string()));
    }
    let mut crashes: Vec<Crash> = ask(which, Method::GET, &format!("/v1/crashes?app={app}"))?;
    crashes.truncate(CRASHES);
    let deploys =
        ask::<super::deploys::Listed>(which, Method::GET, &format!("/v1/apps/{app}/deploys"))?.deploys;
    let deploy: Option<DeployRow> = deploys.into_iter().find(|deploy| deploy.is_current);
    let facts = detail::Facts { detail: &detail, deploy: deploy.as_ref(), crashes: &crashes };
    let (width, paint) = (terminal::width(), Paint(terminal::has_colours()));
    Ok(detail::render(&facts, width, paint, SystemTime::now()).join("\n"))
}

/// `list`.
pub(super) fn list(ListArgs { which, json, names }: &ListArgs) -> ExitCode {
    let mut apps = match ask::<Status>(which, Method::GET, "/v1/status") {
        Ok(status) => status.apps,
        Err(error) => return complain(&error, FAILED),
    };
    apps.sort_by(|one, other| one.app.cmp(&other.app));
    let row = |app: &AppStatus| json!({ "app": app.app, "state": app.state, "listen": app.listen, "hosts": app.hosts });
    if *json {
        print_json(&apps.iter().map(row).collect::<Vec<_>>());
        return ExitCode::SUCCESS;
    }
    match names {
        true => apps.iter().for_each(|app| print(&app.app)),
        false => rows(&apps, terminal::width()).iter().for_each(print),
    }
    ExitCode::SUCCESS
}

/// One row for each app. Names are truncated to fit, down to [`NAME`] columns. Addresses and hosts wrap.
fn rows(apps: &[AppStatus], width: Option<usize>) -> Vec<String> {
    let widest = |text: fn(&AppStatus) -> &str| apps.iter().map(|app| text(app).len()).max().unwrap_or(0);
    let (mut name, state) = (widest(|app| &app.app), widest(problem::state));
    let mut left = usize::MAX;
    if let Some(width) = width {
        let room = width.saturating_sub(state + 4);
        let words = |app| table::listen(app).split(' ').map(terminal::columns).max();
        let widest = apps.iter().filter_map(words).max().unwrap_or(0);
        name = name.min(room.saturating_sub(widest).max(NAME));
        left = room.saturating_sub(name);
    }
    let row = |app: &AppStatus| {
        let app_name = terminal::cut(&app.app, name);
        let head = format!("{app_name:name$}  {:state$}  ", problem::state(app));
        let below = " ".repeat(terminal::columns(&head));
        let lines = terminal::wrap(&table::listen(app), left).into_iter().enumerate();
        lines.map(|(at, line)| format!("{}{line}", if at == 0 { &head } else { &below })).collect::<Vec<_>>()
    };
    apps.iter().flat_map(row).collect()
}

/// `health`: as `/readyz`.
pub(super) fn health(apps: &[String], which: &Which) -> ExitCode {
    let status = match ask::<Status>(which, Method::GET, "/v1/status") {
        Ok(status) => status,
        Err(error) => return complain(&error, FAILED),
    };
    let state = |app: &str| status.apps.iter().find(|one| one.app == app).map(|one| one.state);
    if !apps.is_empty() {
        for app in apps {
            let shown = state(app).map_or("no app of this supervisor", AppState::as_str);
            print(&format!("{app} is {shown}"));
        }
        return exit_code(apps.iter().all(|app| state(app).is_some_and(AppState::is_well)));
    }
    let down: Vec<_> = status.apps.iter().filter(|app| !app.state.is_well()).collect();
    if status.phase == Phase::Serving && down.is_empty() {
        print(&well(&status.apps));
        return ExitCode::SUCCESS;
    }
    print(&status.phase.to_string());
    down.iter().for_each(|app| print(&format!("not ready: {} ({})", app.app, app.state)));
    exit_code(status.phase == Phase::Serving)
}

/// The message that nothing is wrong with these apps.
fn well(apps: &[AppStatus]) -> String {
    let stopped = apps.iter().filter(|app| app.state == AppState::Stopped).count();
    let is = |count: usize| if count == 1 { "is" } else { "are" };
    let (ready, many) = (apps.len() - stopped, |count: usize| terminal::many(count as u64, "app", "apps"));
    match (stopped, ready) {
        (0, 0) => "there is no app yet".to_owned(),
        (0, 1) => "1 app is ready".to_owned(),
        (0, ready) => format!("all {} are ready", many(ready)),
        (stopped, ready) => {
            format!("{} {} ready, {stopped} {} stopped", many(ready), is(ready), is(stopped))
        }
    }
}

fn exit_code(is_well: bool) -> ExitCode {
    if is_well { ExitCode::SUCCESS } else { FAILED.into() }
}
