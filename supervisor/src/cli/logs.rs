//! `logs`: the latest lines of the log, and with `--follow` new ones.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum as _};

use super::ask::{Which, explain, socket};
use super::output::{FAILED, complain};
use super::runtime::runtime;
use crate::api::client;
use crate::config::LogLevel;
use crate::ops::control::logs::{PATH, query};
use crate::telemetry::log::line::Line;
use crate::telemetry::log::text::render;

/// Which lines of the log, and how.
#[derive(Debug, Args)]
pub struct LogsArgs {
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

/// The number of lines that `logs --follow` starts with.
const FIRST_LINES: usize = 10;

/// `logs`.
pub(super) fn logs(app: Option<&str>, lines: &LogsArgs, which: &Which) -> ExitCode {
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
        // A closed pipe is no failure.
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
