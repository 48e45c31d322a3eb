//! `status APP`: the details of one app.

use std::time::{Duration, SystemTime};

use bytesize::ByteSize;

use super::super::terminal::{Paint, Tone, columns, fold, many, wrap};
use super::problem::{AppHealth, age, since_end, state};
use super::table::state_tone;
use crate::api::crash::Crash;
use crate::api::deploys::DeployRow;
use crate::api::schedule::{CronStatus, RunReport};
use crate::api::status::{AppDetail, AppStatus, AssetsStatus};
use crate::model::state::AppState;

/// Width of the names, in columns.
const NAMES: usize = 12;

/// The data about an app.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    /// From `GET /v1/apps/NAME`.
    pub(super) detail: &'a AppDetail,
    /// Its current deploy, if it was deployed.
    pub(super) deploy: Option<&'a DeployRow>,
    /// Its latest crashes, latest first.
    pub(super) crashes: &'a [Crash],
}

/// Renders lines of at most `width` columns, if given.
pub(super) fn render(facts: &Facts<'_>, width: Option<usize>, paint: Paint, now: SystemTime) -> Vec<String> {
    let Facts { detail, deploy, crashes } = facts;
    let app = &detail.status;
    let problem = AppHealth::of(app, now);
    let head = format!("{}  {}", app.app, paint.tone(state_tone(problem.severity, app), state(app)));
    let mut page = DetailPage { lines: vec![head], width: width.unwrap_or(usize::MAX), paint };
    for note in &problem.notes {
        page.say(problem.severity.tone(), "", note);
    }
    page.lines.push(String::new());
    page.fact("addresses", &addresses(detail).join("  "));
    if let Some(pid) = app.pid {
        let uptime = age(Duration::from_secs(app.uptime_seconds.unwrap_or_default()));
        page.fact("worker", &format!("pid {pid}, ready for {uptime}"));
    }
    page.fact("requests", &requests(detail));
    let of = |used: u64, limit: Option<u64>| match limit.filter(|limit| *limit > 0) {
        Some(limit) => format!("{} of {}", ByteSize(used), ByteSize(limit)),
        None => ByteSize(used).to_string(),
    };
    if app.pid.is_some() {
        let rss = ByteSize(app.rss);
        page.fact("memory", &format!("{} (with what is shared: {rss})", of(app.memory, app.memory_limit)));
        page.fact("heap", &of(app.heap_used, Some(app.heap_limit)));
        let cpus = detail.limits.get("max_cpus").filter(|cpus| *cpus != "false");
        let limit = cpus.map(|cpus| format!(", of {cpus} CPUs")).unwrap_or_default();
        let cpu =
            format!("{:.0} % of one CPU{limit}; {:.1} s so far", app.rates.cpu_percent, app.cpu_seconds);
        page.fact("cpu", &cpu);
    }
    page.fact("workers", &workers(app));
    if app.waits_for_turn {
        page.fact("start", "waits for its turn (`max_starts_per_second`)");
    }
    if let Some(AssetsStatus { files, memory }) = app.assets {
        let files = many(u64::try_from(files).unwrap_or(u64::MAX), "file", "files");
        page.fact("files", &format!("{files}, {} of them in memory", ByteSize(memory as u64)));
    }
    for cron in &app.crons {
        page.fact("cron", &self::cron(cron, now));
    }
    if let Some(reason) = &app.last_exit {
        let since = since_end(app, now).map(|since| format!(", {} ago", age(since))).unwrap_or_default();
        let at = app.last_exit_at.as_ref().map(|at| format!(" ({at})")).unwrap_or_default();
        let mut lines = reason.lines();
        page.fact("last exit", &format!("{}{since}{at}", lines.next().unwrap_or_default()));
        for part in lines.flat_map(|line| fold(line, page.width.saturating_sub(NAMES))) {
            page.lines.push(format!("{:NAMES$}{part}", ""));
        }
    }
    page.fact("served from", &format!("{}, entry {}", detail.folder, detail.entry));
    if let Some(DeployRow { digest, deployed_at, .. }) = deploy {
        page.fact("deploy", &format!("{} of {deployed_at}", super::super::deploys::short(digest)));
    }
    let limits: Vec<_> =
        detail.limits.iter().map(|(field, limit)| format!("{field}={}", limit.replace(' ', ""))).collect();
    page.fact("limits", &limits.join(" "));
    for suspect in &detail.suspects {
        page.fact(if suspect.is_refused { "refused" } else { "suspected" }, &suspect.to_string());
    }
    if let Some(hint) = super::super::crashes::hint(&app.app, &detail.suspects) {
        page.fact("", &hint);
    }
    if !crashes.is_empty() {
        page.lines.push(String::new());
        let title = format!("last crashes (all: nano-supervisor crashes {})", app.app);
        page.lines.extend(wrap(&title, page.width).into_iter().map(|line| paint.tone(Tone::Head, line)));
        crashes.iter().for_each(|crash| page.crash(crash));
    }
    page.lines
}

struct DetailPage {
    lines: Vec<String>,
    width: usize,
    paint: Paint,
}

impl DetailPage {
    fn fact(&mut self, name: &str, value: &str) {
        self.say(Tone::Plain, name, value);
    }

    /// Adds a name, and a text beside it.
    fn say(&mut self, tone: Tone, name: &str, text: &str) {
        for (index, line) in wrap(text, self.width.saturating_sub(NAMES)).into_iter().enumerate() {
            let name = if index == 0 { name } else { "" };
            let padding = " ".repeat(NAMES - columns(name));
            self.lines.push(format!(
                "{}{padding}{}",
                self.paint.tone(Tone::Faint, name),
                self.paint.tone(tone, line)
            ));
        }
    }

    fn crash(&mut self, crash: &Crash) {
        let reason = crash.reason.lines().next().unwrap_or_default();
        for (index, line) in
            wrap(&format!("{} {reason}", crash.time), self.width.saturating_sub(4)).iter().enumerate()
        {
            self.lines.push(format!("{}{line}", if index == 0 { "  " } else { "    " }));
        }
        let culprit = crash.culprit.iter().map(|request| format!("ended by: {request}"));
        let suspects = crash.suspects.iter().map(|suspect| format!("suspected: {suspect}"));
        let lost = crash.requests.iter().map(|request| format!("lost: {request}"));
        for text in culprit.chain(suspects).chain(lost) {
            wrap(&text, self.width.saturating_sub(6))
                .iter()
                .for_each(|line| self.lines.push(format!("    {line}")));
        }
    }
}

/// When a cron is due next, and how it last ended.
fn cron(CronStatus { cron, next_at, running_since, last }: &CronStatus, now: SystemTime) -> String {
    let time = |text: &String| humantime::parse_rfc3339(text).ok();
    let passed = |text: &String| now.duration_since(time(text)?).ok();
    let ago = |text: &String| passed(text).map(|passed| format!(", {} ago", age(passed))).unwrap_or_default();
    let mut parts = vec![cron.clone()];
    if let Some(since) = running_since {
        parts.push(format!("runs since {since}"));
    }
    if let Some(next) = next_at {
        let left = time(next).and_then(|next| next.duration_since(now).ok()).unwrap_or_default();
        parts.push(format!("next in {} ({next})", age(left)));
    }
    parts.push(match last {
        Some(RunReport { outcome, why, ms, began_at, .. }) => {
            let why = why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
            format!("last {outcome}{why} after {ms} ms{}", ago(began_at))
        }
        None => "has not run yet".to_owned(),
    });
    parts.join("; ")
}

/// The addresses of the app, as URLs where possible.
fn addresses(detail: &AppDetail) -> Vec<String> {
    let app = &detail.status;
    let mut found = urls(&app.listen, &app.hosts);
    if app.state != AppState::Ready || !app.hosts.is_empty() {
        found.push(format!("(listens on {})", app.listen));
    }
    found
}

fn urls(listen: &str, hosts: &[String]) -> Vec<String> {
    let Some((address, port)) = listen.rsplit_once(':') else { return vec![listen.to_owned()] };
    let port = if port == "80" { String::new() } else { format!(":{port}") };
    let reached = match (hosts, address) {
        ([], "*" | "[::]" | "0.0.0.0") => vec!["localhost".to_owned()],
        ([], address) => vec![address.to_owned()],
        (hosts, _) => hosts.to_vec(),
    };
    reached.iter().map(|host| format!("http://{host}{port}/")).collect()
}

fn workers(app: &AppStatus) -> String {
    let mut parts = vec![
        many(app.crashes, "crash", "crashes"),
        many(app.restarts, "restart", "restarts"),
        many(app.deploys, "deploy", "deploys"),
    ];
    if app.failed_starts > 0 {
        parts.push(format!("{} in a row", many(app.failed_starts, "failed start", "failed starts")));
    }
    parts.join(", ")
}

fn requests(detail: &AppDetail) -> String {
    let app = &detail.status;
    let rates = &app.rates;
    let mut parts = vec![format!("{:.1}/s", rates.requests_per_second)];
    if rates.errors_per_second > 0.0 {
        parts.push(format!("5xx {:.1}/s", rates.errors_per_second));
    }
    for (name, value) in [("p50", rates.p50_ms), ("p99", rates.p99_ms)] {
        parts.extend(value.map(|ms| format!("{name} {ms:.1} ms")));
    }
    parts.push(format!("{} in flight", app.in_flight));
    if app.websockets > 0 {
        parts.push(format!("{} WebSockets", app.websockets));
    }
    format!("{}; {} so far, {} of them 5xx", parts.join(", "), app.requests, app.errors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_that_a_browser_on_this_machine_can_open() {
        for (listen, url) in [
            ("*:80", "http://localhost/"),
            ("[::]:80", "http://localhost/"),
            ("0.0.0.0:8080", "http://localhost:8080/"),
            ("127.0.0.1:80", "http://127.0.0.1/"),
            ("[::1]:8080", "http://[::1]:8080/"),
        ] {
            assert_eq!(urls(listen, &[]), [url]);
        }
        assert_eq!(urls("[::]:80", &["a.example".to_owned()]), ["http://a.example/"]);
    }
}
