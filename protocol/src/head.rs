//! What a stream is for: the head with which one side opens it.
//!
//! On the wire the kind of the frame says which variant of [`Head`] follows. The payload is the window of the answer (u32), the
//! contents of the variant, and a header block.

use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use crate::ProtocolError;
use crate::codec::{self, HeaderBlock};
use crate::message::{RequestId, RequestLine};

/// What a stream is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head<'a> {
    /// Supervisor: a request of a client. Its header fields follow.
    Request(RequestLine<'a>),
    /// Supervisor: something that happens, of which the app is told.
    Event(Event<'a>),
    /// Worker: something that it asks for outside of it.
    Call(Call),
}

/// Something that happens, of which the app is told. The answer is what came of it, as an HTTP status and a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event<'a> {
    /// The supervisor asks whether the app is well. The worker has the app answer a GET of this path, and its answer is that
    /// of the event.
    Health {
        /// Names the request that the app sees, in logs.
        id: RequestId,
        /// Path and query, starting with `/`.
        path: &'a str,
    },
}

/// Something that a worker asks for outside of it. The answer is an HTTP status, and a body if there is more to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Call {
    /// Keep the body in the app's cache under this name, in place of what was kept there before.
    Keep {
        /// The worker's own choice.
        name: u128,
    },
}

/// Which variant of [`Head`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is documented at its variant of `Head`")]
pub enum HeadKind {
    Request,
    Event,
    Call,
}

impl HeadKind {
    /// The name used in errors.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Request => "request head",
            Self::Event => "event head",
            Self::Call => "call head",
        }
    }
}

/// A head as it travelled. Decoding borrows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedHead {
    /// What the frame says it is.
    pub kind: HeadKind,
    /// The window of the answer, the contents, a header block.
    pub payload: Bytes,
}

impl Head<'_> {
    /// Which variant it is.
    pub fn kind(&self) -> HeadKind {
        match self {
            Self::Request(_) => HeadKind::Request,
            Self::Event(_) => HeadKind::Event,
            Self::Call(_) => HeadKind::Call,
        }
    }

    /// Appends the payload of the frame, but for the header block.
    ///
    /// # Errors
    /// [`ProtocolError::Malformed`] if it cannot be represented.
    pub fn encode(&self, window: u32, out: &mut BytesMut) -> Result<(), ProtocolError> {
        match self {
            Self::Request(line) => codec::encode(&(window, line), out),
            Self::Event(event) => codec::encode(&(window, event), out),
            Self::Call(call) => codec::encode(&(window, call), out),
        }
    }
}

impl EncodedHead {
    /// How much of the answer may be under way at first, in bytes.
    ///
    /// # Errors
    /// [`ProtocolError::Malformed`].
    pub(crate) fn window(&self) -> Result<usize, ProtocolError> {
        let (window, _) = codec::decode_prefix::<u32>(self.kind.name(), &self.payload)?;
        Ok(window as usize)
    }

    /// What it says, and its header fields.
    ///
    /// # Errors
    /// [`ProtocolError::Malformed`].
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
        })
    }

    fn split<'a, T: Deserialize<'a>>(&'a self) -> Result<(T, HeaderBlock), ProtocolError> {
        split(self.kind.name(), &self.payload)
    }
}

/// Splits the payload of a request's head into its line and its header block.
///
/// # Errors
/// [`ProtocolError::Malformed`].
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
