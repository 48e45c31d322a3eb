//! Responses of the admin listener.

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};

use crate::ops::control::Body;

pub(super) fn forbidden(why: &str) -> Response<Body> {
    text(StatusCode::FORBIDDEN, &format!("{why}\n"))
}

pub(super) fn text(status: StatusCode, text: &str) -> Response<Body> {
    with_type(status, "text/plain; charset=utf-8", Bytes::copy_from_slice(text.as_bytes()))
}

pub(super) fn with_type(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::new(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
