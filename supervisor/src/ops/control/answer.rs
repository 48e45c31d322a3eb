//! Responses of the control API, and query parameters.

use std::fmt::Display;

use hyper::{StatusCode, Uri};
use serde_json::{Value, json};

use crate::model::change_error::{ChangeError, ErrorKind};
use crate::ops::operator::Operator;

/// Status and JSON body.
pub(crate) type Answer = (StatusCode, Value);

/// The response to a change.
pub(crate) fn outcome(result: Result<Value, ChangeError>) -> Answer {
    match result {
        Ok(value) => (StatusCode::OK, value),
        Err(why) => error(why.kind(), &why),
    }
}

/// An error, with the status of its kind. The text is for people.
pub(crate) fn error(kind: ErrorKind, why: &dyn Display) -> Answer {
    let status = match kind {
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Method => StatusCode::METHOD_NOT_ALLOWED,
        ErrorKind::Conflict
        | ErrorKind::Config
        | ErrorKind::App
        | ErrorKind::Superseded
        | ErrorKind::Ending => StatusCode::CONFLICT,
        ErrorKind::System | ErrorKind::Unknown => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, json!({ "error": why.to_string(), "kind": kind }))
}

/// 400: the request cannot be read.
pub(crate) fn malformed(why: &dyn Display) -> Answer {
    error(ErrorKind::Invalid, &format_args!("the request cannot be read: {why}"))
}

/// 405: the path takes another method.
pub(crate) fn not_allowed(method: &str) -> Answer {
    error(ErrorKind::Method, &format_args!("use {method}"))
}

/// 404, with the names of the existing apps.
pub(crate) fn no_such_app(operator: &Operator, app: &str) -> Answer {
    error(ErrorKind::NotFound, &operator.no_such_app(app))
}

/// The first value of a query parameter.
pub(crate) fn parameter(uri: &Uri, name: &str) -> Option<String> {
    parameters(uri, name).next()
}

/// All values of a query parameter.
pub(crate) fn parameters(uri: &Uri, name: &str) -> impl Iterator<Item = String> {
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    query.filter(move |(found, _)| found == name).map(|(_, value)| value.into_owned())
}
