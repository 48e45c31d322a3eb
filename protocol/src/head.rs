//! The head with which one side opens a stream. It says what the stream is for.
//!
//! On the wire the kind of the frame says which variant of [`Head`] follows. The payload is the window of the answer (u32), the
//! contents of the variant, and a header block.

use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use crate::ProtocolError;
use crate::codec::{self, HeaderBlock};
use crate::message::{RequestId, RequestLine};

/// The head of a stream: what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head<'a> {
    /// Supervisor: a request of a client. Its header fields follow.
    Request(RequestLine<'a>),
    /// Supervisor: something that has happened and that the app is notified of.
    Event(Event<'a>),
    /// Worker: something that it asks the supervisor to do.
    Call(Call),
    /// Worker: a request of its app to what a binding stands for. Its header fields follow.
    Fetch(Fetch<'a>),
}

/// Something that has happened and that the app is notified of. The answer is the result, as an HTTP status and a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event<'a> {
    /// Asks whether the app is healthy. The worker passes a GET request of this path to the app, and answers the event with the
    /// app's answer.
    Health {
        /// The id by which logs name the request that the app gets.
        id: RequestId,
        /// Path and query, starting with `/`.
        path: &'a str,
    },
    /// Has the app's `scheduled` handler run. The answer says how it ended, when the handler and everything that it has passed to
    /// `waitUntil` have settled: 200 and `ok`, or 500 and `exception`, with the field [`NO_RETRY`] if the handler has called
    /// `noRetry`.
    Scheduled {
        /// The id by which logs name the run.
        id: RequestId,
        /// The cron expression that is due; may be empty.
        cron: &'a str,
        /// When it was due, in milliseconds since 1970.
        time: i64,
    },
}

/// What takes the place of the method in the name of a scheduled run. The place of the path has the cron expression.
pub const SCHEDULED: &str = "scheduled";

/// What takes the place of an empty cron expression there.
pub const NO_CRON: &str = "-";

/// The header field of the answer to [`Event::Scheduled`] if the handler has called `noRetry`.
pub const NO_RETRY: &[u8] = b"no-retry";

/// Something that a worker asks the supervisor to do. The answer is an HTTP status, and a body if there is more to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Call {
    /// Stores the body in the app's cache under this name, and replaces what was stored there before.
    Keep {
        /// A name that the worker chooses.
        name: u128,
    },
    /// Keeps the connection open, even when the supervisor sends no further requests on it, until the body ends: work that goes
    /// on after the last answer can still fetch. Neither it nor its answer has a body besides the end. The head of the answer
    /// says that the supervisor accepts fetches on this connection from now on.
    Stay,
}

/// A request of an app to what one of its bindings stands for: another app, or its own static files. The answer is that of a
/// request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetch<'a> {
    /// The name of the binding.
    pub binding: &'a str,
    /// The request in whose course it is made; zero for none.
    pub request: RequestId,
    /// How many fetches lead from the request of a client to this one, which counts.
    pub depth: u8,
    /// Method.
    pub method: &'a str,
    /// Scheme and authority as in a URL.
    pub origin: &'a str,
    /// Path and query, starting with `/`.
    pub target: &'a str,
    /// Whether it calls a method of the other app, or reads a property. The body says which, and so does the answer say what came of
    /// it; `method` and `target` are only how people name the call.
    pub is_call: bool,
}

/// The kind of a head: one for each variant of [`Head`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is documented at its variant of `Head`")]
pub enum HeadKind {
    Request,
    Event,
    Call,
    Fetch,
}

impl HeadKind {
    /// Returns the name used in errors.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Request => "request head",
            Self::Event => "event head",
            Self::Call => "call head",
            Self::Fetch => "fetch head",
        }
    }
}

/// A head as it was received, still encoded. Decoding borrows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedHead {
    /// The kind, according to the frame.
    pub kind: HeadKind,
    /// The window of the answer, the contents of the head, and a header block.
    pub payload: Bytes,
}

impl Head<'_> {
    /// Returns which variant it is.
    pub fn kind(&self) -> HeadKind {
        match self {
            Self::Request(_) => HeadKind::Request,
            Self::Event(_) => HeadKind::Event,
            Self::Call(_) => HeadKind::Call,
            Self::Fetch(_) => HeadKind::Fetch,
        }
    }

    /// Appends the payload of the frame without the header block.
    ///
    /// # Errors
    /// [`ProtocolError::Malformed`] if it cannot be represented.
    pub fn encode(&self, window: u32, out: &mut BytesMut) -> Result<(), ProtocolError> {
        match self {
            Self::Request(line) => codec::encode(&(window, line), out),
            Self::Event(event) => codec::encode(&(window, event), out),
            Self::Call(call) => codec::encode(&(window, call), out),
            Self::Fetch(fetch) => codec::encode(&(window, fetch), out),
        }
    }
}

impl EncodedHead {
    /// Returns the first window of the answer, in bytes.
    ///
    /// # Errors
    /// [`ProtocolError::Malformed`] if it does not decode.
    pub(crate) fn window(&self) -> Result<usize, ProtocolError> {
        let (window, _) = codec::decode_prefix::<u32>(self.kind.name(), &self.payload)?;
        Ok(window as usize)
    }

    /// Decodes the head; also returns its header fields.
    ///
    /// # Errors
    /// [`ProtocolError::Malformed`] if it does not decode.
    pub fn decode(&self) -> Result<(Head<'_>, HeaderBlock), ProtocolError> {
        Ok(match self.kind {
            HeadKind::Request => {
                let (line, fields) = self.split()?;
                (Head::Request(line), fields)
            }
            HeadKind::Event => {
                let (event, fields) = self.split()?;
                (Head::Event(event), fields)
            }
            HeadKind::Call => {
                let (call, fields) = self.split()?;
                (Head::Call(call), fields)
            }
            HeadKind::Fetch => {
                let (fetch, fields) = self.split()?;
                (Head::Fetch(fetch), fields)
            }
        })
    }

    fn split<'a, T: Deserialize<'a>>(&'a self) -> Result<(T, HeaderBlock), ProtocolError> {
        split(self.kind.name(), &self.payload)
    }
}

/// Splits the payload of a request's head into its request line and its header block.
///
/// # Errors
/// [`ProtocolError::Malformed`] if it does not decode.
pub fn split_request_head(payload: &Bytes) -> Result<(RequestLine<'_>, HeaderBlock), ProtocolError> {
    split(HeadKind::Request.name(), payload)
}

fn split<'a, T: Deserialize<'a>>(
    name: &'static str,
    payload: &'a Bytes,
) -> Result<(T, HeaderBlock), ProtocolError> {
    let ((_window, contents), used) = codec::decode_prefix::<(u32, T)>(name, payload)?;
    Ok((contents, HeaderBlock::new(payload.slice(used..))))
}
