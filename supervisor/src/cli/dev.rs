//! `dev`.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::ExitCode;

use super::output::{USAGE, complain};
use super::serve::serve_until_told;
use crate::config::{AccessLog, Host, LogFormat, ServerFlags, Sources};

/// `dev`.
pub(super) fn develop(folder: PathBuf, port: u16, control: Option<PathBuf>) -> ExitCode {
    let sources = Sources {
        folder: Some(folder),
        host: Some(Host(Ipv4Addr::LOCALHOST.into())),
        port: Some(port),
        development: true,
        server: ServerFlags {
            control,
            log_format: Some(LogFormat::Dev),
            access_log: Some(AccessLog::Lines),
            ..ServerFlags::default()
        },
        ..Sources::default()
    };
    let deploys = Err("`dev` keeps none".to_owned());
    match sources.load() {
        Ok(config) => serve_until_told(config, sources, deploys, true),
        Err(problems) => complain(&problems, USAGE),
    }
}
