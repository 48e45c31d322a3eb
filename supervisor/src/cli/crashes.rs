//! `crashes` and `quarantine`: crash reports and suspected requests, laid out for the terminal's width.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;

use bytesize::ByteSize;
use clap::Args;
use clap_complete::ArgValueCandidates;
use hyper::Method;

use super::ask::{Which, ask};
use super::names;
use super::output::{FAILED, complain, print, print_json};
use super::terminal::{self, fold, many, wrap};
use crate::api::crash::{Crash, Suspect};
use crate::apps::quarantine;
use crate::untrusted::visible;

/// What `quarantine` is about.
#[derive(Debug, Args)]
pub struct QuarantineArgs {
    /// Its name.
    #[arg(value_name = "APP", add = ArgValueCandidates::new(names::apps))]
    app: String,
    /// Refuse such requests no more.
    #[arg(long, num_args = 2, value_names = ["METHOD", "PATH"])]
    release: Option<Vec<String>>,
    /// Refuse none of them any more.
    #[arg(long, conflicts_with = "release")]
    release_all: bool,
    /// Which supervisor.
    #[command(flatten)]
    which: Which,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// `crashes`.
pub(super) fn crashes(app: Option<&str>, which: &Which, json: bool) -> ExitCode {
    let path = app.map_or_else(|| "/v1/crashes".into(), |app| format!("/v1/crashes?app={app}"));
    let crashes = match ask::<Vec<Crash>>(which, Method::GET, &path) {
        Ok(crashes) => crashes,
        Err(error) => return complain(&error, FAILED),
    };
    if json {
        print_json(&crashes);
        return ExitCode::SUCCESS;
    }
    let mut page = CrashPage::new(terminal::width());
    if crashes.is_empty() {
        page.say("", "no worker has crashed");
    }
    crashes.iter().for_each(|crash| page.crash(crash));
    let apps: BTreeSet<_> = crashes.iter().map(|crash| &crash.app).collect();
    for app in apps {
        // A removed app has no suspects.
        let suspects = ask::<Vec<Suspect>>(which, Method::GET, &format!("/v1/apps/{app}/quarantine"));
        page.hint(app, &suspects.unwrap_or_default());
    }
    page.lines.iter().for_each(print);
    ExitCode::SUCCESS
}

/// `quarantine`.
pub(super) fn quarantine(about: &QuarantineArgs) -> ExitCode {
    let path = format!("/v1/apps/{}/quarantine", about.app);
    let (method, path) = match about.release.as_deref() {
        Some([method, path_of_app, ..]) => {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("method", method).append_pair("path", path_of_app);
            (Method::DELETE, format!("{path}?{}", query.finish()))
        }
        _ if about.release_all => (Method::DELETE, path),
        _ => (Method::GET, path),
    };
    let suspects = match ask::<Vec<Suspect>>(&about.which, method, &path) {
        Ok(suspects) => suspects,
        Err(error) => return complain(&error, FAILED),
    };
    if about.json {
        print_json(&suspects);
        return ExitCode::SUCCESS;
    }
    let mut page = CrashPage::new(terminal::width());
    if suspects.is_empty() {
        page.say("", "no request is suspected or refused");
    }
    for suspect in &suspects {
        let state = if suspect.is_refused { "refused" } else { "suspected" };
        page.say("", &format!("{state}: {suspect}"));
    }
    page.hint(&about.app, &suspects);
    page.lines.iter().for_each(print);
    ExitCode::SUCCESS
}

/// A hint for suspects that are not refused, because `quarantine` is off for the app.
pub(super) fn hint(app: &str, suspects: &[Suspect]) -> Option<String> {
    let fix = "refuses requests that end workers again and again, and serves the rest";
    quarantine::is_missed(suspects).then(|| format!("fix: `quarantine = true` for app {app} {fix}"))
}

/// Text laid out in a number of columns.
struct CrashPage {
    lines: Vec<String>,
    width: usize,
}

impl CrashPage {
    fn new(width: Option<usize>) -> Self {
        Self { lines: Vec::new(), width: width.unwrap_or(usize::MAX) }
    }

    /// A paragraph; continuation lines are indented.
    fn say(&mut self, margin: &str, text: &str) {
        let further = format!("{margin}  ");
        for (at, line) in wrap(text, self.width.saturating_sub(further.len())).iter().enumerate() {
            self.lines.push(format!("{}{line}", if at == 0 { margin } else { &further }));
        }
    }

    /// A heading and lines below it.
    fn list(&mut self, heading: &str, lines: impl IntoIterator<Item = String>) {
        let mut lines = lines.into_iter().peekable();
        if lines.peek().is_some() {
            self.lines.push(format!("  {heading}:"));
        }
        for text in lines {
            text.lines().for_each(|line| self.raw("    ", line));
        }
    }

    /// Untrusted text with its white space; continuation lines are indented by the margin.
    fn raw(&mut self, margin: &str, line: &str) {
        let parts = fold(&plain(line), self.width.saturating_sub(margin.len()));
        self.lines.extend(parts.iter().map(|part| format!("{margin}{part}")));
    }

    fn crash(&mut self, crash: &Crash) {
        let Crash { app, time, reason, ready_ms, usage, heap_used, times, .. } = crash;
        let mut reasons = reason.lines();
        let often =
            if *times > 1 { format!(" ({} in a row)", many(*times, "time", "times")) } else { String::new() };
        self.say("", &format!("{time} {app}: {}{often}", reasons.next().unwrap_or_default()));
        for line in reasons {
            self.raw("  ", line);
        }
        if let Some(pid) = crash.pid {
            let ready = match *ready_ms {
                0 => "never ready".to_owned(),
                ms => format!("ready for {}", humantime::format_duration(Duration::from_millis(ms))),
            };
            let (memory, heap) = (ByteSize(usage.memory), ByteSize(*heap_used));
            self.say("  ", &format!("pid {pid}, {ready}, memory {memory}, heap {heap}"));
        }
        let lost = if crash.culprit.is_some() { "also lost" } else { "lost requests" };
        self.list("ended by", crash.culprit.iter().map(ToString::to_string));
        self.list("suspected", crash.suspects.iter().map(ToString::to_string));
        self.list("last lines", crash.lines.iter().cloned());
        self.list(lost, crash.requests.iter().map(ToString::to_string));
    }

    fn hint(&mut self, app: &str, suspects: &[Suspect]) {
        if let Some(hint) = hint(app, suspects) {
            self.say("", &hint);
        }
    }
}

/// A line whose length is its display width: without colour codes, and with other control characters made visible.
fn plain(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('\x1b') {
        out.push_str(&rest[..at]);
        let length = visible::style(&rest[at..]).map_or(0, str::len);
        if length == 0 {
            out.push('\x1b');
        }
        rest = &rest[at + length.max(1)..];
    }
    out.push_str(rest);
    visible::text(&out).replace('\t', "    ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::terminal::columns;
    use super::*;
    use crate::apps::crashes::{Crashes, Remains};
    use crate::model::exit_reason::ExitReason;

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_terminal_and_nothing_of_a_crash_is_missing(
            width in 20usize..130,
            app in "[a-z]{1,63}",
            reason in "[a-z :]{1,100}(\n *at [a-z/]{1,80}){0,3}",
            line in " {0,8}[a-z日 /]{0,200}",
        ) {
            let crashes = Crashes::default();
            let remains = Remains { pid: Some(7), lines: vec![line.clone()], ..Remains::default() };
            crashes.record(&app, &ExitReason::LoadFailed(reason.clone()), remains);
            let mut page = CrashPage::new(Some(width));
            page.crash(&crashes.of(None)[0]);
            prop_assert!(page.lines.iter().all(|line| columns(line) <= width), "{:#?}", page.lines);
            let letters = |text: &str| text.chars().filter(|char| !char.is_whitespace()).collect::<String>();
            let all = letters(&page.lines.concat());
            for text in [app, reason, line] {
                prop_assert!(all.contains(&letters(&text)), "{text:?} in {:#?}", page.lines);
            }
        }
    }
}
