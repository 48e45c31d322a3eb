//! `serve`.

use std::process::ExitCode;

use super::output::{FAILED, USAGE, complain};
use super::runtime::runtime;
use crate::apps::inherited::Inherited;
use crate::config::{Config, Sources};
use crate::ops::deploy::error::NoDeploys;
use crate::ops::deploy::{Available, Deploys};
use crate::ops::upgrade::{self, Invocation};
use crate::serve::{self, Start};
use crate::telemetry::log::Logs;

/// `serve`.
pub(super) fn serve_apps(sources: Sources) -> ExitCode {
    let mut deploys = Err(NoDeploys::NotAsked);
    let loaded = sources.load_with(|folder| {
        deploys = Deploys::open(folder)?;
        Ok(deploys.as_ref().map(|deploys| deploys.deployed(&deploys.state())).unwrap_or_default())
    });
    match loaded {
        Ok(config) => serve_until_told(config, sources, deploys, false),
        Err(problems) => {
            let inherited = Inherited::take(|name| std::env::var(name).ok());
            upgrade::report_failure(inherited.ok().and_then(|inherited| inherited.predecessor()), &problems);
            complain(&problems, USAGE)
        }
    }
}

/// Serves until a signal or an upgrade.
pub(super) fn serve_until_told(
    config: Config,
    sources: Sources,
    deploys: Available,
    is_watched: bool,
) -> ExitCode {
    let inherited = Inherited::take(|name| std::env::var(name).ok());
    let last_words = inherited.as_ref().ok().map(Inherited::last_words);
    let fail = |error: &std::io::Error| {
        upgrade::report_failure(last_words.and_then(|words| words.take()), error);
        complain(error, FAILED)
    };
    let logs = match Logs::start(&config.server) {
        Ok(logs) => logs,
        Err(error) => return fail(&error),
    };
    let served = inherited.and_then(|inherited| {
        let invocation = Invocation::own()?;
        let start = Start { sources, deploys, is_watched, inherited, invocation };
        runtime()?.block_on(serve::serve(config, start, &logs))
    });
    match served {
        Ok(code) => code.into(),
        Err(error) => {
            // Flushes the log, so that its lines come before the error.
            drop(logs);
            fail(&error)
        }
    }
}
