//! `check`: what was found, for people and programs.

use std::process::ExitCode;

use super::{FAILED, USAGE, complain, print, runtime};
use crate::check::{self, Finding};
use crate::config::{Config, Sources};

/// Loads every app once.
pub(super) fn check_apps(sources: &Sources, json: bool) -> ExitCode {
    let config = match sources.load() {
        Ok(config) => config,
        Err(problems) if json => {
            let problems: Vec<_> = problems.problems().iter().map(ToString::to_string).collect();
            print(&serde_json::json!({ "ok": false, "problems": problems, "apps": [] }));
            return USAGE.into();
        }
        Err(problems) => return complain(&problems, USAGE),
    };
    match runtime().map(|runtime| runtime.block_on(check::check(&config))) {
        Ok(findings) => show_findings(&config, &findings, json),
        Err(error) => complain(&error, FAILED),
    }
}

fn show_findings(config: &Config, findings: &[Finding], json: bool) -> ExitCode {
    let ok = findings.iter().all(|finding| finding.error.is_none());
    if json {
        print(&serde_json::json!({ "ok": ok, "problems": [], "apps": findings }));
    } else {
        for (finding, app) in findings.iter().zip(&config.apps) {
            for warning in &finding.warnings {
                print(&format!("{}: warning: {warning}", finding.app));
            }
            match &finding.error {
                None => print(&format!("{}: ok, {} on {}", finding.app, finding.entry, app.listen)),
                Some(error) => print(&format!("{}: {error}", finding.app)),
            }
        }
    }
    if ok { ExitCode::SUCCESS } else { FAILED.into() }
}
