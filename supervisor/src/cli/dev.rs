//! `dev`: serves a folder and follows changes of its files.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::ExitCode;

use super::output::{USAGE, complain};
use super::serve::serve_until_told;
use crate::config::{Host, ServerFlags, Sources};
use crate::ops::deploy::error::NoDeploys;

/// `dev`.
pub(super) fn develop(
    folder: PathBuf,
    port: u16,
    environment: Option<String>,
    control: Option<PathBuf>,
) -> ExitCode {
    let flags = ServerFlags::default().set("access_log", "true");
    let sources = Sources {
        folder: Some(folder),
        host: Some(Host(Ipv4Addr::LOCALHOST.into())),
        port: Some(port),
        environment,
        development: true,
        for_developers: true,
        server: control.iter().fold(flags, |flags, socket| flags.set("control", &socket.to_string_lossy())),
        ..Sources::default()
    };
    let deploys = Err(NoDeploys::Dev);
    match sources.load() {
        Ok(config) => serve_until_told(config, sources, deploys, true),
        Err(problems) => complain(&problems, USAGE),
    }
}
