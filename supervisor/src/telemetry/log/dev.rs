//! The format of the `dev` command: output of the app, its requests, and what is wrong with it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tracing::Level;

use super::line::{Line, milliseconds};
use super::text::{DIM, RESET, append, colour};
use crate::model::refusal::Refusal;
use crate::telemetry::record::RequestRecord;

/// The target whose lines are all shown. Of other targets of the supervisor, only warnings and errors are.
const OWN: &str = "dev";

/// The target of the last request that was refused because the app does not load. Its error page polls, so repetitions are
/// not logged.
static LAST_REFUSED: Mutex<Option<String>> = Mutex::new(None);

/// The line as text; none if it is not shown.
pub(super) fn render(line: &Line, ansi: bool) -> Option<String> {
    let is_of_app = matches!(&*line.target, "app" | "worker");
    if !is_of_app && line.target != OWN && line.level > Level::WARN {
        return None;
    }
    let mut out = String::with_capacity(line.message.len() + 16);
    if line.level <= Level::WARN {
        let (colour, reset) = if ansi { (colour(line.level), RESET) } else { ("", "") };
        let name = if line.level == Level::ERROR { "error" } else { "warning" };
        out += &format!("{colour}{name}{reset}");
        if let (Some(method), Some(path)) = (text_of(line, "method"), text_of(line, "path")) {
            out += " in ";
            append(&mut out, &format!("{method} {path}"), false);
        }
        out += ": ";
    }
    append(&mut out, &line.message, ansi);
    for name in ["reason", "error", "why"] {
        if let Some(text) = text_of(line, name) {
            out += ": ";
            append(&mut out, text, ansi);
        }
    }
    Some(out)
}

fn text_of<'a>(line: &'a Line, name: &str) -> Option<&'a str> {
    line.fields.iter().find(|(found, _)| found == name).and_then(|(_, value)| Value::as_str(value))
}

/// The line of a request; none if it is not shown.
pub(super) fn request(record: &RequestRecord, ansi: bool) -> Option<String> {
    let mut last_refused = LAST_REFUSED.lock().unwrap_or_else(PoisonError::into_inner);
    let waiting = (record.refusal == Some(Refusal::NotLoaded.code())).then(|| record.target.clone());
    if waiting.is_some() && *last_refused == waiting {
        return None;
    }
    *last_refused = waiting;
    Some(shown(record, record.begun.elapsed(), ansi))
}

fn shown(record: &RequestRecord, took: Duration, ansi: bool) -> String {
    let (colour, dim, reset) = match (ansi, record.status / 100) {
        (false, _) => ("", "", ""),
        (true, 2) => ("\x1b[32m", DIM, RESET),
        (true, 3) => ("\x1b[36m", DIM, RESET),
        (true, 4) => ("\x1b[33m", DIM, RESET),
        (true, _) => ("\x1b[31m", DIM, RESET),
    };
    let mut out = String::new();
    append(&mut out, &format!("{} {}", record.method, record.target), false);
    let ms = milliseconds(took);
    let cut = if record.cut_off { ", cut off" } else { "" };
    out + &format!(" {colour}{}{reset} {dim}{ms:.1} ms{cut}{reset}", record.status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_app_and_what_is_wrong_are_shown() {
        let line = |level, target: &'static str| Line::new(level, target).saying("text");
        let shown = |line: &Line| render(line, false);
        assert_eq!(shown(&line(Level::INFO, "app").with("app", "blog")).as_deref(), Some("text"));
        assert_eq!(shown(&line(Level::INFO, OWN)).as_deref(), Some("text"));
        assert_eq!(shown(&line(Level::INFO, "supervisor")), None);
        let ended = line(Level::WARN, "supervisor").with("reason", "hung").with("pid", 7);
        assert_eq!(shown(&ended).as_deref(), Some("warning: text: hung"));
        let failed = line(Level::ERROR, "app").with("method", "GET").with("path", "/x\u{1b}");
        assert_eq!(shown(&failed).as_deref(), Some("error in GET /x\\x1b: text"));
        assert_eq!(render(&failed, true).as_deref(), Some("\x1b[31merror\x1b[0m in GET /x\\x1b: text"));
    }
}
