//! Maps failures to statuses in one table, and builds the responses for them: with a short body, or with the cause if the app is
//! in development mode.

use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderValue, REFRESH,
    RETRY_AFTER, SEC_WEBSOCKET_VERSION, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};
use nano_protocol::message::RequestId;

use super::body::ResponseBody;
use super::error_page;
use crate::edge::refused::Refused;
use crate::model::refusal::Refusal;

/// Media type of a short text.
const TEXT: &str = "text/plain; charset=utf-8";

/// Media type of a body for programs.
const JSON: &str = "application/json";

/// The form of a response that the supervisor makes, chosen by the request's `accept`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Text for people.
    Text,
    /// A page for people with a browser. The same as [`Self::Text`] outside of development mode.
    Html,
    /// JSON for programs.
    Json,
}

/// One row of the table: the status, and a text for people.
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
            Self::WebSocketVersion => {
                (S::UPGRADE_REQUIRED, "This version of the WebSocket protocol is not supported.")
            }
            Self::TooManyWebSockets => (S::SERVICE_UNAVAILABLE, "The app has too many WebSockets open."),
            Self::Quarantined => {
                (S::SERVICE_UNAVAILABLE, "Such requests make the app crash, and are refused.")
            }
            Self::AssetUnreadable => (S::INTERNAL_SERVER_ERROR, "The file could not be read."),
            Self::Loop => (S::LOOP_DETECTED, "Apps call each other in a loop."),
        }
    }

    pub(crate) fn status(self) -> StatusCode {
        self.row().0
    }

    pub(crate) fn message(self) -> &'static str {
        self.row().1
    }

    /// Builds the response, without its request id header.
    fn response(self, id: RequestId, form: Form) -> Response<ResponseBody> {
        match form {
            Form::Json => self.with_body(JSON, self.json(id, None)),
            Form::Text | Form::Html => self.with_body(TEXT, self.text()),
        }
    }

    fn with_body(self, content_type: &'static str, body: String) -> Response<ResponseBody> {
        let status = self.status();
        let mut response = Response::new(ResponseBody::full(Bytes::from(body)));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if self == Self::MethodNotAllowed {
            let methods = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
            response.headers_mut().insert(ALLOW, methods);
        }
        if self == Self::WebSocketVersion {
            response.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        }
        response
    }

    /// Returns the response as HTTP/1.1 bytes, for a connection on which no request could be parsed.
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

    /// Returns the body as text.
    fn text(self) -> String {
        format!("{}\n{}\n", self.status(), self.message())
    }

    /// Returns the body as JSON, with `detail` if there is any.
    fn json(self, id: RequestId, detail: Option<&str>) -> String {
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

impl Refused {
    /// Builds the response, without its request id header.
    pub(crate) fn response(self, id: RequestId, form: Form) -> Response<ResponseBody> {
        let (until, why) = (self.until, self.why);
        let mut response = self.without_time(id, form);
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        if let Some(left) = left.or_else(|| why.is_momentary().then_some(Duration::ZERO)) {
            let seconds = whole_seconds(left);
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }

    fn without_time(self, id: RequestId, form: Form) -> Response<ResponseBody> {
        let why = self.why;
        let (Some(cause), Some(scene)) = (self.cause, self.scene) else { return why.response(id, form) };
        let mut response = match form {
            Form::Html => why.with_body(error_page::HTML, error_page::render(why, id, &scene, &cause)),
            Form::Json => why.with_body(JSON, why.json(id, Some(&cause))),
            Form::Text => why.with_body(TEXT, format!("{}\n{}\n", why.text(), cause.trim_end())),
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(error_page::POLICY));
        if form == Form::Html && why == Refusal::NotLoaded {
            // The browser reloads until the app loads.
            headers.insert(REFRESH, HeaderValue::from_static("1"));
        }
        response
    }
}

/// Returns the seconds for `Retry-After`. They are rounded up, so that a client that waits for as long is never too early, and at
/// least 1, because the app may just be starting.
fn whole_seconds(left: Duration) -> u64 {
    (left.as_secs() + u64::from(left.subsec_nanos() > 0)).max(1)
}

/// Returns the form that the client accepts. JSON takes precedence over HTML.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_as_long_as_told_is_not_too_early() {
        for (left, expected) in [(0, 1), (1, 1), (999, 1), (1000, 1), (1001, 2), (29_500, 30)] {
            assert_eq!(whole_seconds(Duration::from_millis(left)), expected);
        }
    }
}
