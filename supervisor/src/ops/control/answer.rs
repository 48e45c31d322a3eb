//! The answers of the control API, and the parameters of its queries.

use hyper::{StatusCode, Uri};
use serde_json::{Value, json};

use crate::ops::operator::Operator;

/// An answer: its status, and its body.
pub(crate) type Answer = (StatusCode, Value);

pub(crate) fn outcome(result: Result<Value, String>) -> Answer {
    match result {
        Ok(value) => (StatusCode::OK, value),
        Err(why) => (StatusCode::CONFLICT, json!({ "error": why })),
    }
}

/// That a request is not what it should be.
pub(crate) fn malformed(error: &dyn std::fmt::Display) -> Answer {
    (StatusCode::BAD_REQUEST, json!({ "error": format!("the request cannot be read: {error}") }))
}

/// That it was not answered.
pub(crate) fn failed(error: &dyn std::fmt::Display) -> Answer {
    (StatusCode::INTERNAL_SERVER_ERROR, json!({ "error": error.to_string() }))
}

pub(crate) fn not_allowed(method: &str) -> Answer {
    (StatusCode::METHOD_NOT_ALLOWED, json!({ "error": format!("use {method}") }))
}

pub(crate) fn no_such_app(operator: &Operator, app: &str) -> Answer {
    (StatusCode::NOT_FOUND, json!({ "error": operator.no_such_app(app) }))
}

/// A parameter of the query.
pub(crate) fn parameter(uri: &Uri, name: &str) -> Option<String> {
    parameters(uri, name).next()
}

/// Every value of a parameter of the query.
pub(crate) fn parameters(uri: &Uri, name: &str) -> impl Iterator<Item = String> {
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    query.filter(move |(found, _)| found == name).map(|(_, value)| value.into_owned())
}
