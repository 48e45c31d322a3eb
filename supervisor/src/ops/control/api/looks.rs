//! The routes for those who look on: what has changed, and the last minutes of one app.

use hyper::{Method, StatusCode, Uri};
use serde::Serialize;
use serde_json::{Value, json};

use super::super::answer::{Answer, malformed, no_such_app, not_allowed, parameter};
use crate::api::status::{MachineStatus, SpareStatus};
use crate::ops::news::News;
use crate::ops::operator::Operator;

/// What `GET /v1/news` answers.
#[derive(Debug, Serialize)]
struct NewsAnswer {
    /// Version of the supervisor.
    version: String,
    /// Its process id.
    pid: u32,
    /// The workers that have no app yet.
    spares: Vec<SpareStatus>,
    /// How much of the machine is in use.
    machine: MachineStatus,
    /// What has changed.
    #[serde(flatten)]
    news: News,
}

/// What has changed since the mark `since`.
pub(super) fn news(method: &Method, uri: &Uri, operator: &Operator) -> Answer {
    let since = match since(method, uri) {
        Ok(since) => since,
        Err(answer) => return answer,
    };
    let look = NewsAnswer {
        version: env!("CARGO_PKG_VERSION").into(),
        pid: std::process::id(),
        spares: operator.spares(),
        machine: operator.machine(),
        news: operator.news(since),
    };
    (StatusCode::OK, json!(look))
}

/// What an app did in each second from the number `since` on.
pub(super) fn history(method: &Method, uri: &Uri, app: &str, operator: &Operator) -> Answer {
    match since(method, uri) {
        Ok(since) => match operator.history(app, since.unwrap_or_default()) {
            Some(seconds) => (StatusCode::OK, json!(seconds)),
            None => no_such_app(operator, app),
        },
        Err(answer) => answer,
    }
}

/// Leaves of a look at apps, or at one, what they have said themselves, such as why they do not load, and what they were asked.
/// What has changed says so, for who need not ask for the rest.
pub(crate) fn conceal(look: &mut Value) {
    if let Some(news) = look.as_object_mut().filter(|look| look.contains_key("mark")) {
        news.insert("is_partial".into(), true.into());
    }
    conceal_fields(look);
}

fn conceal_fields(look: &mut Value) {
    if let Some(apps) = look.get_mut("apps").and_then(Value::as_array_mut) {
        apps.iter_mut().for_each(conceal_fields);
    }
    for field in ["last_exit", "problem"] {
        // What kind of failure it is stands before the colon.
        if let Some(Value::String(text)) = look.get_mut(field)
            && let Some(end) = text.find(": ")
        {
            text.truncate(end);
        }
    }
    if let Some(suspects) = look.get_mut("suspects").and_then(Value::as_array_mut) {
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
