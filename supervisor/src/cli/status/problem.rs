//! Judges the status of an app: severity, and notes for people.

use std::time::{Duration, SystemTime};

use bytesize::ByteSize;

use super::super::terminal::Tone;
use crate::api::RunOutcome;
use crate::api::schedule::CronStatus;
use crate::api::status::AppStatus;
use crate::model::state::AppState;
use crate::untrusted::visible;

/// A worker exit is shown for this long after the app runs again.
const RECENT: Duration = Duration::from_secs(600);

/// An app is near a limit from this share on.
const NEAR: f64 = 0.9;

/// Severity, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    /// Failed; only retried slowly.
    Failed,
    /// Without a worker at the moment.
    Down,
    /// With a worker that does not respond.
    Busy,
    /// Serving, but with a problem.
    Warning,
    /// Starting or stopping.
    Changing,
    /// No problem.
    None,
}

impl Severity {
    /// Its colour.
    pub(super) fn tone(self) -> Tone {
        match self {
            Self::Failed | Self::Down => Tone::Bad,
            Self::Busy | Self::Warning | Self::Changing => Tone::Odd,
            Self::None => Tone::Plain,
        }
    }
}

/// The condition of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AppHealth {
    /// How severe its problem is.
    pub(super) severity: Severity,
    pub(super) notes: Vec<String>,
}

/// The displayed state.
pub(in crate::cli) fn state(app: &AppStatus) -> &'static str {
    if app.state == AppState::Ready && app.busy_ms.is_some() { "busy" } else { app.state.as_str() }
}

impl AppHealth {
    /// Judges an app at this time.
    pub(super) fn of(app: &AppStatus, now: SystemTime) -> Self {
        let is = |state: AppState| app.state == state;
        let mut notes = Vec::new();
        let ended = ended(app, now);
        let retry = app.retry_in_ms.map(|ms| format!("retry in {}", age(Duration::from_millis(ms))));
        let severity = if is(AppState::Stopped) {
            Severity::None
        } else if is(AppState::Failed) || is(AppState::BackingOff) || is(AppState::Crashed) {
            notes.extend(ended);
            notes.extend(retry);
            if is(AppState::Failed) { Severity::Failed } else { Severity::Down }
        } else if is(AppState::Starting) && app.pid.is_none() && app.crashes + app.failed_starts > 0 {
            notes.extend(ended);
            Severity::Down
        } else if let Some(ms) = app.busy_ms {
            let busy = age(Duration::from_millis(ms));
            notes.push(format!("JavaScript has not returned to the event loop for {busy}"));
            Severity::Busy
        } else {
            notes.extend(otherwise(app));
            notes.extend(app.crons.iter().filter_map(failed_run));
            notes.extend(near("memory", app.memory, app.memory_limit));
            notes.extend(near("heap", app.heap_used, Some(app.heap_limit)));
            if app.rates.errors_per_second > 0.0 {
                let (errors, all) = (app.rates.errors_per_second, app.rates.requests_per_second);
                notes.push(format!("{errors:.1} of {all:.1} requests/s are answered 5xx"));
            }
            if app.crashes > 0 && since_end(app, now).is_some_and(|since| since < RECENT) {
                notes.extend(ended);
            }
            match notes.is_empty() {
                false => Severity::Warning,
                true if is(AppState::Ready) => Severity::None,
                true => Severity::Changing,
            }
        };
        Self { severity, notes }
    }
}

/// The time since the last worker exit.
pub(super) fn since_end(app: &AppStatus, now: SystemTime) -> Option<Duration> {
    let at = humantime::parse_rfc3339(app.last_exit_at.as_deref()?).ok()?;
    Some(now.duration_since(at).unwrap_or_default())
}

fn ended(app: &AppStatus, now: SystemTime) -> Option<String> {
    // A reason may have several lines. The first one is the summary.
    let reason = visible::line(app.last_exit.as_deref()?.lines().next()?);
    let since = since_end(app, now).map(|since| format!("{} ago", age(since)));
    let often = match (app.failed_starts, app.crashes) {
        (0, 0 | 1) | (1, _) => None,
        (0, crashes) => Some(format!("crash {crashes}")),
        (starts, _) => Some(format!("{starts} starts")),
    };
    let more: Vec<_> = since.into_iter().chain(often).collect();
    Some(if more.is_empty() { reason.into_owned() } else { format!("{reason} ({})", more.join(", ")) })
}

/// Why the app still runs with its former configuration.
fn otherwise(app: &AppStatus) -> Option<String> {
    let why = visible::line(app.problem.as_deref()?.lines().next()?);
    Some(format!("goes on as it was before its configuration: {why}"))
}

/// How the last run of a cron has ended, if not well.
fn failed_run(cron: &CronStatus) -> Option<String> {
    let run = cron.last.as_ref().filter(|run| run.outcome != RunOutcome::Ok)?;
    Some(format!("the last scheduled run of {:?} ended with {}", cron.cron, run.outcome))
}

fn near(what: &str, used: u64, limit: Option<u64>) -> Option<String> {
    let limit = limit.filter(|limit| *limit > 0)?;
    let is_near = used as f64 >= limit as f64 * NEAR;
    is_near.then(|| format!("{what} {} of {}", ByteSize(used), ByteSize(limit)))
}

/// A duration in its two largest units.
pub(super) fn age(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds == 0 {
        return format!("{} ms", duration.as_millis());
    }
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let first = units.iter().position(|(length, _)| seconds >= *length).unwrap_or(units.len() - 1);
    let mut left = seconds;
    let mut parts = Vec::new();
    for (length, unit) in &units[first..units.len().min(first + 2)] {
        if left / length > 0 {
            parts.push(format!("{}{unit}", left / length));
        }
        left %= length;
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_two_units() {
        for (ms, text) in
            [(0, "0 ms"), (999, "999 ms"), (61_000, "1m 1s"), (3_600_000, "1h"), (90_061_000, "1d 1h")]
        {
            assert_eq!(age(Duration::from_millis(ms)), text);
        }
    }
}
