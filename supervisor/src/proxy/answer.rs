//! The one table from failures to statuses, and the short bodies that go with them.

use bytes::Bytes;
use hyper::header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};
use nano_protocol::message::{RequestId, StreamErrorKind};

use super::body::ResponseBody;

/// Media type of a short text.
pub const TEXT: &str = "text/plain; charset=utf-8";

/// Media type of a body for programs.
pub const JSON: &str = "application/json";

/// Every reason for which the supervisor itself answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The request is not HTTP.
    Malformed,
    /// No app serves this host on this port.
    NoSuchHost,
    /// A method that makes no sense here.
    MethodNotAllowed,
    /// The client did not send its request in time.
    RequestTimedOut,
    /// The request body is over the app's limit.
    BodyTooLarge,
    /// The request target is over the limit.
    UriTooLong,
    /// The request head is over the limit.
    HeadersTooLarge,
    /// The handler threw or rejected.
    HandlerFailed,
    /// The handler did not return a usable `Response`.
    NotAResponse,
    /// The handler used up the app's heap.
    OutOfMemory,
    /// The worker ended while the request was in flight.
    WorkerDied,
    /// The app does not load.
    NotLoaded,
    /// The app crashes in a loop.
    CrashLoop,
    /// The app was stopped.
    Stopped,
    /// No worker became ready within the queueing deadline.
    NoWorker,
    /// The app has as many requests in flight as it may.
    Overloaded,
    /// The client has as many requests of the app in flight as it may.
    ClientOverloaded,
    /// As many requests wait for a worker of the app as may.
    QueueFull,
    /// The request used up its CPU time.
    CpuTime,
    /// The response body is over the app's limit.
    ResponseTooLarge,
    /// The handler took longer than its time limit.
    TimedOut,
    /// The handler kept JavaScript busy for too long.
    Watchdog,
    /// Such requests have ended workers of the app again and again.
    Quarantined,
}

/// In which form a client would like to have an answer of the supervisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Text for people.
    Text,
    /// Text for people with a browser; the same as [`Self::Text`] outside of development mode.
    Html,
    /// For programs.
    Json,
}

/// One row: status, name for programs, text for people.
type Row = (StatusCode, &'static str, &'static str);

impl Refusal {
    /// Every reason, in the order of their numbers (`as usize`).
    pub const ALL: &[Self] = &[
        Self::Malformed,
        Self::NoSuchHost,
        Self::MethodNotAllowed,
        Self::RequestTimedOut,
        Self::BodyTooLarge,
        Self::UriTooLong,
        Self::HeadersTooLarge,
        Self::HandlerFailed,
        Self::NotAResponse,
        Self::OutOfMemory,
        Self::WorkerDied,
        Self::NotLoaded,
        Self::CrashLoop,
        Self::Stopped,
        Self::NoWorker,
        Self::Overloaded,
        Self::ClientOverloaded,
        Self::QueueFull,
        Self::CpuTime,
        Self::ResponseTooLarge,
        Self::TimedOut,
        Self::Watchdog,
        Self::Quarantined,
    ];

    /// The answer to a failure that a worker reports for one request.
    pub fn from_worker(kind: StreamErrorKind) -> Self {
        match kind {
            StreamErrorKind::HandlerFailed | StreamErrorKind::BodyFailed => Self::HandlerFailed,
            StreamErrorKind::NotAResponse => Self::NotAResponse,
            StreamErrorKind::Watchdog => Self::Watchdog,
            StreamErrorKind::OutOfMemory => Self::OutOfMemory,
            StreamErrorKind::CpuTime => Self::CpuTime,
        }
    }

    fn row(self) -> Row {
        use StatusCode as S;
        match self {
            Self::Malformed => (S::BAD_REQUEST, "malformed_request", "The request is not valid HTTP."),
            Self::NoSuchHost => (S::NOT_FOUND, "no_such_host", "No app serves this host on this port."),
            Self::MethodNotAllowed => {
                (S::METHOD_NOT_ALLOWED, "method_not_allowed", "This method is not supported.")
            }
            Self::RequestTimedOut => {
                (S::REQUEST_TIMEOUT, "request_timeout", "The request did not arrive in time.")
            }
            Self::BodyTooLarge => (S::PAYLOAD_TOO_LARGE, "body_too_large", "The request body is too large."),
            Self::UriTooLong => (S::URI_TOO_LONG, "uri_too_long", "The request target is too long."),
            Self::HeadersTooLarge => (
                S::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "headers_too_large",
                "The request headers are too large.",
            ),
            Self::HandlerFailed => (S::INTERNAL_SERVER_ERROR, "handler_failed", "The app failed to answer."),
            Self::NotAResponse => {
                (S::INTERNAL_SERVER_ERROR, "not_a_response", "The app did not return a valid response.")
            }
            Self::OutOfMemory => (S::INTERNAL_SERVER_ERROR, "out_of_memory", "The app ran out of memory."),
            Self::WorkerDied => {
                (S::INTERNAL_SERVER_ERROR, "worker_died", "The app crashed while it handled the request.")
            }
            Self::NotLoaded => (S::INTERNAL_SERVER_ERROR, "not_loaded", "The app could not be loaded."),
            Self::CrashLoop => {
                (S::SERVICE_UNAVAILABLE, "crash_loop", "The app is unavailable: it keeps crashing.")
            }
            Self::Stopped => (S::SERVICE_UNAVAILABLE, "stopped", "The app is stopped."),
            Self::NoWorker => (S::SERVICE_UNAVAILABLE, "no_worker", "The app is not ready to answer yet."),
            Self::Overloaded => {
                (S::SERVICE_UNAVAILABLE, "overloaded", "The app has too many requests in flight.")
            }
            Self::ClientOverloaded => {
                (S::TOO_MANY_REQUESTS, "client_overloaded", "This client has too many requests in flight.")
            }
            Self::QueueFull => {
                (S::SERVICE_UNAVAILABLE, "queue_full", "Too many requests wait for the app already.")
            }
            Self::CpuTime => (S::SERVICE_UNAVAILABLE, "cpu_time", "The app used up its CPU time."),
            Self::ResponseTooLarge => (
                S::INTERNAL_SERVER_ERROR,
                "response_too_large",
                "The app's response is larger than it may be.",
            ),
            Self::TimedOut => {
                (S::GATEWAY_TIMEOUT, "timed_out", "The app did not answer within its time limit.")
            }
            Self::Watchdog => {
                (S::GATEWAY_TIMEOUT, "watchdog", "The app was interrupted: it kept running too long.")
            }
            Self::Quarantined => {
                (S::SERVICE_UNAVAILABLE, "quarantined", "Such requests make the app crash, and are refused.")
            }
        }
    }

    /// The status.
    pub fn status(self) -> StatusCode {
        self.row().0
    }

    /// Whether it may be otherwise at any moment.
    pub fn is_momentary(self) -> bool {
        matches!(self, Self::NoWorker | Self::Overloaded | Self::ClientOverloaded | Self::QueueFull)
    }

    /// The name for programs.
    pub fn code(self) -> &'static str {
        self.row().1
    }

    /// The text for people.
    pub fn message(self) -> &'static str {
        self.row().2
    }

    /// The whole response, but for its request id header.
    pub fn response(self, id: RequestId, form: Form) -> Response<ResponseBody> {
        match form {
            Form::Json => self.with_body(JSON, self.json(id, None)),
            Form::Text | Form::Html => self.with_body(TEXT, self.text()),
        }
    }

    /// A response with this status and this body.
    pub fn with_body(self, content_type: &'static str, body: String) -> Response<ResponseBody> {
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
    pub fn raw_response(self, id: RequestId) -> Vec<u8> {
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
    pub fn text(self) -> String {
        format!("{}\n{}\n", self.status(), self.message())
    }

    /// The body as JSON, with `detail` if there is more to say.
    pub fn json(self, id: RequestId, detail: Option<&str>) -> String {
        let (status, code, message) = self.row();
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
pub fn form(headers: &HeaderMap) -> Form {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::REFUSALS;

    #[test]
    fn every_reason_has_its_number() {
        assert!(Refusal::ALL.iter().enumerate().all(|(number, reason)| *reason as usize == number));
        assert!(Refusal::ALL.len() == Refusal::Quarantined as usize + 1 && Refusal::ALL.len() <= REFUSALS);
    }
}
