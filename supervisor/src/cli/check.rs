//! `check`: prints the findings, for people or as JSON.

mod findings;

use std::process::ExitCode;

use super::output::{FAILED, USAGE, complain, print, print_json};
use super::runtime::runtime;
use crate::cli::check::findings::{Addresses, Finding};
use crate::config::{Config, ConfigErrors, Sources};

pub(super) fn check_apps(sources: &Sources, json: bool) -> ExitCode {
    let config = match sources.load_with(|_| Ok(Vec::new())) {
        Ok(config) => config,
        Err(problems) if json => {
            let problems: Vec<_> = problems.problems().iter().map(ToString::to_string).collect();
            print_json(&serde_json::json!({ "ok": false, "problems": problems, "warnings": [], "apps": [] }));
            return USAGE.into();
        }
        Err(problems) => return complain(&problems, USAGE),
    };
    let look = async { (findings::check(&config).await, findings::addresses(&config).await) };
    match runtime().map(|runtime| runtime.block_on(look)) {
        Ok((findings, addresses)) => show_findings(&config, &findings, &addresses, json),
        Err(error) => complain(&error, FAILED),
    }
}

fn show_findings(config: &Config, findings: &[Finding], addresses: &Addresses, json: bool) -> ExitCode {
    let is_well =
        |finding: &Finding| finding.error.is_none() && (finding.missing.is_empty() || !config.lacks_nothing);
    let are_well = findings.iter().all(is_well);
    let problems = config.broken.as_ref().map(ConfigErrors::problems).unwrap_or_default();
    if json {
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        let ok = are_well && problems.is_empty();
        let found = serde_json::json!({
            "ok": ok, "problems": problems, "warnings": addresses.warnings, "apps": findings,
        });
        print_json(&found);
    } else {
        // Only warnings: the apps may be served on another machine, or by another user.
        addresses.warnings.iter().for_each(|warning| print(&format!("warning: {warning}")));
        if addresses.may_be_ours {
            print(
                &"in use is fine where it is the supervisor that serves these apps: name its socket (--control)",
            );
        }
        for finding in findings {
            let app = config.apps.iter().find(|app| app.name.as_str() == finding.app);
            let listen = app.and_then(|app| app.listen.as_ref()).map(ToString::to_string).unwrap_or_default();
            for warning in &finding.warnings {
                print(&format!("{}: warning: {warning}", finding.app));
            }
            match &finding.error {
                None if !is_well(finding) => {
                    let missing = finding.missing.join(", ");
                    print(&format!(
                        "{}: lacks the bindings {missing}, which fails a strict check",
                        finding.app
                    ));
                }
                None => print(&format!("{}: ok, {} on {}", finding.app, finding.entry, listen)),
                Some(error) => print(&format!("{}: {error}", finding.app)),
            }
        }
    }
    match &config.broken {
        Some(_) if json => USAGE.into(),
        Some(problems) => complain(problems, USAGE),
        None if are_well => ExitCode::SUCCESS,
        None => FAILED.into(),
    }
}
