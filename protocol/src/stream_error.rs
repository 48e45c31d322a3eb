//! Why a worker gave up on a stream, and what was thrown.

use serde::{Deserialize, Serialize};

/// Why a worker gave up on a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamError {
    /// The kind of failure.
    pub kind: StreamErrorKind,
    /// A text for the log. Clients never get it.
    pub message: String,
    /// What was thrown, if anything was: an app that has made the request gets it.
    pub thrown: Option<Box<Thrown>>,
}

impl StreamError {
    /// A failure in which nothing was thrown.
    pub fn new(kind: StreamErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), thrown: None }
    }
}

/// An error that JavaScript has thrown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thrown {
    /// Its class, if that is one of JavaScript's own, such as `TypeError`; `Error` otherwise.
    pub class: String,
    /// Its `name`, which an app may have set to anything.
    pub name: String,
    /// Its `message`. Other apps get it, clients do not.
    pub message: String,
    /// What was thrown as a whole, as the worker of an app that has made a call reads it; empty otherwise.
    pub value: Vec<u8>,
}

/// The kinds of failure a worker reports for one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StreamErrorKind {
    /// The handler threw or rejected.
    HandlerFailed,
    /// The handler returned something that is not a usable `Response`.
    NotAResponse,
    /// The watchdog ended the handler.
    Watchdog,
    /// The V8 heap reached its limit.
    OutOfMemory,
    /// The response body's stream failed.
    BodyFailed,
    /// The request used up its CPU time.
    CpuTime,
}

impl StreamErrorKind {
    /// Returns whether the worker ends after such a failure.
    pub fn is_fatal(self) -> bool {
        match self {
            Self::Watchdog | Self::OutOfMemory | Self::CpuTime => true,
            Self::HandlerFailed | Self::NotAResponse | Self::BodyFailed => false,
        }
    }
}
