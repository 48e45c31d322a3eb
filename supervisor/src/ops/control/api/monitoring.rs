//! The routes that the dashboard polls: status changes, and the last minutes of one app.

use hyper::{Method, StatusCode, Uri};
use serde::Serialize;
use serde_json::{Value, json};

use super::super::answer::{Answer, malformed, no_such_app, not_allowed, parameter};
use crate::api::status::{MachineStatus, SpareStatus};
use crate::ops::news::News;
use crate::ops::operator::Operator;

/// Response of `GET /v1/news`.
#[derive(Debug, Serialize)]
struct NewsAnswer {
    version: String,
    /// Process id of the supervisor.
    pid: u32,
    /// Idle workers without an app.
    spares: Vec<SpareStatus>,
    machine: MachineStatus,
    /// The changes.
    #[serde(flatten)]
    news: News,
}

/// `GET /v1/news`: what has changed since the mark `since`.
pub(super) fn news(method: &Method, uri: &Uri, operator: &Operator) -> Answer {
    let since = match since(method, uri) {
        Ok(since) => since,
        Err(answer) => return answer,
    };
    let answer = NewsAnswer {
        version: env!("CARGO_PKG_VERSION").into(),
        pid: std::process::id(),
        spares: operator.spares(),
        machine: operator.machine(),
        news: operator.news(since),
    };
    (StatusCode::OK, json!(answer))
}

/// `GET /v1/apps/NAME/history`: what the app did in each second, from the number `since` on.
pub(super) fn history(method: &Method, uri: &Uri, app: &str, operator: &Operator) -> Answer {
    match since(method, uri) {
        Ok(since) => match operator.history(app, since.unwrap_or_default()) {
            Some(seconds) => (StatusCode::OK, json!(seconds)),
            None => no_such_app(operator, app),
        },
        Err(answer) => answer,
    }
}

/// Removes what only clients with the token may read: texts of apps, such as why they do not load, and requests to them. News
/// are marked with `is_partial`, so that the dashboard does not ask for more.
pub(crate) fn redact(answer: &mut Value) {
    if let Some(news) = answer.as_object_mut().filter(|answer| answer.contains_key("mark")) {
        news.insert("is_partial".into(), true.into());
    }
    redact_fields(answer);
}

fn redact_fields(answer: &mut Value) {
    if let Some(apps) = answer.get_mut("apps").and_then(Value::as_array_mut) {
        apps.iter_mut().for_each(redact_fields);
    }
    for field in ["last_exit", "problem"] {
        // The kind of failure comes before the colon, text of the app after it.
        if let Some(Value::String(text)) = answer.get_mut(field)
            && let Some(end) = text.find(": ")
        {
            text.truncate(end);
        }
    }
    for cron in answer.get_mut("crons").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(last) = cron.get_mut("last").and_then(Value::as_object_mut) {
            last.remove("why");
        }
    }
    if let Some(suspects) = answer.get_mut("suspects").and_then(Value::as_array_mut) {
        suspects.clear();
    }
}

fn since(method: &Method, uri: &Uri) -> Result<Option<u64>, Answer> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Err(not_allowed("GET"));
    }
    let Some(text) = parameter(uri, "since") else { return Ok(None) };
    text.parse().map(Some).map_err(|_| malformed(&format!("since={text}: write a number")))
}
