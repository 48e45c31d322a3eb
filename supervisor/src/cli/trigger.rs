//! `trigger`.

use std::process::ExitCode;

use hyper::Method;

use super::ask::{AppArgs, ask};
use super::output::{FAILED, complain, print, print_json};
use crate::api::RunOutcome;
use crate::api::schedule::RunReport;
use crate::untrusted::visible;

pub(super) fn trigger(args: &AppArgs, cron: Option<&str>, is_json: bool) -> ExitCode {
    let AppArgs { app, which } = args;
    let mut path = format!("/v1/apps/{app}/trigger");
    if let Some(cron) = cron {
        path.push('?');
        path.push_str(&form_urlencoded::Serializer::new(String::new()).append_pair("cron", cron).finish());
    }
    let run = match ask::<RunReport>(which, Method::POST, &path) {
        Ok(run) => run,
        Err(error) => return complain(&error, FAILED),
    };
    if is_json {
        print_json(&run);
    } else {
        print(&shown(app, &run));
    }
    if run.outcome == RunOutcome::Ok { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
}

fn shown(app: &str, RunReport { id, cron, ms, outcome, why, .. }: &RunReport) -> String {
    let why = why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    let hint = match outcome {
        RunOutcome::Exception => format!("; see: nano-supervisor logs {app}"),
        RunOutcome::Crashed => format!("; see: nano-supervisor crashes {app}"),
        _ => String::new(),
    };
    let cron = if cron.is_empty() { String::new() } else { format!(" {cron:?}") };
    visible::line(&format!("{app}: scheduled{cron}: {outcome} after {ms} ms ({id}){why}{hint}")).into_owned()
}
