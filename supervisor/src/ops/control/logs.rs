//! `GET /v1/logs`: the latest lines of the log, one JSON object per line; with `follow`, also new lines as they come.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt::Display;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use bytes::Bytes;
use clap::ValueEnum as _;
use hyper::Method;
use hyper::body::Frame;
use tracing::Level;

use super::answer::{Answer, error, no_such_app, not_allowed};
use crate::config::LogLevel;
use crate::model::change_error::ErrorKind;
use crate::ops::operator::Operator;
use crate::telemetry::log;
use crate::telemetry::log::line::Line;
use crate::telemetry::log::memory::{FoundLines, LogQuery, LogReader};

/// URL path.
pub(crate) const PATH: &str = "/v1/logs";

/// Approximate size of one body frame, in bytes.
const PART: usize = 64 * 1024;

///
/// # Errors
/// The error response.
pub(crate) fn answer(method: &Method, query: &str, operator: &Operator) -> Result<LogLines, Answer> {
    if *method != Method::GET {
        return Err(not_allowed("GET"));
    }
    let (log_query, follow) = read_query(query).map_err(|why| error(ErrorKind::Invalid, &why))?;
    if let Some(app) = log_query.app.as_deref().filter(|app| !operator.has(app)) {
        return Err(no_such_app(operator, app));
    }
    let mut reader = log::memory().map(|memory| memory.reader(log_query));
    let found = reader.as_mut().map(LogReader::read).unwrap_or_default();
    let next = reader.filter(|_| follow).map(next);
    Ok(LogLines { waiting: found.lines.into(), next })
}

/// Parses the query. The flag is `follow`.
fn read_query(query: &str) -> Result<(LogQuery, bool), String> {
    let (mut log_query, mut follow) = (LogQuery::default(), false);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let wrong = |fix: &str| format!("{name}={value}: {fix}");
        match &*name {
            "app" => log_query.app = Some(value.into_owned()),
            "since" => {
                log_query.since = Some(time(&value).ok_or_else(|| {
                    wrong("write how long ago, such as 5m, or a time such as 2026-01-31T12:00:00Z")
                })?);
            }
            "level" => {
                let level = LogLevel::from_str(&value, false);
                log_query.level =
                    Some(level.map_err(|_| wrong("write error, warn, info, debug or trace"))?.into());
            }
            "lines" => log_query.lines = Some(value.parse().map_err(|_| wrong("write a number"))?),
            "follow" => follow = value.parse().map_err(|_| wrong("write true or false"))?,
            _ => return Err(wrong("there is app, since, level, lines and follow")),
        }
    }
    Ok((log_query, follow))
}

/// Parses a time, or a duration before now.
fn time(text: &str) -> Option<SystemTime> {
    match humantime::parse_duration(text) {
        Ok(ago) => SystemTime::now().checked_sub(ago),
        Err(_) => humantime::parse_rfc3339_weak(text).ok(),
    }
}

/// Log lines as a response body.
pub(crate) struct LogLines {
    waiting: VecDeque<Arc<str>>,
    /// Waits for new lines; none without `follow`.
    next: Option<NextLines>,
}

type NextLines = Pin<Box<dyn Future<Output = (LogReader, FoundLines)>>>;

fn next(mut reader: LogReader) -> NextLines {
    Box::pin(async move {
        let found = reader.next().await;
        (reader, found)
    })
}

/// A line that says how many lines were dropped.
fn dropped(count: u64) -> Arc<str> {
    let message = format!("dropped {count} lines: they came faster than they were read");
    Line::new(Level::WARN, "logs").saying(message).json().into()
}

impl std::fmt::Debug for LogLines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}

impl hyper::body::Body for LogLines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.waiting.is_empty() {
            let Some(coming) = &mut self.next else { return Poll::Ready(None) };
            let (reader, found) = ready!(coming.as_mut().poll(cx));
            self.next = Some(next(reader));
            self.waiting.extend((found.dropped > 0).then(|| dropped(found.dropped)));
            self.waiting.extend(found.lines);
        }
        let mut part = String::new();
        while part.len() < PART
            && let Some(line) = self.waiting.pop_front()
        {
            part.push_str(&line);
            part.push('\n');
        }
        Poll::Ready(Some(Ok(Frame::data(part.into()))))
    }
}

/// Builds the query string; parameters without a value are left out.
#[must_use]
pub(crate) fn query(parts: &[(&str, Option<&dyn Display>)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in parts {
        if let Some(value) = value {
            query.append_pair(name, &value.to_string());
        }
    }
    query.finish()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_asked_for_arrives() {
        let query = query(&[
            ("app", Some(&"blog")),
            ("since", Some(&"1h 30m")),
            ("level", Some(&"warn")),
            ("lines", Some(&3)),
            ("follow", Some(&true)),
            ("none", None),
        ]);
        let (log_query, follow) = read_query(&query).unwrap();
        assert_eq!((log_query.app.as_deref(), log_query.level), (Some("blog"), Some(Level::WARN)));
        assert_eq!((log_query.lines, follow), (Some(3), true));
        let ago = log_query.since.unwrap().elapsed().unwrap();
        assert!(ago >= Duration::from_secs(5400) && ago < Duration::from_secs(5460), "{ago:?}");
        let (log_query, _) = read_query("since=1970-01-01T00%3A00%3A01Z").unwrap();
        assert_eq!(log_query.since, Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1)));
    }

    #[test]
    fn what_is_wrong_is_named_with_a_fix() {
        for (query, expected) in [
            (
                "since=soon",
                "since=soon: write how long ago, such as 5m, or a time such as 2026-01-31T12:00:00Z",
            ),
            ("level=loud", "level=loud: write error, warn, info, debug or trace"),
            ("lines=-1", "lines=-1: write a number"),
            ("follow=1", "follow=1: write true or false"),
            ("until=1", "until=1: there is app, since, level, lines and follow"),
        ] {
            assert_eq!(read_query(query).map(|_| ()), Err(expected.into()));
        }
    }
}
