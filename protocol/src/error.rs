//! The errors that end a connection.

use std::io;

/// Why a connection is unusable and ends. Nothing but the connection ends.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// A frame of a kind that this version does not know.
    #[error("unknown frame kind {0:#04x}")]
    UnknownKind(u8),
    /// A frame header with reserved bits set.
    #[error("frame header with reserved bits set")]
    Reserved,
    /// A payload over the limit of its kind.
    #[error("{kind} frame of {length} bytes is over the limit of {limit}")]
    TooLong {
        /// The kind of frame.
        kind: &'static str,
        /// Payload length according to the header, in bytes.
        length: usize,
        /// Longest payload allowed, in bytes.
        limit: usize,
    },
    /// A payload that does not decode.
    #[error("malformed {what}: {detail}")]
    Malformed {
        /// What was being decoded.
        what: &'static str,
        /// The error message of the codec.
        detail: String,
    },
    /// A frame that may not be sent, or not now.
    #[error("unexpected {0}")]
    Unexpected(&'static str),
    /// More body bytes than the credit allows.
    #[error("body bytes beyond the credit of stream {0}")]
    CreditExceeded(u64),
    /// More streams at once than one side may open: [`crate::limits::MAX_STREAMS`], [`crate::limits::MAX_CALLS`].
    #[error("too many streams")]
    TooManyStreams,
    /// The peer does not read, and no more can be buffered for it.
    #[error("the peer does not read what is sent to it")]
    Behind,
    /// Too many frames without effect, see [`crate::limits::MAX_IDLE_FRAMES`].
    #[error("frames without end that change nothing")]
    Flood,
    /// The peer has closed the connection, maybe inside a frame.
    #[error("connection ended")]
    Disconnected,
    /// The socket failed.
    #[error("connection failed: {0}")]
    Io(#[from] io::Error),
}

impl ProtocolError {
    /// Returns whether the cause is that the peer has ended and closed its socket, maybe without reading everything.
    pub(crate) fn is_of_a_peer_that_is_gone(&self) -> bool {
        match self {
            Self::Disconnected => true,
            Self::Io(error) => error.kind() == io::ErrorKind::ConnectionReset,
            _ => false,
        }
    }
}
