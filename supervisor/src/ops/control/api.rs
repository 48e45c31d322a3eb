//! The routes of the control API and their JSON answers. `deploys`: the routes about deploys; `monitoring`: those that the
//! dashboard polls.

mod deploys;
pub(super) mod monitoring;

use std::rc::Rc;

use bytes::Bytes;
use hyper::{Method, StatusCode, Uri};
use serde_json::json;

use super::answer::{Answer, error, malformed, no_such_app, not_allowed, outcome, parameter};
use crate::api::status::Status;
use crate::apps::lifecycle::Action;
use crate::model::change_error::ErrorKind;
use crate::model::kind::Kind;
use crate::ops::operator::Operator;

/// The first segment of every path. A breaking change gets a new number.
pub(crate) const VERSION: &str = "v1";

/// Answers a request. `body` is `None` on the admin listener, where no folder of this machine may be deployed.
pub(crate) async fn answer(
    method: &Method,
    uri: &Uri,
    body: Option<Bytes>,
    operator: &Rc<Operator>,
) -> Answer {
    // In a task of its own, so that a command completes even if the client disconnects.
    let (method, uri, operator) = (method.clone(), uri.clone(), operator.clone());
    let answered = tokio::task::spawn_local(async move { route(&method, &uri, body, &operator).await });
    answered.await.unwrap_or_else(|broken| error(ErrorKind::System, &broken))
}

async fn route(method: &Method, uri: &Uri, body: Option<Bytes>, operator: &Rc<Operator>) -> Answer {
    let parts: Vec<_> = uri.path().trim_start_matches('/').split('/').collect();
    let [VERSION, parts @ ..] = &parts[..] else { return no_such_path() };
    match parts {
        ["status"] => match *method {
            Method::GET | Method::HEAD => (StatusCode::OK, json!(status(operator))),
            _ => not_allowed("GET"),
        },
        ["news"] => monitoring::news(method, uri, operator),
        ["crashes"] => match *method {
            Method::GET | Method::HEAD => crashes(operator, parameter(uri, "app").as_deref()),
            _ => not_allowed("GET"),
        },
        ["reload"] => match *method {
            Method::POST => outcome(operator.reload().await.map(|changes| json!(changes))),
            _ => not_allowed("POST"),
        },
        ["upgrade"] => match *method {
            Method::POST => outcome(operator.upgrade().await.map(|upgraded| json!(upgraded))),
            _ => not_allowed("POST"),
        },
        ["apps", app] if matches!(*method, Method::GET | Method::HEAD) => match operator.detail(app) {
            Some(detail) => (StatusCode::OK, json!(detail)),
            None => no_such_app(operator, app),
        },
        ["apps", app, "quarantine"] => quarantine(method, uri, operator, app).await,
        ["apps", app, rest @ ..] if deploys::is_about(rest) => {
            deploys::answer(method, uri, app, rest, body.as_deref(), operator).await
        }
        ["apps", app, "trigger"] => match *method {
            Method::POST => {
                outcome(operator.trigger(app, parameter(uri, "cron").as_deref()).await.map(|run| json!(run)))
            }
            _ => not_allowed("POST"),
        },
        ["apps", app, "history"] => monitoring::history(method, uri, app, operator),
        ["apps", app, verb] => {
            let Some(action) = action(verb) else { return no_such_path() };
            if *method != Method::POST {
                return not_allowed("POST");
            }
            if !operator.has(app) {
                return no_such_app(operator, app);
            }
            let told = operator.tell(app, action).await;
            outcome(told.map(|_| json!(operator.status().into_iter().find(|status| status.app == **app))))
        }
        _ => no_such_path(),
    }
}

fn status(operator: &Operator) -> Status {
    Status {
        version: env!("CARGO_PKG_VERSION").into(),
        pid: std::process::id(),
        phase: operator.phase(),
        spares: operator.spares(),
        cgroups: operator.cgroups(),
        apps: operator.status(),
    }
}

fn crashes(operator: &Operator, app: Option<&str>) -> Answer {
    let crashes = operator.crashes(app);
    match app {
        // Crashes of a removed app are still available.
        Some(app) if crashes.is_empty() && !operator.has(app) => no_such_app(operator, app),
        _ => (StatusCode::OK, json!(crashes)),
    }
}

/// GET: the requests that are suspected of ending the app's workers. DELETE: releases one kind of them, or all.
async fn quarantine(method: &Method, uri: &Uri, operator: &Operator, app: &str) -> Answer {
    let Some(suspects) = operator.suspects(app) else { return no_such_app(operator, app) };
    match *method {
        Method::GET | Method::HEAD => (StatusCode::OK, json!(suspects)),
        Method::DELETE => match (parameter(uri, "method"), parameter(uri, "path")) {
            (Some(method), Some(path)) => {
                outcome(operator.release(app, Some(&Kind::of(&method, &path))).await.map(|left| json!(left)))
            }
            (None, None) => outcome(operator.release(app, None).await.map(|left| json!(left))),
            _ => malformed(&"`method` and `path` go together"),
        },
        _ => not_allowed("GET or DELETE"),
    }
}

fn action(verb: &str) -> Option<Action> {
    Some(match verb {
        "start" => Action::Start,
        "stop" => Action::Stop,
        "restart" => Action::Restart,
        "roll" => Action::Roll,
        _ => return None,
    })
}

fn no_such_path() -> Answer {
    let known = "GET /v1/status, GET /v1/news, GET /v1/logs, GET /v1/crashes, GET /v1/apps/NAME, POST /v1/reload, POST /v1/upgrade, \
                 POST /v1/apps/NAME/start, stop, restart, roll, trigger, deploy or rollback, DELETE /v1/apps/NAME, \
                 GET /v1/apps/NAME/deploys or history, \
                 GET or DELETE /v1/apps/NAME/quarantine";
    error(ErrorKind::NotFound, &format_args!("there is no such path; there is: {known}"))
}
