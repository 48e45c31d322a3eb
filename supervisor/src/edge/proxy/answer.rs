//! The one table from failures to statuses, and the short bodies that go with them.

use bytes::Bytes;
use hyper::header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};
use nano_protocol::message::RequestId;

use super::body::ResponseBody;

use crate::model::refusal::Refusal;

/// Media type of a short text.
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";

/// Media type of a body for programs.
pub(crate) const JSON: &str = "application/json";

/// In which form a client would like to have an answer of the supervisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Text for people.
    Text,
    /// Text for people with a browser; the same as [`Self::Text`] outside of development mode.
    Html,
    /// For programs.
    Json,
}

/// One row: status, text for people.
type Row = (StatusCode, &'static str);

impl Refusal {
    fn row(self) -> Row {
        use StatusCode as S;
        match self {
            Self::Malformed => (S::BAD_REQUEST, "The request is not valid HTTP."),
            Self::NoSuchHost => (S::NOT_FOUND, "No app serves this host on this port."),
            Self::MethodNotAllowed => (S::METHOD_NOT_ALLOWED, "This method is not supported."),
            Self::RequestTimedOut => (S::REQUEST_TIMEOUT, "The request did not arrive in time."),
            Self::BodyTooLarge => (S::PAYLOAD_TOO_LARGE, "The request body is too large."),
            Self::UriTooLong => (S::URI_TOO_LONG, "The request target is too long."),
            Self::HeadersTooLarge => {
                (S::REQUEST_HEADER_FIELDS_TOO_LARGE, "The request headers are too large.")
            }
            Self::HandlerFailed => (S::INTERNAL_SERVER_ERROR, "The app failed to answer."),
            Self::NotAResponse => (S::INTERNAL_SERVER_ERROR, "The app did not return a valid response."),
            Self::OutOfMemory => (S::INTERNAL_SERVER_ERROR, "The app ran out of memory."),
            Self::WorkerDied => (S::INTERNAL_SERVER_ERROR, "The app crashed while it handled the request."),
            Self::NotLoaded => (S::INTERNAL_SERVER_ERROR, "The app could not be loaded."),
            Self::CrashLoop => (S::SERVICE_UNAVAILABLE, "The app is unavailable: it keeps crashing."),
            Self::Stopped => (S::SERVICE_UNAVAILABLE, "The app is stopped."),
            Self::NoWorker => (S::SERVICE_UNAVAILABLE, "The app is not ready to answer yet."),
            Self::Overloaded => (S::SERVICE_UNAVAILABLE, "The app has too many requests in flight."),
            Self::ClientOverloaded => (S::TOO_MANY_REQUESTS, "This client has too many requests in flight."),
            Self::QueueFull => (S::SERVICE_UNAVAILABLE, "Too many requests wait for the app already."),
            Self::CpuTime => (S::SERVICE_UNAVAILABLE, "The app used up its CPU time."),
            Self::ResponseTooLarge => {
                (S::INTERNAL_SERVER_ERROR, "The app's response is larger than it may be.")
            }
            Self::TimedOut => (S::GATEWAY_TIMEOUT, "The app did not answer within its time limit."),
            Self::Watchdog => (S::GATEWAY_TIMEOUT, "The app was interrupted: it kept running too long."),
            Self::Quarantined => {
                (S::SERVICE_UNAVAILABLE, "Such requests make the app crash, and are refused.")
            }
        }
    }

    /// The status.
    pub(crate) fn status(self) -> StatusCode {
        self.row().0
    }

    /// The text for people.
    pub(crate) fn message(self) -> &'static str {
        self.row().1
    }

    /// The whole response, but for its request id header.
    pub(crate) fn response(self, id: RequestId, form: Form) -> Response<ResponseBody> {
        match form {
            Form::Json => self.with_body(JSON, self.json(id, None)),
            Form::Text | Form::Html => self.with_body(TEXT, self.text()),
        }
    }

    /// A response with this status and this body.
    pub(crate) fn with_body(self, content_type: &'static str, body: String) -> Response<ResponseBody> {
        let status = self.status();
        let mut response = Response::new(ResponseBody::full(Bytes::from(body)));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if self == Self::MethodNotAllowed {
            let methods = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
            response.headers_mut().insert(ALLOW, methods);
        }
        response
    }

    /// The response as HTTP/1.1 bytes, for a connection on which no request could be read.
    pub(crate) fn raw_response(self, id: RequestId) -> Vec<u8> {
        let text = self.text();
        let date = httpdate::fmt_http_date(std::time::SystemTime::now());
        let status = self.status();
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: {TEXT}\r\ncontent-length: {}\r\nx-request-id: {id}\r\n\
             connection: close\r\ndate: {date}\r\n\r\n{text}",
            text.len()
        )
        .into_bytes()
    }

    /// The body as text.
    pub(crate) fn text(self) -> String {
        format!("{}\n{}\n", self.status(), self.message())
    }

    /// The body as JSON, with `detail` if there is more to say.
    pub(crate) fn json(self, id: RequestId, detail: Option<&str>) -> String {
        let ((status, message), code) = (self.row(), self.code());
        let mut body = serde_json::json!({
            "error": { "status": status.as_u16(), "code": code, "message": message, "request_id": id.to_string() }
        });
        if let Some(detail) = detail {
            body["error"]["detail"] = detail.into();
        }
        format!("{body}\n")
    }
}

/// The form that the client accepts; JSON comes before HTML.
pub(crate) fn form(headers: &HeaderMap) -> Form {
    let mut form = Form::Text;
    for value in headers.get_all(ACCEPT) {
        for range in value.to_str().unwrap_or_default().split(',') {
            match range.split(';').next().unwrap_or_default().trim() {
                "application/json" => return Form::Json,
                media if media.ends_with("+json") => return Form::Json,
                "text/html" => form = Form::Html,
                _ => {}
            }
        }
    }
    form
}
