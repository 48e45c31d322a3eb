//! `/readyz`: whether the supervisor serves, and which apps are not ready. `/readyz?app=NAME`: whether one app is ready; may
//! be repeated for several.

use std::rc::Rc;

use hyper::header::ACCEPT;
use hyper::{Request, Response, StatusCode};
use serde_json::{Value, json};

use super::answer::{text, with_type};
use crate::api::status::Phase;
use crate::model::state::AppState;
use crate::ops::control::Body;
use crate::ops::control::answer::parameters;
use crate::ops::operator::Operator;

/// 200 or 503, with the reasons in the body: plain text, or JSON if `Accept` asks for it.
pub(crate) fn answer<B>(request: &Request<B>, operator: &Rc<Operator>) -> Response<Body> {
    let apps = operator.readiness();
    let asked: Vec<_> = parameters(request.uri(), "app").collect();
    let found: Vec<_> =
        asked.iter().map(|name| apps.iter().find(|(app, _)| app == name).ok_or(name)).collect();
    let (status, plain, detailed) = match (&found[..], found.iter().find_map(|app| app.err())) {
        (_, Some(name)) => {
            // Probes need no token, so the names of other apps are not listed.
            (StatusCode::NOT_FOUND, format!("there is no app {name:?}"), json!({ "error": "no such app" }))
        }
        ([], _) => of_all(operator.phase(), &apps),
        ([Ok((app, state))], _) => of_app(app, *state),
        (several, _) => of_several(&several.iter().flatten().copied().collect::<Vec<_>>()),
    };
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("application/json") {
        return with_type(status, "application/json", format!("{detailed}\n").into());
    }
    text(status, &format!("{plain}\n"))
}

fn status(is_well: bool) -> StatusCode {
    if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

fn of_app(app: &str, state: AppState) -> (StatusCode, String, Value) {
    let is_well = state.is_well();
    (status(is_well), state.to_string(), json!({ "app": app, "ready": is_well, "state": state }))
}

fn of_several(apps: &[&(String, AppState)]) -> (StatusCode, String, Value) {
    let is_well = apps.iter().all(|(_, state)| state.is_well());
    let plain: Vec<_> = apps.iter().map(|(app, state)| format!("{app}: {state}")).collect();
    let each: Vec<_> = apps.iter().map(|(app, state)| of_app(app, *state).2).collect();
    (status(is_well), plain.join("\n"), json!({ "ready": is_well, "apps": each }))
}

/// The supervisor is ready if it serves. An app that is not ready is listed, but does not fail the probe: that would cut off
/// the clients of all other apps.
fn of_all(phase: Phase, apps: &[(String, AppState)]) -> (StatusCode, String, Value) {
    let (status, word) = (status(phase == Phase::Serving), phase.to_string());
    let unready: Vec<_> = apps.iter().filter(|(_, state)| !state.is_well()).collect();
    let lines = unready.iter().map(|(app, state)| format!("\nnot ready: {app} ({state})"));
    let plain = std::iter::once(word.clone()).chain(lines).collect();
    let unready: Vec<_> =
        unready.into_iter().map(|(app, state)| json!({ "app": app, "state": state })).collect();
    (status, plain, json!({ "ready": status == StatusCode::OK, "phase": word, "not_ready": unready }))
}
