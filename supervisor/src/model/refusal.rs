//! The reasons for which the supervisor answers a request in place of its app. `edge::proxy::answer` maps them to HTTP.

use nano_protocol::message::StreamErrorKind;
use strum::VariantArray;

/// A reason for which the supervisor itself answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray)]
pub(crate) enum Refusal {
    /// The request is not valid HTTP.
    Malformed,
    /// No app serves this host on this port.
    NoSuchHost,
    /// A method that the supervisor does not accept.
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
    /// The app has as many requests in flight as its limit allows.
    Overloaded,
    /// The client has as many requests to the app in flight as its share allows.
    ClientOverloaded,
    /// The queue of requests that wait for a worker of the app is full.
    QueueFull,
    /// The request used up its CPU time.
    CpuTime,
    /// The response body is over the app's limit.
    ResponseTooLarge,
    /// The handler took longer than its time limit.
    TimedOut,
    /// The handler kept JavaScript busy for too long.
    Watchdog,
    /// A WebSocket of another version of its protocol.
    WebSocketVersion,
    /// The app has as many WebSockets open as its limit allows, or as many as its client may have.
    TooManyWebSockets,
    /// Requests of this kind ended workers of the app repeatedly.
    Quarantined,
    /// A static file of the app cannot be read.
    AssetUnreadable,
    /// Too many apps have called each other in the course of one request.
    Loop,
}

impl Refusal {
    /// The refusal for an error that a worker reports for one request.
    pub(crate) fn from_worker(kind: StreamErrorKind) -> Self {
        match kind {
            StreamErrorKind::HandlerFailed | StreamErrorKind::BodyFailed => Self::HandlerFailed,
            StreamErrorKind::NotAResponse => Self::NotAResponse,
            StreamErrorKind::Watchdog => Self::Watchdog,
            StreamErrorKind::OutOfMemory => Self::OutOfMemory,
            StreamErrorKind::CpuTime => Self::CpuTime,
        }
    }

    /// Whether it is transient, so that a retry may succeed.
    pub(crate) fn is_momentary(self) -> bool {
        matches!(
            self,
            Self::NoWorker
                | Self::Overloaded
                | Self::ClientOverloaded
                | Self::QueueFull
                | Self::TooManyWebSockets
        )
    }

    /// A stable name for programs.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed_request",
            Self::NoSuchHost => "no_such_host",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::RequestTimedOut => "request_timeout",
            Self::BodyTooLarge => "body_too_large",
            Self::UriTooLong => "uri_too_long",
            Self::HeadersTooLarge => "headers_too_large",
            Self::HandlerFailed => "handler_failed",
            Self::NotAResponse => "not_a_response",
            Self::OutOfMemory => "out_of_memory",
            Self::WorkerDied => "worker_died",
            Self::NotLoaded => "not_loaded",
            Self::CrashLoop => "crash_loop",
            Self::Stopped => "stopped",
            Self::NoWorker => "no_worker",
            Self::Overloaded => "overloaded",
            Self::ClientOverloaded => "client_overloaded",
            Self::QueueFull => "queue_full",
            Self::CpuTime => "cpu_time",
            Self::ResponseTooLarge => "response_too_large",
            Self::TimedOut => "timed_out",
            Self::Watchdog => "watchdog",
            Self::WebSocketVersion => "websocket_version",
            Self::TooManyWebSockets => "too_many_websockets",
            Self::Quarantined => "quarantined",
            Self::AssetUnreadable => "asset_unreadable",
            Self::Loop => "loop",
        }
    }
}
