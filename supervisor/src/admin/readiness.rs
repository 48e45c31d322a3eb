//! `/readyz`: whether the supervisor serves, and which apps do not; `/readyz?app=NAME`: whether one app does.

use std::rc::Rc;

use hyper::header::ACCEPT;
use hyper::{Request, Response, StatusCode};
use serde_json::{Value, json};

use super::{text, with_type};
use crate::control::Body;
use crate::control::api::parameter;
use crate::operator::{Operator, Phase};
use crate::registry::State;

/// Yes or no by its status, and why; as JSON for whoever asks for that.
pub fn answer<B>(request: &Request<B>, operator: &Rc<Operator>) -> Response<Body> {
    let apps = operator.readiness();
    let (status, plain, detailed) = match parameter(request.uri(), "app") {
        Some(name) => match apps.into_iter().find(|(app, _)| *app == name) {
            Some((app, state)) => of_app(&app, state),
            None => (StatusCode::NOT_FOUND, operator.no_such_app(&name), json!({ "error": "no such app" })),
        },
        None => of_all(operator.phase(), &apps),
    };
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("application/json") {
        return with_type(status, "application/json", format!("{detailed}\n").into());
    }
    text(status, &format!("{plain}\n"))
}

/// An app that an operator has stopped is as it should be.
fn is_well(state: State) -> bool {
    matches!(state, State::Ready | State::Stopped)
}

fn of_app(app: &str, state: State) -> (StatusCode, String, Value) {
    let status = if is_well(state) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, state.to_string(), json!({ "app": app, "ready": is_well(state), "state": state }))
}

/// The supervisor is ready if it serves. An app that does not is no reason to take all others away from their clients, but is
/// named.
fn of_all(phase: Phase, apps: &[(String, State)]) -> (StatusCode, String, Value) {
    let (status, word) = match phase {
        Phase::Starting => (StatusCode::SERVICE_UNAVAILABLE, "starting"),
        Phase::Serving => (StatusCode::OK, "ready"),
        Phase::Draining => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
    };
    let unready: Vec<_> = apps.iter().filter(|(_, state)| !is_well(*state)).collect();
    let lines = unready.iter().map(|(app, state)| format!("\nnot ready: {app} ({state})"));
    let plain = std::iter::once(word.to_owned()).chain(lines).collect();
    let unready: Vec<_> =
        unready.into_iter().map(|(app, state)| json!({ "app": app, "state": state })).collect();
    (status, plain, json!({ "ready": status == StatusCode::OK, "phase": word, "not_ready": unready }))
}
